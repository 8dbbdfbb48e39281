"""The swap of the live store for another, and its repair: whatever happens, the old store is back, or the new is live.

begin -> stop -> renames -> start -> check -> commit -> adopt, latest, end
  |        |____________ put back, start __________|    what is left is ended by the next run
nothing was touched
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import DownError, ExporterError, Interrupted, RunError, SwapError
from exporter.interrupts import disable_interrupts
from exporter.invocation import command
from exporter.rebuild.live import Live
from exporter.rebuild.report import RebuildReport, one_line
from exporter.rebuild.retention import move_latest
from exporter.rebuild.store import Store
from exporter.rebuild.stores import Stores, Swap


@dataclass(frozen=True, slots=True)
class Swapper:
    """A live Neo4j, its stores, and the output directory whose `latest` follows them."""

    live: Live
    stores: Stores
    report: RebuildReport
    output: Path

    @property
    def logs(self) -> Path:
        """The directory for the output of the stop and start commands."""
        return self.stores.root / "logs"

    def repair(self) -> bool:
        """Ends the swap of a run that died in it, or puts the old store back if the new one was not verified, and
        starts Neo4j. Returns whether there was one. Raises `DownError` if Neo4j then does not answer."""
        swap = self.stores.under_way()
        if swap is None:
            return False
        if self.stores.committed(swap):
            with self.report.step("repair", "A run died after swapping the stores: ending the swap"):
                self.stores.adopt(swap)
                move_latest(self.stores, self.output, self.report)
                self.start_new()
                self.stores.end()
            return True
        with self.report.step("repair", "A run died while swapping the stores: putting the old one back"):
            self.put_back(swap)
            self.report.log.write(f"{self.old_name()} is back and answers")
            move_latest(self.stores, self.output, self.report)
        return True

    def swap(self, new: Store, check: Callable[[Store], None]) -> None:
        """Swaps the live store for another, which `check` verifies; on any failure, the old one is put back. Then
        raises `SwapError`, or `DownError` if Neo4j does not answer; `RunError` if all that failed is the end of a swap
        whose new store is live."""
        swap, began = None, time.monotonic()
        try:
            swap = self.stores.begin(new)
            self.exchange(swap, new, check)
        except BaseException as error:
            disable_interrupts()
            self.fail(swap or self.begun(), error, began)
            raise
        self.finish(swap)
        self.report.log.write(f"{new} is live; unavailable for {self.report.downtime:.1f} s")

    def exchange(self, swap: Swap, new: Store, check: Callable[[Store], None]) -> None:
        """Stops Neo4j, renames the stores, starts it, and commits the swap if `check` is content."""
        began = time.monotonic()
        with self.report.step("stop", "Stopping the live Neo4j"):
            self.live.stop(self.logs / "stop.log")
        with self.report.step("renames", "Swapping the stores"), self.live.locked():
            self.stores.swap(swap)
            disable_interrupts()  # from here on, finishing is quicker than undoing
        with self.report.step("start", f"Starting the live Neo4j on {new}"):
            self.live.start(self.logs / "start.log")
            self.report.downtime = time.monotonic() - began
        with self.report.step("smoke_test", "Comparing the live graph with the manifest"):
            check(new)
            self.stores.commit(swap)

    def begun(self) -> Swap | None:
        """The swap that a signal cut off as it began."""
        with suppress(OSError):
            return self.stores.under_way()
        return None

    def finish(self, swap: Swap) -> None:
        """Ends a swap that was committed. Raises `RunError` if that fails, which the next run then does."""
        try:
            self.stores.adopt(swap)
            move_latest(self.stores, self.output, self.report)
            self.stores.end()
        except OSError as error:
            raise RunError(
                f"the new graph is live and answers, but its swap could not be ended ({one_line(error)}): correct"
                f" that, then run: {command()} rebuild --repair"
            ) from None

    def fail(self, swap: Swap | None, error: BaseException, began: float) -> None:
        """Puts the old store back after an error in a swap that began at this time, if Neo4j was told to stop. Raises
        `SwapError` in the place of our own errors then."""
        if swap is None or "stop" not in self.report.seconds:
            self.end_undone()
            return
        self.report.log.write(f"THE SWAP FAILED ({one_line(error)}): putting the old store back", "error")
        failed_step = self.report.step_name
        with self.report.step("put_back", "Putting the old store back and starting Neo4j"):
            self.put_back(swap)
        self.report.downtime, self.report.step_name = time.monotonic() - began, failed_step
        with suppress(OSError):  # left to the next run
            self.stores.clean()
        if not isinstance(error, Interrupted) and isinstance(error, ExporterError | OSError):
            raise SwapError(f"the swap failed: {one_line(error)}; {self.old_name()} is back and answers") from None

    def put_back(self, swap: Swap) -> None:
        """Undoes what was done of a swap, and starts Neo4j. Raises `DownError` if it does not answer afterwards."""
        disable_interrupts()
        try:
            if self.stores.moved(swap):
                self.live.stop(self.logs / "stop-again.log")
                with self.live.locked():
                    self.stores.undo(swap)
            else:
                self.live.wait_until_stopped()
            self.live.start(self.logs / "start-again.log")
        except (ExporterError, OSError) as error:
            raise down("the old store could not be put back and started", error) from None
        self.end_undone()

    def end_undone(self) -> None:
        """Records the end of a swap of which nothing is done. If that fails only warns: the next run does it."""
        try:
            self.stores.end()
        except OSError as error:
            self.report.log.write(f"the next run has to end the swap: {one_line(error)}", "warning")

    def old_name(self) -> str:
        """The old store, in a sentence about its return."""
        with suppress(OSError):
            return str(self.stores.current())
        return "the old store"

    def start_new(self) -> None:
        """Starts Neo4j on the new store of a swap that was committed, unless it runs. Raises `DownError`."""
        try:
            if not self.live.runs():
                self.live.start(self.logs / "start-again.log")
        except (ExporterError, OSError) as error:
            raise down("the new store is in place, but could not be started", error) from None


def down(what: str, error: Exception) -> DownError:
    """The error of a graph that does not answer, for this reason."""
    return DownError(
        f"THE LIVE GRAPH DOES NOT ANSWER: {what} ({one_line(error)}). Correct that, then run: {command()} rebuild"
        " --repair"
    )

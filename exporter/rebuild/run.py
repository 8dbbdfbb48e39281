"""One rebuild, rollback or repair from start to finish."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import DifferenceError, DownError, ExporterError, Interrupted, RunError, SwapError, UsageError
from exporter.interrupts import disable_interrupts
from exporter.invocation import command
from exporter.progress.log import PlainLines
from exporter.published.history import find_directory, latest
from exporter.published.prune import is_copy, prune
from exporter.rebuild.guard import check_export, guard
from exporter.rebuild.installation import find_live
from exporter.rebuild.live import Live
from exporter.rebuild.report import Action, RebuildReport, counts, one_line
from exporter.rebuild.stage import STAGE, build_store, clear, empty_stage
from exporter.rebuild.status import describe
from exporter.rebuild.stores import Store, Stores, Swap, open_stores
from exporter.settings import RebuildSettings, Settings
from exporter.sink.manifest import read_manifest
from exporter.sink.publish import link_latest
from exporter.store.deploy import run_export
from exporter.store.verify import check_graph


def run_rebuild(
    settings: Settings,
    options: RebuildSettings,
    report: RebuildReport,
    *,
    export: str | None = None,
    accept: bool = False,
    accept_copy: bool = False,
) -> None:
    """Carries out the report's action. `export` names an existing export to use instead of a new one, `accept` turns
    the guard off, `accept_copy` lets that export be a copy.

    Raises an `ExporterError`: `SwapError` if the previous live graph was restored, `DownError` if it does not answer;
    any other, including `GuardError`, means that it was not touched.
    """
    live = find_live(options)
    with open_stores(live.data, live.store) as stores:
        rebuild = Rebuild(settings, options, report, live, stores)
        try:
            rebuild.repair()
            if report.action is Action.ROLLBACK:
                rebuild.rollback()
            elif report.action is Action.REBUILD:
                rebuild.rebuild(export, accept=accept, accept_copy=accept_copy)
        except OSError as error:
            raise RunError(f"{error.filename or live.data}: {error.strerror}") from None
        finally:
            report.live, report.previous = stores.current(), next(iter(stores.kept()), None)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A run, and what it works on."""

    settings: Settings
    options: RebuildSettings
    report: RebuildReport
    live: Live
    stores: Stores

    @property
    def logs(self) -> Path:
        """The directory for the output of the stop and start commands."""
        return self.stores.root / "logs"

    def repair(self) -> None:
        """Cleans up what a dead run left; if it died during a swap, puts the old store back and starts Neo4j. Raises
        `DownError` if Neo4j then does not answer."""
        cleared = clear(self.stores.root / STAGE, logs=False)
        swap = self.stores.under_way()
        if swap and self.stores.committed(swap):
            self.move_latest()
            self.stores.end()
        elif swap:
            with self.report.step("repair", "A run died while swapping the stores: putting the old one back"):
                self.put_back(swap)
                self.report.log.write(f"{self.stores.current()} is back and answers")
                self.move_latest()
        self.report.repaired = self.stores.clean() or cleared or swap is not None
        if self.report.action is Action.REPAIR and not self.report.repaired:
            self.report.log.write("Nothing to repair: no run left anything behind")

    def rebuild(self, name: str | None, *, accept: bool, accept_copy: bool = False) -> None:
        """Export, guard, stage, swap, retention; of the export with this name or directory, else of a new one."""
        if not self.live.check():
            self.report.log.write("Neo4j is not running; it will be started with the new graph")
        try:
            directory = find_directory(self.settings.output, name).resolve() if name else self.make_export()
            check_export(directory, self.report, named=name, accepted=accept_copy)
            self.record_counts(directory)
            if not accept:
                guard(directory, self.stores.current(), self.report, self.options, name=name or directory.name)
            with empty_stage(self.stores.root) as stage:
                staged = build_store(stage, self.live.home, directory, self.live.database, self.report)
                new = self.stores.add(staged, directory)
            self.swap(new, self.smoke_test)
        except Interrupted:
            raise
        except (ExporterError, OSError):
            if not self.stores.under_way():
                self.stores.clean()
            if self.report.export and not name:
                self.prune_exports()  # otherwise every failed night would leave one more
            raise
        with self.report.step("retention", f"Keeping {self.options.keep} stores and exports"):
            self.prune_stores()
            if directory.parent == self.settings.output.resolve():  # otherwise it came from elsewhere
                self.prune_exports()

    def rollback(self) -> None:
        """Swaps the live store for the previous one, whether the live one answers or not. Raises `UsageError` if there
        is none."""
        if not (kept := self.stores.kept()):
            raise UsageError(f"there is no previous store in {self.stores.root} to go back to")
        try:
            self.live.check()
        except RunError as error:
            self.report.log.write(one_line(error), "warning")
        previous = kept[0]
        self.report.log.write(f"Going back to {describe(previous)}")
        if live := self.stores.current():
            self.report.log.write(f"It replaces {describe(live)}")
        self.report.export, manifest = previous.export, previous.manifest
        self.report.counts = counts(manifest) if manifest else {}
        self.swap(previous, self.compare_previous)

    def make_export(self) -> Path:
        """A new export."""
        with self.report.step("export", "Exporting the source"):
            display = PlainLines(self.report.log.write)
            result = run_export(
                self.settings,
                display,
                consequence="and the live graph is unchanged",
                on_warning=lambda text: self.report.log.write(text, "warning"),
                move_latest=False,
            )
            return result.directory.resolve()

    def record_counts(self, directory: Path) -> None:
        """Records in the report which export is used and what it holds."""
        self.report.use(directory, read_manifest(directory))

    def swap(self, new: Store, check: Callable[[Store], None]) -> None:
        """Swaps the live store for another, which `check` verifies; on any failure, the old one is put back. Then
        raises `SwapError`, or `DownError` if Neo4j does not answer."""
        swap = self.stores.begin(new)
        with self.old_store_on_failure(swap):
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
        self.move_latest()
        self.stores.end()
        self.report.log.write(f"{self.stores.current()} is live; unavailable for {self.report.downtime:.1f} s")

    @contextmanager
    def old_store_on_failure(self, swap: Swap) -> Iterator[None]:
        """Puts the old store back if the block fails; our own errors are then raised as a `SwapError`."""
        began = time.monotonic()
        try:
            yield
        except BaseException as error:
            disable_interrupts()
            self.report.log.write(f"THE SWAP FAILED ({one_line(error)}): putting the old store back", "error")
            failed_step = self.report.step_name
            with self.report.step("put_back", "Putting the old store back and starting Neo4j"):
                self.put_back(swap)
            self.report.downtime, self.report.step_name = time.monotonic() - began, failed_step
            self.stores.clean()
            if isinstance(error, Interrupted) or not isinstance(error, ExporterError | OSError):
                raise
            reason = one_line(error)
            raise SwapError(f"the swap failed: {reason}; {self.stores.current()} is back and answers") from None

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
            raise DownError(
                "THE LIVE GRAPH DOES NOT ANSWER: the old store could not be put back and started"
                f" ({one_line(error)}). Correct that, then run: {command()} rebuild --repair"
            ) from None
        self.stores.end()

    def smoke_test(self, store: Store) -> None:
        """Raises `DifferenceError` if the live graph differs from the manifest of its store."""
        live = self.live
        check_graph(store.directory, live.bolt, user=live.user, password=live.password, database=live.database)

    def compare_previous(self, previous: Store) -> None:
        """Warns of differences: a graph may have been written to while it was live, which does not rule it out."""
        if not previous.manifest:
            return
        try:
            self.smoke_test(previous)
        except DifferenceError as error:
            self.report.log.write(one_line(error), "warning")

    def move_latest(self) -> None:
        """Makes `latest` lead to the export behind the live store, if that is in the output directory and no copy; if
        that fails, only warns, since the graph is what matters."""
        store, output = self.stores.current(), self.settings.output
        export = store.export_in(output) if store and not is_copy(store.directory) else None
        if export and export != latest(output):
            try:
                link_latest(export)
            except OSError as error:
                self.report.log.write(f"{output}/latest was not moved: {one_line(error)}", "warning")

    def prune_stores(self) -> None:
        """Removes old stores; if that fails, only warns, since the new graph is live."""
        try:
            self.report.removed_stores += self.stores.prune(self.options.keep)
        except OSError as error:
            self.report.log.write(f"old stores were not removed: {one_line(error)}", "warning")

    def prune_exports(self) -> None:
        """Removes old exports, but none that a store was made from; if that fails, only warns."""
        needed = [store.export for store in self.stores.all() if store.export]
        try:
            removed = prune(self.settings.output, self.options.keep, needed)
        except (ExporterError, OSError) as error:
            self.report.log.write(f"old exports were not removed: {one_line(error)}", "warning")
        else:
            self.report.removed_exports += [removal.path.name for removal in removed]

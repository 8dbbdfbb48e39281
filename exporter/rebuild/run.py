"""One rebuild, rollback or repair from start to finish."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import DownError, ExporterError, Interrupted, RunError, SwapError, UsageError
from exporter.interrupts import disable_interrupts, interruptible
from exporter.pipeline.pool import worker_pool
from exporter.pipeline.run import export
from exporter.progress.log import PlainLines
from exporter.published.history import exports, find_directory
from exporter.published.prune import prune
from exporter.rebuild import stores as kept_stores
from exporter.rebuild.guard import check_changes
from exporter.rebuild.live import Live, find_live
from exporter.rebuild.report import Action, Report
from exporter.rebuild.stage import STAGE, clear, empty_stage, fill
from exporter.rebuild.stores import Store, Stores, Swap
from exporter.report.report import report
from exporter.settings import RebuildSettings, Settings
from exporter.sink.manifest import read_manifest
from exporter.store.verify import verify_bolt


def perform(
    settings: Settings, options: RebuildSettings, report: Report, *, made: str | None = None, accept: bool = False
) -> None:
    """Does what the report is of. `made` names an export to take instead of a new one, `accept` turns the guard off.

    Raises an `ExporterError`: of the kinds that an export has, the live graph is untouched; else `GuardError` (it is
    untouched, too), `SwapError` (it is what it was) or `DownError` (it does not answer).
    """
    live = find_live(options)
    with kept_stores.opened(live.data, live.store) as stores:
        run = Rebuild(settings, options, report, live, stores)
        try:
            run.repair()
            if report.action is Action.ROLLBACK:
                run.rollback()
            elif report.action is Action.REBUILD:
                run.rebuild(made, accept)
        except OSError as error:
            raise RunError(f"{error.filename or live.data}: {error.strerror}") from None
        finally:
            report.live, report.previous = stores.current(), next(iter(stores.kept()), None)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A run and what it works on."""

    settings: Settings
    options: RebuildSettings
    report: Report
    live: Live
    stores: Stores

    @property
    def logs(self) -> Path:
        """What the stop and start commands say."""
        return self.stores.root / "logs"

    def repair(self) -> None:
        """Cleans up what a run that died has left; where that was in the midst of a swap, the old store comes back and
        Neo4j is started. Raises `DownError` where that does not help."""
        clear(self.stores.root / STAGE, logs=False)
        swap = self.stores.under_way()
        if swap and self.stores.committed(swap):
            self.stores.end()
        elif swap:
            with self.report.step("repair", "A run died while it swapped the stores: putting the old one back"):
                self.put_back(swap)
                self.report.log.say(f"{self.stores.current()} is back, and answers")
        self.stores.clean()

    def rebuild(self, made: str | None, accept: bool) -> None:
        """Export, guard, stage, swap, retention."""
        if not self.live.check():
            self.report.log.say("Neo4j does not run now; it will be started with the new graph")
        try:
            directory = find_directory(self.settings.output, made).resolve() if made else self.make_export()
            self.report.export, totals = directory.name, read_manifest(directory).totals
            self.report.counts = {
                "nodes": totals.nodes,
                "relationships": totals.relationships,
                "properties": totals.properties,
                "rejects": totals.rejects,
            }
            if not accept:
                self.guard(directory, made or directory.name)
            with empty_stage(self.stores.root) as stage:
                staged = fill(stage, self.live.home, directory, self.live.database, self.report)
                new = self.stores.add(staged, directory)
            self.swap(new, self.smoke_test)
        except Interrupted:
            raise
        except (ExporterError, OSError):
            if not self.stores.under_way():
                self.stores.clean()
            if self.report.export and not made:
                self.prune_exports()  # else every night that fails would leave one more
            raise
        with self.report.step("retention", f"Keeping {self.options.keep} stores and exports"):
            self.prune_stores()
            if directory.parent == self.settings.output.resolve():  # else it was carried here from elsewhere
                self.prune_exports()

    def rollback(self) -> None:
        """Exchanges the live store for the one that was live before it, whether the live one answers or not. Raises
        `UsageError` where there is none."""
        if not (kept := self.stores.kept()):
            raise UsageError(f"there is no previous store in {self.stores.root} to go back to")
        try:
            self.live.check()
        except RunError as error:
            self.report.log.say(said(error), "warning")
        self.report.export = kept[0].export
        self.swap(kept[0], self.compare_previous)

    def make_export(self) -> Path:
        """A new export. A signal that came when it was published stops the run now."""
        with (
            self.report.step("export", "Exporting the source"),
            interruptible() as pending,
            worker_pool(self.settings.workers) as pool,
            PlainLines(self.report.log.say) as watcher,
        ):
            directory = export(self.settings, pool, watcher, render=report).directory
        if pending:
            raise Interrupted(
                f"stopped by {pending[0]}; the export {directory.name} stands, the live graph is as it was"
            )
        return directory.resolve()

    def guard(self, directory: Path, name: str) -> None:
        """Compares the export, by which name ever, with the one behind the live store; before the first rebuild, with
        the one before it."""
        current = self.stores.current()
        before = current.manifest if current else None
        if not before:
            earlier = [run.manifest for run in exports(directory.parent) if run.directory.name < directory.name]
            before = next((manifest for manifest in reversed(earlier) if manifest), None)
        if not before:
            self.report.log.say("There is no earlier export to compare this one with")
            return
        with self.report.step("guard", "Comparing the export with the one behind the live graph"):
            check_changes(
                before,
                read_manifest(directory),
                name=name,
                max_drop=self.options.max_drop,
                max_rejects_rise=self.options.max_rejects_rise,
            )

    def swap(self, new: Store, smoke_test: Callable[[Store], None]) -> None:
        """Exchanges the live store for another; on any failure, the old one comes back."""
        swap, began = self.stores.begin(new), time.monotonic()
        try:
            with self.report.step("stop", "Stopping the live Neo4j"):
                self.live.stop(self.logs / "stop.log")
            with self.report.step("renames", "Exchanging the stores"), self.live.held():
                self.stores.exchange(swap)
                disable_interrupts()  # from here on it is sooner done than undone
            with self.report.step("start", "Starting the live Neo4j on the new store"):
                self.live.start(self.logs / "start.log")
                self.report.downtime = time.monotonic() - began
            with self.report.step("smoke_test", "Comparing the live graph with the manifest"):
                smoke_test(new)
                self.stores.commit(swap)
        except BaseException as error:
            disable_interrupts()
            self.report.log.say(f"THE SWAP FAILED ({said(error)}): putting the old store back", "error")
            failed_step = self.report.step_name
            with self.report.step("put_back", "Putting the old store back and starting Neo4j"):
                self.put_back(swap)
            self.report.downtime, self.report.step_name = time.monotonic() - began, failed_step
            self.stores.clean()
            if isinstance(error, Interrupted) or not isinstance(error, ExporterError | OSError):
                raise
            raise SwapError(f"the swap failed: {said(error)}; {self.stores.current()} is back, and answers") from None
        self.stores.end()
        self.report.log.say(f"Live is {self.stores.current()}; no graph answered for {self.report.downtime:.1f} s")

    def put_back(self, swap: Swap) -> None:
        """Undoes what was done of a swap, and starts Neo4j. Raises `DownError` where it does not answer afterwards."""
        disable_interrupts()
        try:
            if self.stores.moved(swap):
                self.live.stop(self.logs / "stop-again.log")
                with self.live.held():
                    self.stores.undo(swap)
            else:
                self.live.settle()
            self.live.start(self.logs / "start-again.log")
        except (ExporterError, OSError) as error:
            raise DownError(
                f"THE LIVE GRAPH DOES NOT ANSWER: the old store could not be put back and started ({said(error)}). "
                "Correct that, then run: exporter rebuild --repair"
            ) from None
        self.stores.end()

    def smoke_test(self, new: Store) -> None:
        """Raises `RunError` where the live graph is not what the manifest says."""
        if found := self.differences(new):
            raise RunError("the live graph differs from the manifest: " + "; ".join(found[:3]))

    def compare_previous(self, previous: Store) -> None:
        """It may have been written to while it was live: a difference is said, and is no reason to go forward again."""
        if previous.manifest and (found := self.differences(previous)):
            self.report.log.say("the graph is not all that its export was: " + "; ".join(found[:3]), "warning")

    def differences(self, store: Store) -> list[str]:
        live = self.live
        return verify_bolt(store.directory, live.bolt, user=live.user, password=live.password, database=live.database)

    def prune_stores(self) -> None:
        """Removes old stores. That it cannot be done is said, and no more: the graph is the new one."""
        try:
            self.report.removed += self.stores.prune(self.options.keep)
        except OSError as error:
            self.report.log.say(f"old stores were not removed: {said(error)}", "warning")

    def prune_exports(self) -> None:
        """Removes old exports, but none that a store was made of. That it cannot be done is said, too."""
        needed = [each.export for each in self.stores.all() if each.export]
        try:
            removed = prune(self.settings.output, self.options.keep, needed)
        except (ExporterError, OSError) as error:
            self.report.log.say(f"old exports were not removed: {said(error)}", "warning")
        else:
            self.report.removed += [each.name for each in removed]


def said(error: BaseException) -> str:
    """What an error says, in one line; of one that is not ours, its kind alone."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return " ".join(str(error).split()) if isinstance(error, ExporterError) else type(error).__name__

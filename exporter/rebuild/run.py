"""One rebuild, rollback or repair from start to finish."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import DifferenceError, ExporterError, Interrupted, RunError, UsageError
from exporter.progress.log import PlainLines
from exporter.published.history import find_directory
from exporter.rebuild.guard import check_export, guard
from exporter.rebuild.installation import find_live
from exporter.rebuild.live import Live
from exporter.rebuild.report import Action, RebuildReport, counts, one_line
from exporter.rebuild.retention import prune_exports, prune_stores
from exporter.rebuild.stage import STAGE, build_store, clear, empty_stage
from exporter.rebuild.status import describe
from exporter.rebuild.store import Store
from exporter.rebuild.stores import Stores, open_stores
from exporter.rebuild.swap import Swapper
from exporter.settings import RebuildSettings, Settings
from exporter.sink.manifest import read_manifest
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
    try:
        live = find_live(options)
        with open_stores(live.data, live.store) as stores:
            rebuild = Rebuild(settings, options, report, live, stores)
            try:
                rebuild.repair()
                if report.action is Action.ROLLBACK:
                    rebuild.rollback()
                elif report.action is Action.REBUILD:
                    rebuild.rebuild(export, accept=accept, accept_copy=accept_copy)
            finally:
                with suppress(OSError):  # whatever it says, it is not what became of the graph
                    report.live, report.previous = stores.current(), next(iter(stores.kept()), None)
    except OSError as error:
        raise RunError(f"{error.filename or options.neo4j_home}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A run, and what it works on."""

    settings: Settings
    options: RebuildSettings
    report: RebuildReport
    live: Live
    stores: Stores

    @property
    def swapper(self) -> Swapper:
        """What swaps its stores."""
        return Swapper(self.live, self.stores, self.report, self.settings.output)

    def repair(self) -> None:
        """Cleans up what a dead run left; if it died during a swap, puts the old store back, or ends the swap if the
        new one was verified, and starts Neo4j. Raises `DownError` if Neo4j then does not answer."""
        cleared = clear(self.stores.root / STAGE, logs=False)
        swapped = self.swapper.repair()
        self.report.repaired = self.stores.clean() or cleared or swapped
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
            self.swapper.swap(new, self.smoke_test)
        except Interrupted:
            raise
        except (ExporterError, OSError):
            with suppress(OSError):  # left to the next run
                if not self.stores.under_way():
                    self.stores.clean()
            if self.report.export and not name:
                self.prune_exports()  # otherwise every failed night would leave one more
            raise
        with self.report.step("retention", f"Keeping {self.options.keep} stores and exports"):
            prune_stores(self.stores, self.options.keep, self.report)
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
        self.swapper.swap(previous, self.compare_previous)

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

    def prune_exports(self) -> None:
        """Removes old exports."""
        prune_exports(self.stores, self.settings.output, self.options.keep, self.report)

"""The way from a source to a running graph, for demo, local and rebuild.

`run_export` and `complete_graph` are the steps that all of them share; `Steps` numbers, shows and times them for demo
and local.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from exporter.errors import Interrupted
from exporter.interrupts import interruptible
from exporter.pipeline.profile import totals_line
from exporter.pipeline.run import ExportResult, export
from exporter.pipeline.timing import ProgressListener, timed
from exporter.pipeline.workers import workers_of
from exporter.progress.live import progress_display
from exporter.progress.log import log_dated, log_stderr, stderr_console
from exporter.progress.status import status
from exporter.published.uniqueness import uniqueness_warnings
from exporter.published.verify import require_whole
from exporter.report.report import report
from exporter.settings import Settings
from exporter.sink.layout import SCHEMA
from exporter.store.configuration import OPEN, SMALLEST_HEAP, Access, configure, environment
from exporter.store.importer import import_export, now_and_then
from exporter.store.provision import Neo4jHome
from exporter.store.schema import await_indexes, create_schema
from exporter.store.server import Server, serve
from exporter.store.verify import check_graph


class Show(Protocol):
    """Prints for the user, like rich's `Console.print`."""

    def __call__(self, content: RenderableType, /, *, soft_wrap: bool = False) -> None: ...


# Shows and times a step, given its short name and its title, for as long as the step lasts.
Step = Callable[[str, str], AbstractContextManager[object]]


def warn(text: str) -> None:
    """Prints a warning on stderr."""
    log_stderr(f"exporter: warning: {text}")


def run_export(
    settings: Settings,
    display: AbstractContextManager[ProgressListener],
    *,
    consequence: str,
    on_warning: Callable[[str], None] = warn,
    move_latest: bool = True,
) -> ExportResult:
    """Exports the source as the first part of a job; `display` shows the progress, `on_warning` gets a sentence for
    each index that the graph will not have, and for people who are rare. `latest` moves if `move_latest` is set.

    Raises as the export does, and `Interrupted`, with the `consequence` for the job, for a signal that came too late
    to stop the export.
    """
    with interruptible("nothing was published") as pending, workers_of(settings) as pool, display as listener:
        result = export(settings, pool, listener, render=report, move_latest=move_latest)
    if pending:
        raise Interrupted(f"stopped by {pending[0]}; the export {result.directory.name} is complete, {consequence}")
    if result.note:
        on_warning(result.note)
    for skipped in result.manifest.skipped_indexes:
        on_warning(str(skipped))
    for sentence in uniqueness_warnings(result.manifest):
        on_warning(sentence)
    return result


def complete_graph(export: Path, server: Server, step: Step, *, database: str = "neo4j") -> None:
    """Creates the schema of a graph that was imported from an export, and compares it with the manifest: two steps,
    `schema` and `verify`. The graph is compared while the server populates the indexes.

    Raises `RunError` if Neo4j refuses a statement or does not answer, or an index does not come online,
    `DifferenceError` if a count differs.
    """
    login = server.access.login
    with step("schema", "Creating constraints and indexes"):
        create_schema(server.bolt_uri, (export / SCHEMA).read_text(encoding="utf-8"), login)
    with step("verify", "Comparing the graph with the manifest"):
        user, password = login or (None, None)
        check_graph(export, server.bolt_uri, user=user, password=password, database=database)
        await_indexes(server.bolt_uri, login)


@dataclass(slots=True)
class Steps:
    """The steps of a job that a user watches: shows their titles and results, and records the seconds of each."""

    show: Show
    seconds: dict[str, float] = field(default_factory=dict)

    def show_line(self, text: str) -> None:
        """Shows a line unchanged."""
        self.show(Text(text), soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Shows a numbered title, and records the seconds of the block."""
        title = f"{len(self.seconds) + 1} · {title}"
        self.show(Text(f"\n{title}", "bold"))
        with timed(self.seconds, title):
            yield

    def export(self, settings: Settings) -> ExportResult:
        """Exports the source."""
        with self.step("Export in one snapshot"):
            result = run_export(settings, progress_display(), consequence="and nothing was imported")
        self.show_line(totals_line(result.manifest.totals, result.profile))
        return result

    def check_files(self, export: Path) -> None:
        """Raises `DifferenceError` if the files of an export differ from its manifest."""
        with self.step("Compare the export with its manifest"):
            with status("Comparing") as on_progress:
                require_whole(export, on_progress)
            self.show_line("all files match the manifest")

    def import_export(self, export: Path, home: Neo4jHome, directory: Path) -> None:
        """Imports an export into its own store in `directory`; how far it is, is shown in place on a terminal, else
        in a dated line now and then."""
        with self.step(f"Import into Neo4j {home.version}"):
            variables, console = environment(home, configure(directory)), stderr_console()
            if not console.is_terminal:
                import_export(export, variables, self.show_import_line, on_progress=now_and_then(log_dated))
                return
            with Live(console=console, transient=True, redirect_stdout=False) as live:
                import_export(
                    export,
                    variables,
                    lambda line: self.show_import_line(line, live),
                    on_progress=lambda text: live.update(Text(text)),
                )

    def show_import_line(self, line: str, live: Live | None = None) -> None:
        """Shows the result of an import, for which the view of its progress ends; other lines go to stderr, in place
        of the progress shown, which they end."""
        if not line.startswith("Imported "):
            if live:
                live.update(Text())
            log_stderr(line)
            return
        if live:
            live.stop()
        self.show_line(line)

    @contextmanager
    def serve(
        self, home: Neo4jHome, directory: Path, access: Access = OPEN, *, heap: int = SMALLEST_HEAP
    ) -> Iterator[Server]:
        """A server on the store in `directory` for as long as the block runs; its start is a step."""
        with ExitStack() as stack:
            with self.step("Start Neo4j"):
                with status("Waiting for it to answer"):
                    server = stack.enter_context(serve(home, directory, access, heap=heap))
                self.show_line(f"Neo4j answers at {server.bolt_uri}")
            yield server

    def complete(self, export: Path, server: Server) -> None:
        """Schema and verification; raises `DifferenceError` if the graph differs from the manifest."""
        with self.step("Constraints, indexes, verification"):
            complete_graph(export, server, lambda _, title: status(title))
            self.show_line("all counts match the manifest")

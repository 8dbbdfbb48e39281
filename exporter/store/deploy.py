"""The steps from a source to a graph that answers, as the demo and `exporter local` take them: shown and timed."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path

from rich.console import Console

from exporter.errors import Interrupted, LimitError, RunError, UsageError
from exporter.interrupts import interruptible
from exporter.pipeline.pool import worker_pool
from exporter.pipeline.profile import totals_line
from exporter.pipeline.run import ExportResult, export
from exporter.progress.live import progress_display
from exporter.progress.status import status
from exporter.published.verify import verify_files
from exporter.report.report import report
from exporter.settings import Settings
from exporter.sink.layout import IMPORT_SCRIPT, SCHEMA
from exporter.store.provision import Neo4jHome
from exporter.store.server import OPEN, SMALLEST_HEAP, Access, Server, apply_schema, configure, environment, serve
from exporter.store.verify import verify_bolt


@dataclass(slots=True)
class Steps:
    """The steps of a job: their titles on screen, and the seconds each took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        title = f"{len(self.seconds) + 1} · {title}"
        self.console.print(f"\n[bold]{title}[/bold]")
        started = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - started

    def export(self, settings: Settings) -> ExportResult:
        """Exports the source. A signal that came when nothing could stop the export any more stops the job then."""
        with (
            self.step("Export in one snapshot"),
            interruptible() as pending,
            worker_pool(settings.workers) as pool,
            progress_display() as listener,
        ):
            outcome = export(settings, pool, listener, render=report)
        if pending:
            raise Interrupted(f"stopped by {pending[0]}; the export was whole by then")
        self.console.print(totals_line(outcome.manifest.totals, outcome.profile))
        return outcome

    def check_files(self, export: Path) -> None:
        """Raises `LimitError` where an export differs from its manifest."""
        with self.step("Compare the export with its manifest"):
            with status("Comparing") as on_progress:
                found = verify_files(export, on_progress)
            refuse(f"{export} differs from its manifest", found)
            self.console.print("every file is as the manifest says")

    def load(self, export: Path, home: Neo4jHome, place: Path) -> None:
        """Imports an export into a store of its own in `place`."""
        with self.step(f"Import into Neo4j {home.version}"):
            import_export(export, environment(home, configure(place)), self.console)

    @contextmanager
    def serve(
        self, home: Neo4jHome, place: Path, access: Access = OPEN, *, heap: int = SMALLEST_HEAP
    ) -> Iterator[Server]:
        """A server on the store in `place` for as long as the block runs; its start is a step."""
        with ExitStack() as stack:
            with self.step("Start Neo4j"):
                with status("Waiting until it answers"):
                    server = stack.enter_context(serve(home, place, access, heap=heap))
                self.console.print(f"it answers at {server.bolt_uri}")
            yield server

    def complete(self, export: Path, server: Server) -> None:
        """Makes the schema and compares the graph with the manifest; raises `LimitError` where they differ."""
        with self.step("Constraints, indexes, verification"):
            with status("Making constraints and indexes"):
                apply_schema(server.bolt_uri, (export / SCHEMA).read_text(encoding="utf-8"), server.access.login)
            user, password = server.access.login or (None, None)
            with status("Comparing the graph with the manifest"):
                found = verify_bolt(export, server.bolt_uri, user=user, password=password)
            refuse("the graph differs from the manifest", found)
            self.console.print("every count is as the manifest says")


def refuse(what: str, differences: list[str]) -> None:
    """Raises `LimitError` when there are differences."""
    if differences:
        raise LimitError(f"{what}: " + "; ".join(differences))


def import_export(export: Path, environment: dict[str, str], console: Console) -> None:
    """Runs import.sh on an export: the script of this program, since an export may come from anywhere.

    Raises what its exit code means; an interrupt ends its whole process group.
    """
    with as_file(files("exporter.sink").joinpath(IMPORT_SCRIPT)) as script:
        command = ["bash", str(script), "--overwrite", "--no-advice", str(export)]
        process = subprocess.Popen(command, env=environment, stdout=console.file)
        try:
            code = process.wait()
        except BaseException:
            process.terminate()  # import.sh takes neo4j-admin with it, which a kill would leave behind
            process.wait()
            raise
    if code == Interrupted.exit_code:
        raise Interrupted("stopped while importing")
    if code:
        kind = {LimitError.exit_code: LimitError, UsageError.exit_code: UsageError}.get(code, RunError)
        raise kind(f"import.sh ended with exit code {code}; what it said stands above")

"""The whole job on a sample: source, export, import, server, schema, verification, the five sample queries."""

import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import neo4j
import psycopg
from rich.console import Console

from exporter.demo.answers import answer_from_graph, answer_from_source, differences, parameters
from exporter.demo.postgres import create_database, embedded_postgres
from exporter.demo.queries import QUERIES, Query
from exporter.demo.sample import fill_sample
from exporter.demo.screen import answer_table, dirt_table, summary_table
from exporter.errors import Interrupted, LimitError, RunError
from exporter.run import Outcome, export
from exporter.screen import totals_line
from exporter.settings import Settings
from exporter.signals import stopped_by_signals
from exporter.store.home import Neo4jHome, default_cache, provision
from exporter.store.server import Server, apply_schema, configure, environment, serve
from exporter.target.bolt import verify_bolt
from exporter.target.layout import IMPORT_SCRIPT, SCHEMA
from exporter.target.verification import verify_files
from exporter.view import watcher


@dataclass(slots=True)
class Steps:
    """The demo's steps: their titles on screen, and the seconds each took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.console.print(f"\n[bold]{title}[/bold]")
        started = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - started

    @contextmanager
    def start_server(self, home: Neo4jHome, place: Path) -> Iterator[Server]:
        """A server on the imported store for as long as the block runs; its start is a step."""
        with ExitStack() as stack:
            with self.step("4 · Start Neo4j"):
                server = stack.enter_context(serve(home, place))
                self.console.print(f"it answers at {server.bolt_uri}")
            yield server


def run_demo(*, scale: float, keep: bool, output: Path, cache: Path | None, console: Console) -> None:
    """Performs the demo and shows it on `console`; everything it started is stopped in the end, but what is kept.

    `output` gets the export. Raises an `ExporterError` when a step fails, `LimitError` when counts or answers differ.
    """
    steps = Steps(console)
    home = provision(cache or default_cache(), console.print)
    place = Path(tempfile.mkdtemp(prefix="exporter-demo-"))
    kept = False
    try:
        with embedded_postgres() as uri:
            with steps.step("1 · A sample source"):
                source = create_database(uri, "astrokiran")
                console.print(dirt_table(fill_sample(source, scale=scale)))
            settings = Settings(source=source, output=output)
            with (
                steps.step("2 · Export in one snapshot"),
                stopped_by_signals() as late,
                watcher(settings.workers) as view,
            ):
                outcome = export(settings, view)
            if late:
                raise Interrupted(f"stopped by {late[0]}; the export {outcome.directory} stands")
            console.print(totals_line(outcome.manifest["totals"], outcome.profile))
            with steps.step(f"3 · Import into Neo4j {home.version}"):
                import_export(outcome.directory, environment(home, configure(place)))
            with steps.start_server(home, place) as server:
                with steps.step("5 · Constraints, indexes, verification"):
                    apply_schema(server.bolt_uri, (outcome.directory / SCHEMA).read_text(encoding="utf-8"))
                    verify(outcome.directory, server.bolt_uri)
                    console.print("every count is as the manifest says")
                with steps.step("6 · The five sample queries"):
                    answer_queries(console, source, server.bolt_uri)
                server.keep = kept = keep
        summarize(console, outcome, steps.seconds)
        if keep:
            console.print(f"\nNeo4j answers at {server.bolt_uri} (no password). Stop it with: {server.stop_command}")
            console.print(f"Its store is in {place}; remove that directory afterwards.")
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


def import_export(directory: Path, environment: Mapping[str, str]) -> None:
    """Runs the export's own import.sh. Raises `RunError` when it fails; an interrupt ends its whole process group."""
    process = subprocess.Popen(["bash", str(directory / IMPORT_SCRIPT), "--overwrite"], env=dict(environment))
    try:
        code = process.wait()
    except BaseException:
        process.terminate()  # import.sh takes neo4j-admin with it, which a kill would leave behind
        process.wait()
        raise
    if code == Interrupted.exit_code:
        raise Interrupted("stopped while importing")
    if code:
        raise RunError(f"import.sh ended with exit code {code}; what it said stands above")


def verify(directory: Path, bolt_uri: str) -> None:
    """Raises `LimitError` where the files or the running graph differ from the manifest."""
    found = verify_files(directory) or verify_bolt(directory, bolt_uri, user=None, password=None, database="neo4j")
    if found:
        raise LimitError("the graph differs from the manifest: " + "; ".join(found))


def answer_queries(console: Console, source: str, bolt_uri: str) -> None:
    """Answers the sample queries and shows them. Raises `LimitError` where the source, asked in SQL, says otherwise."""
    with psycopg.connect(source) as connection, neo4j.GraphDatabase.driver(bolt_uri) as driver:
        values = parameters(connection)
        for query in QUERIES:
            answer = answer_from_graph(driver, query, values)
            console.print(answer_table(titled(query, values), answer))
            if found := differences(query, answer_from_source(connection, query, values), answer):
                raise LimitError(f"{query.name}: the graph answers otherwise than the source ({len(found)} rows)")


def titled(query: Query, values: Mapping[str, str | int]) -> str:
    """A query's name with the parameters it is asked with."""
    asked = ", ".join(f"${name} = {values[name]!r}" for name in query.parameters)
    return query.name + (f" ({asked})" if asked else "")


def summarize(console: Console, outcome: Outcome, seconds: Mapping[str, float]) -> None:
    """What came of it, where the export lies, what to type next."""
    console.print("\n[bold]Summary[/bold]", summary_table(outcome, seconds), sep="\n")
    directory = shlex.quote(str(outcome.directory))
    console.print(f"\nThe export lies in {directory}; its report.html opens in any browser", soft_wrap=True)
    console.print("Next, with a source and a Neo4j of your own:")
    console.print("  exporter check --source postgresql://USER@HOST/DATABASE", soft_wrap=True)
    console.print("  exporter export --source postgresql://USER@HOST/DATABASE", soft_wrap=True)
    console.print(f"  NEO4J_HOME=… scripts/import.sh {directory}", soft_wrap=True)

"""Everything on a sample: source, export, import, server, schema, verification, the five sample queries."""

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import neo4j
import psycopg
from rich.text import Text

from exporter.demo.tables import answer_table, sample_text, summary_table
from exporter.errors import DifferenceError, Interrupted, Stop
from exporter.invocation import command
from exporter.model.sample_queries import QUERIES, Query
from exporter.pipeline.run import ExportResult
from exporter.sample.answers import answer_from_graph, answer_from_source, differences, parameters
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.settings import Settings
from exporter.store.configuration import OPEN, Access
from exporter.store.deploy import Show, Steps
from exporter.store.provision import has_browser, provision
from exporter.store.server import Server

# Not the name of a real source: exports are compared by it.
DATABASE = "sample"
# Exact: the sample is filled, vacuumed and analyzed.
ROWS = """
SELECT sum(reltuples)::bigint FROM pg_class
WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
"""


def run_demo(*, scale: float, keep: bool, output: Path, cache: Path | None, show: Show) -> dict[str, Any]:
    """Runs the demo and shows it; everything it started is stopped at the end, except what is kept. Returns what
    `--json` prints.

    `output` gets the export. Raises an `ExporterError` if a step fails, `DifferenceError` if counts or answers differ.
    """
    steps = Steps(show)
    home = provision(cache, steps.show_line)
    store = Path(tempfile.mkdtemp(prefix="exporter-demo-"))
    kept = None
    try:
        with embedded_postgres() as uri:
            source = create_sample(uri, scale, steps)
            result = steps.export(Settings(source=source, source_name="sample", output=output))
            with interrupts_leave(result.directory):
                steps.import_export(result.directory, home, store)
                with steps.serve(home, store, Access(http_port=0) if keep and has_browser(home) else OPEN) as server:
                    steps.complete(result.directory, server)
                    with steps.step("The five sample queries"):
                        answer_queries(source, server.bolt_uri, show)
                    server.keep, kept = keep, server if keep else None
        summarize(result, steps)
        steps.show_line(advice(result.directory, has_browser(home)))
        if kept:
            steps.show_line(kept_server(kept, store))
        return {
            "export": str(result.directory),
            "totals": asdict(result.manifest.totals),
            "seconds": steps.seconds,
            "bolt": kept.bolt_uri if kept else None,
        }
    finally:
        if not kept:
            shutil.rmtree(store, ignore_errors=True)


def create_sample(uri: str, scale: float, steps: Steps) -> str:
    """Creates the sample on the server of `uri` and shows what is in it; returns the URI of its database."""
    with steps.step("A sample source"):
        source = create_database(uri, DATABASE)
        anomalies = fill_sample(source, scale=scale)
        with psycopg.connect(source) as connection:
            [(rows,)] = connection.execute(ROWS)
        steps.show_line(sample_text(rows, anomalies))
    return source


@contextmanager
def interrupts_leave(export: Path) -> Iterator[None]:
    """Completes the message of an interrupt in the block: the export is there by then, and stays."""
    try:
        yield
    except (Interrupted, Stop) as error:
        raise Interrupted(f"{error}; the export {export} stands, and what the demo started is stopped") from None


def answer_queries(source: str, bolt_uri: str, show: Show) -> None:
    """Answers the sample queries and shows them. Raises `DifferenceError` if SQL on the source gives a different
    answer."""
    with psycopg.connect(source) as connection, neo4j.GraphDatabase.driver(bolt_uri) as driver:
        values = parameters(connection)
        for query in QUERIES:
            answer = answer_from_graph(driver, query, values)
            show(answer_table(query_title(query, values), answer))
            if found := differences(query, answer_from_source(connection, query, values), answer):
                raise DifferenceError(f"{query.name}: graph and source give different answers ({len(found)} rows)")


def query_title(query: Query, values: Mapping[str, str | int]) -> str:
    """A query's name with the values of its parameters."""
    arguments = ", ".join(f"${name} = {values[name]!r}" for name in query.parameters)
    return query.name + (f" ({arguments})" if arguments else "")


def summarize(result: ExportResult, steps: Steps) -> None:
    """Shows the results."""
    steps.show(Text("\nSummary", "bold"))
    steps.show(summary_table(result, steps.seconds))


def advice(export: Path, browser: bool) -> str:
    """Where the export is, and what to type next."""
    return (
        f"\nThe export is {export}; open its report.html in a browser.\n"
        "Next, with EXPORTER_SOURCE=postgresql://USER@HOST/DATABASE of your own:\n"
        f"  {command()} check\n"
        f"  {command()} export\n"
        f"Keep the demo's graph, to ask it anything{', in Neo4j Browser too' if browser else ''}:\n"
        f"  {command()} local --from {shlex.quote(str(export))}"
    )


def kept_server(server: Server, store: Path) -> str:
    """Where the server that was kept is, and how to stop it."""
    port = server.access.http_port
    browser = f"Neo4j Browser: http://127.0.0.1:{port}/browser/ (choose No authentication)\n" if port else ""
    return (
        f"\nNeo4j answers at {server.bolt_uri}, without a password, until you stop it.\n{browser}"
        "Stop it, then remove its store:\n"
        f"  {server.stop_command}\n"
        f"  rm -r {shlex.quote(str(store))}"
    )

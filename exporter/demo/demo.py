"""Everything on a sample: source, export, import, server, schema, verification, the five sample queries."""

import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import neo4j
import psycopg
from rich.text import Text

from exporter.demo.tables import anomalies_table, answer_table, summary_table
from exporter.errors import DifferenceError
from exporter.model.sample_queries import QUERIES, Query
from exporter.pipeline.run import ExportResult
from exporter.sample.answers import answer_from_graph, answer_from_source, differences, parameters
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.settings import Settings
from exporter.store.deploy import Show, Steps
from exporter.store.provision import provision


def run_demo(*, scale: float, keep: bool, output: Path, cache: Path | None, show: Show) -> None:
    """Runs the demo and shows it; everything it started is stopped at the end, except what is kept.

    `output` gets the export. Raises an `ExporterError` if a step fails, `DifferenceError` if counts or answers differ.
    """
    steps = Steps(show)
    home = provision(cache, steps.show_line)
    store = Path(tempfile.mkdtemp(prefix="exporter-demo-"))
    kept = False
    try:
        with embedded_postgres() as uri:
            with steps.step("A sample source"):
                source = create_database(uri, "astrokiran")
                show(anomalies_table(fill_sample(source, scale=scale)))
            result = steps.export(Settings(source=source, output=output))
            steps.import_export(result.directory, home, store)
            with steps.serve(home, store) as server:
                steps.complete(result.directory, server)
                with steps.step("The five sample queries"):
                    answer_queries(source, server.bolt_uri, show)
                server.keep = kept = keep
        summarize(result, steps)
        if keep:
            steps.show_line(
                f"\nNeo4j answers at {server.bolt_uri} (no password). Stop it with: {server.stop_command}\n"
                f"Its store is in {store}; remove that directory afterwards."
            )
    finally:
        if not kept:
            shutil.rmtree(store, ignore_errors=True)


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
    """Shows the results, where the export is, and what to type next."""
    steps.show(Text("\nSummary", "bold"))
    steps.show(summary_table(result, steps.seconds))
    directory = shlex.quote(str(result.directory))
    steps.show_line(
        f"\nThe export is in {directory}; its report.html opens in any browser\n"
        "Next, with a source and a Neo4j of your own:\n"
        "  exporter check --source postgresql://USER@HOST/DATABASE\n"
        "  exporter export --source postgresql://USER@HOST/DATABASE\n"
        f"  NEO4J_HOME=… scripts/import.sh {directory}"
    )

"""The whole job on a sample: source, export, import, server, schema, verification, the five sample queries."""

import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import neo4j
import psycopg
from rich.console import Console

from exporter.demo.tables import anomalies_table, answer_table, summary_table
from exporter.errors import LimitError
from exporter.model.sample_queries import QUERIES, Query
from exporter.pipeline.run import ExportResult
from exporter.sample.answers import answer_from_graph, answer_from_source, differences, parameters
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.settings import Settings
from exporter.store.deploy import Steps
from exporter.store.provision import default_cache, provision


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
            with steps.step("A sample source"):
                source = create_database(uri, "astrokiran")
                console.print(anomalies_table(fill_sample(source, scale=scale)))
            outcome = steps.export(Settings(source=source, output=output))
            steps.load(outcome.directory, home, place)
            with steps.serve(home, place) as server:
                steps.complete(outcome.directory, server)
                with steps.step("The five sample queries"):
                    answer_queries(console, source, server.bolt_uri)
                server.keep = kept = keep
        summarize(console, outcome, steps.seconds)
        if keep:
            console.print(f"\nNeo4j answers at {server.bolt_uri} (no password). Stop it with: {server.stop_command}")
            console.print(f"Its store is in {place}; remove that directory afterwards.")
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


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


def summarize(console: Console, outcome: ExportResult, seconds: Mapping[str, float]) -> None:
    """What came of it, where the export lies, what to type next."""
    console.print("\n[bold]Summary[/bold]", summary_table(outcome, seconds), sep="\n")
    directory = shlex.quote(str(outcome.directory))
    console.print(f"\nThe export lies in {directory}; its report.html opens in any browser", soft_wrap=True)
    console.print("Next, with a source and a Neo4j of your own:")
    console.print("  exporter check --source postgresql://USER@HOST/DATABASE", soft_wrap=True)
    console.print("  exporter export --source postgresql://USER@HOST/DATABASE", soft_wrap=True)
    console.print(f"  NEO4J_HOME=… scripts/import.sh {directory}", soft_wrap=True)

"""`benchmarks/rebuild.sh`: from the source to a verified graph, beside a bare import of the same files; one table.

Ours is export, import.sh, start, indexes and, while those are populated, verification; bare is neo4j-admin with default
options, start and indexes.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.contenders import PEERS
from benchmarks.database import Database, load, tuned_postgres
from benchmarks.meter import measure
from benchmarks.results import machine, save, versions
from benchmarks.run import add_source_arguments
from exporter.sink.layout import IMPORT_SCRIPT, SCHEMA
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome, default_cache, provision
from exporter.store.schema import apply_schema, await_indexes, create_schema
from exporter.store.server import serve

STAGES = ("export", "import", "start", "indexes", "verify")


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One way to a running graph at one scale: seconds of each stage and in all, a value for each round."""

    contender: str
    scale: float
    date: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    stages: dict[str, list[float]]
    wall: list[float]


class Stages:
    """Seconds by stage of one rebuild, each taken as it passes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - started

    def run(self, name: str, command: list[str], variables: dict[str, str] | None = None) -> str:
        """Runs a stage that is a program of its own; gives what it printed."""
        measured = measure(command, self.directory / "nothing", self.directory / f"{name}.log", environment=variables)
        self.seconds[name] = measured.wall
        return measured.stdout


def ours(database: Database, home: Neo4jHome, directory: Path) -> tuple[dict[str, float], Path]:
    """The nightly job as the exporter does it; its seconds and the export's directory."""
    stages, variables = Stages(directory), environment(home, configure(directory))
    command = ["exporter", "export", "--source", database.uri, "--output", str(directory / "output")]
    export = Path(stages.run("export", command).strip().rsplit("\n", 1)[-1])
    stages.run("import", ["bash", str(export / IMPORT_SCRIPT), str(export)], variables)
    with serve_with(create_schema, stages, home, export) as bolt:
        began = time.monotonic()
        stages.run("verify", ["exporter", "verify", str(export), "--bolt", bolt])
        await_indexes(bolt)
        stages.seconds["verify"] = time.monotonic() - began
    return stages.seconds, export


def bare(export: Path, home: Neo4jHome, directory: Path) -> dict[str, float]:
    """A bare import of an export's files; its seconds."""
    stages, variables = Stages(directory), environment(home, configure(directory))
    stages.run("import", ["bash", str(PEERS / "bare_import.sh"), str(export)], variables)
    with serve_with(apply_schema, stages, home, export):
        return stages.seconds


@contextlib.contextmanager
def serve_with(make_schema: Callable[[str, str], None], stages: Stages, home: Neo4jHome, export: Path) -> Iterator[str]:
    """Starts the server on the imported store and makes the constraints and indexes; gives its address."""
    with contextlib.ExitStack() as stack:
        with stages.stage("start"):
            server = stack.enter_context(serve(home, stages.directory))
        with stages.stage("indexes"):
            make_schema(server.bolt_uri, (export / SCHEMA).read_text(encoding="utf-8"))
        yield server.bolt_uri


def rounds(database: Database, home: Neo4jHome, directory: Path, count: int) -> dict[str, list[dict[str, float]]]:
    """The rounds' seconds by contender, after one that warms the caches; who goes first alternates."""
    seconds: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    warm, export = ours(database, home, fresh(directory / "warm"))
    print(f"warmed up in {sum(warm.values()):.0f} s", file=sys.stderr)
    for number in range(count):
        for name in ("bare", "ours") if number % 2 == 0 else ("ours", "bare"):
            own_directory = fresh(directory / name)
            os.sync()
            seconds[name].append(
                bare(export, home, own_directory) if name == "bare" else ours(database, home, own_directory)[0]
            )
            print(f"round {number + 1}: {name} {sum(seconds[name][-1].values()):.1f} s", file=sys.stderr)
            shutil.rmtree(own_directory)
    return seconds


def fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


def table(results: list[Rebuild]) -> str:
    """The medians by stage as a Markdown table; the ratio is of the totals, to the bare import's."""
    first = statistics.median(results[0].wall)
    lines = [
        f"{results[0].scale:g} million rows, {len(results[0].wall)} rounds, Neo4j {results[0].versions['Neo4j']}",
        "",
        "| seconds | " + " | ".join((*STAGES, "total", "ratio")) + " |",
        "|---|" + "---:|" * (len(STAGES) + 2),
    ]
    for result in results:
        medians = [f"{statistics.median(result.stages[name]):.1f}" if name in result.stages else "" for name in STAGES]
        total = statistics.median(result.wall)
        lines.append(f"| {result.contender} | {' | '.join(medians)} | {total:.1f} | {total / first:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/rebuild.sh", description=__doc__)
    add_source_arguments(parser)
    options = parser.parse_args()
    home = provision(default_cache(), lambda sentence: print(sentence, file=sys.stderr))
    options.data.mkdir(parents=True, exist_ok=True)
    source = contextlib.nullcontext(options.server) if options.server else tuned_postgres(options.data / "postgres")
    with source as uri, tempfile.TemporaryDirectory(dir=options.data) as directory:
        database = load(uri, options.scale)
        seconds = rounds(database, home, Path(directory), options.rounds)
    results = [
        Rebuild(
            contender=name,
            scale=options.scale,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine(),
            versions=versions(PostgreSQL=database.version, Neo4j=home.version),
            stages={stage: [round(run[stage], 3) for run in runs] for stage in STAGES if stage in runs[0]},
            wall=[round(sum(run.values()), 3) for run in runs],
        )
        for name, runs in seconds.items()
    ]
    save(results, options.results or options.data / "rebuild.jsonl")
    print(table(results))


if __name__ == "__main__":
    main()

"""`benchmarks/run.sh`: loads a source, runs the contenders interleaved, compares what they wrote, prints one table."""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.database import SHAPES, Database, load, psql_directory, tuned_postgres
from benchmarks.digest import Contents, contents
from benchmarks.meter import Measurement, measure
from benchmarks.results import Result, save, table


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """What every benchmark can be told: how much, how often, on which server, and where the results go."""
    parser.add_argument("--scale", type=float, default=1, help="million rows in the source (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each contender (default 5)")
    parser.add_argument("--server", metavar="URI", help="use this PostgreSQL (as a superuser) instead of an own one")
    cache = platformdirs.user_cache_path("astrokiran-graph-exporter") / "benchmark"
    parser.add_argument("--data", type=Path, default=cache, help="where the own PostgreSQL and the outputs lie")
    parser.add_argument("--results", type=Path, help="JSON lines to append to (default: in --data)")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh", description=__doc__)
    add_source_arguments(parser)
    parser.add_argument(
        "--shape", choices=SHAPES, default=SHAPES[0], help="texts of 1 kB, or one table with 90 %% of rows"
    )
    parser.add_argument("--only", default="", metavar="NAME,…", help="of " + ", ".join(c.name for c in CONTENDERS))
    options = parser.parse_args()
    unknown = set(filter(None, options.only.split(","))) - {contender.name for contender in CONTENDERS}
    if unknown:
        parser.error(f"no contender is called {', '.join(sorted(unknown))}")
    return options


def chosen(only: str) -> list[Contender]:
    """The contenders asked for that can run here; says which cannot, and why."""
    wanted = [contender for contender in CONTENDERS if not only or contender.name in only.split(",")]
    for contender in wanted:
        if missing := contender.missing():
            print(f"left out: {contender.name}, because {', '.join(missing)} is not installed", file=sys.stderr)
    return [contender for contender in wanted if not contender.missing()]


def run(
    contender: Contender, database: Database, directory: Path, *, sample_memory: bool = False
) -> tuple[Measurement, Path]:
    """One run into an empty directory; what earlier runs left to be flushed is flushed before."""
    output = directory / contender.name
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    os.sync()
    command, log = contender.command(database.uri, output), directory / f"{contender.name}.log"
    measured = measure(command, output, log, database.postmaster, sample_memory=sample_memory)
    return measured, Path(measured.stdout.strip().rsplit("\n", 1)[-1]) if contender.writes else output


def compare(written: dict[str, dict[str, Contents]]) -> None:
    """Ends the benchmark where two contenders wrote different rows or different reject lines."""
    expected: dict[str, tuple[str, Contents]] = {}
    for name, folders in written.items():
        for folder, found in folders.items():
            first, wanted = expected.setdefault(folder, (name, found))
            if found != wanted:
                raise SystemExit(f"{folder}: {name} has {found}, {first} has {wanted}")
    rows = {folder: found.rows for folder, (_, found) in expected.items() if not folder.startswith("rejects/")}
    lines = sum(found.rows for _, found in expected.values()) - sum(rows.values())
    same = f"the same {sum(rows.values())} rows in {len(rows)} entities, the same {lines} reject lines"
    print(f"{', '.join(written)}: {same}", file=sys.stderr)


def warm_up(contenders: list[Contender], database: Database, directory: Path) -> dict[str, int]:
    """The round that is not timed: it warms all caches, and what it wrote is compared. Gives each one's peak memory:
    sampling it walks page tables, which slows those that have much."""
    written, peaks = {}, {}
    for contender in contenders:
        measured, exported = run(contender, database, directory, sample_memory=True)
        peaks[contender.name] = measured.peak_memory
        if contender.writes:
            written[contender.name] = contents(exported, rejects=not contender.files_only)
        if contender.writes and not contender.files_only:
            subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=exported, check=True)
        shutil.rmtree(directory / contender.name)
    if written:
        compare(written)
    return peaks


def main() -> None:
    options = arguments()
    options.data.mkdir(parents=True, exist_ok=True)
    os.environ["PATH"] = f"{psql_directory()}:{os.environ['PATH']}"
    contenders = chosen(options.only)
    measurements: dict[str, list[Measurement]] = {contender.name: [] for contender in contenders}
    source = contextlib.nullcontext(options.server) if options.server else tuned_postgres(options.data / "postgres")
    with source as uri, tempfile.TemporaryDirectory(dir=options.data) as directory:
        database = load(uri, options.scale, options.shape)
        peaks = warm_up(contenders, database, Path(directory))
        for number in range(options.rounds):
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                measured, _ = run(contender, database, Path(directory))
                measurements[contender.name].append(measured)
                print(f"round {number + 1}: {contender.name} {measured.wall:.2f} s", file=sys.stderr)
                shutil.rmtree(Path(directory) / contender.name)
    shape = "" if options.shape == SHAPES[0] else f" ({options.shape})"
    results = [
        Result.of(name + shape, options.scale, database.version, runs, peaks[name])
        for name, runs in measurements.items()
        if runs
    ]
    save(results, options.results or options.data / "results.jsonl")
    print(table(results))


if __name__ == "__main__":
    main()

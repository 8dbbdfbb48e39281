"""`benchmarks/distance.sh`: the same export from a server ever farther away, behind a proxy that delays; one table."""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.database import Database, load, tuned_postgres
from benchmarks.meter import Measurement
from benchmarks.proxy import Proxy, far_away
from benchmarks.results import Result, save, table
from benchmarks.run import add_source_arguments, run

OURS = next(contender for contender in CONTENDERS if contender.name == "ours")
DIRECT = "no proxy"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/distance.sh", description=__doc__)
    add_source_arguments(parser)
    parser.add_argument("--rtt", default="1,10", metavar="MS,…", help="round trips in milliseconds (default 1,10)")
    options = parser.parse_args()
    try:
        options.distances = {
            f"{milliseconds:g} ms": milliseconds / 1000 for milliseconds in map(float, options.rtt.split(","))
        }
    except ValueError:
        parser.error("--rtt takes numbers of milliseconds, such as 0.5,1,10")
    return options


@contextlib.contextmanager
def at(distance: float | None, database: Database) -> Iterator[tuple[Database, Proxy | None]]:
    """A database as if it were so far away, in seconds of round trip; without a proxy for None."""
    if distance is None:
        yield database, None
        return
    with far_away(database.uri, round_trip=distance) as proxy:
        yield replace(database, uri=proxy.uri), proxy


def traffic(proxy: Proxy) -> str:
    """How many connections an export made, and how many round trips they took, one waiting for the other or not."""
    readers = [link for link in proxy.links if b"reader" in link.startup]
    leaders = [link for link in proxy.links if b"reader" not in link.startup]
    return (
        f"{len(leaders)} connection of the leader with {sum(link.round_trips for link in leaders)} round trips, "
        f"{len(readers)} of readers with {sum(link.round_trips for link in readers)}"
    )


def data_files(export: Path) -> list[dict[str, object]]:
    """The data files of an export with their checksums."""
    files: list[dict[str, object]] = json.loads((export / "manifest.json").read_text(encoding="utf-8"))["files"]
    return files


def main() -> None:
    options = arguments()
    options.data.mkdir(parents=True, exist_ok=True)
    distances = {"0 ms": 0.0, **options.distances, DIRECT: None}
    measurements: dict[str, list[Measurement]] = {name: [] for name in distances}
    source = contextlib.nullcontext(options.server) if options.server else tuned_postgres(options.data / "postgres")
    with source as uri, tempfile.TemporaryDirectory(dir=options.data) as directory:
        database = load(uri, options.scale)
        # The round that is not timed: it warms all caches.
        _, export = run(OURS, database, Path(directory))
        expected = data_files(export)
        for number in range(options.rounds):
            for name, distance in distances.items():
                with at(distance, database) as (placed, proxy):
                    # Only ours competes with itself, so that sampling its memory is the same to all.
                    measured, export = run(OURS, placed, Path(directory), sample_memory=True)
                measurements[name].append(measured)
                if data_files(export) != expected:
                    raise SystemExit(f"the data files of the export at {name} differ")
                passed = f" ({traffic(proxy)})" if proxy and not number else ""
                print(f"round {number + 1}: {name} {measured.wall:.2f} s{passed}", file=sys.stderr)
    results = [
        Result.of(name, options.scale, database.version, runs, max(measured.peak_memory for measured in runs))
        for name, runs in measurements.items()
        if runs
    ]
    save(results, options.results or options.data / "distance.jsonl")
    print(table(results))


if __name__ == "__main__":
    main()

"""`benchmarks/cluster.sh`: the same export by workers of a Dask cluster and by local ones, all on this machine; one
table.

On one machine it shows what Dask costs and that the bytes are the same. It cannot show that more machines are faster:
server and workers share the same cores.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.database import Database, load, tuned_postgres
from benchmarks.distance import data_files
from benchmarks.meter import Measurement, measure
from benchmarks.results import Result, save, table
from benchmarks.run import add_source_arguments

PROGRAMS = Path(sys.executable).parent
WORKERS = (1, 2, 3)
START_SECONDS = 60


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/cluster.sh", description=__doc__)
    add_source_arguments(parser)
    return parser.parse_args()


@contextlib.contextmanager
def dask_cluster(directory: Path, source: str) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The address of a scheduler with as many workers as are needed at most, and all of these processes."""
    file, log = directory / "scheduler.json", (directory / "dask.log").open("wb")
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]]
    one = ["worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    commands += [one] * max(WORKERS)
    environment = os.environ | {"EXPORTER_SOURCE": source}
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            call = [PROGRAMS / "dask", *command]
            process = subprocess.Popen(call, cwd=directory, env=environment, stdout=log, stderr=log)
            started.append(process)
        yield address_in(file), [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
        log.close()


def address_in(file: Path) -> str:
    """The address of the scheduler that writes this file, once all workers are there."""
    from distributed import Client

    deadline = time.monotonic() + START_SECONDS
    while not file.exists():
        if time.monotonic() > deadline:
            raise SystemExit("the scheduler did not start; see dask.log in --data")
        time.sleep(0.1)
    with Client(scheduler_file=str(file), set_as_default=False) as client:
        client.wait_for_workers(max(WORKERS), timeout=START_SECONDS)
        return str(client.scheduler.address)


def cpu_of(processes: list[psutil.Process]) -> float:
    """Seconds of CPU of processes and of their children, ended or not."""
    total = 0.0
    for process in processes:
        total += sum(process.cpu_times()[:4])
        total += sum(sum(child.cpu_times()[:2]) for child in process.children(recursive=True))
    return total


def run(
    database: Database, directory: Path, workers: int, address: str | None, processes: list[psutil.Process]
) -> tuple[Measurement, Path]:
    """One export by so many workers: of a cluster, whose processes' CPU counts too, or local ones."""
    output = directory / "output"
    subprocess.run(["rm", "-rf", output], check=True)
    os.sync()
    where = ["--cluster", address] if address else []
    options = ["--output", str(output), "--workers", str(workers), *where]
    before = cpu_of(processes)
    measured = measure(
        [str(PROGRAMS / "exporter"), "-q", "export", *options],
        output,
        directory / "exporter.log",
        database.postmaster,
        os.environ | {"EXPORTER_SOURCE": database.uri},
    )
    cpu = measured.client_cpu + (cpu_of(processes) - before if address else 0.0)
    return replace(measured, client_cpu=cpu), Path(measured.stdout.strip().splitlines()[-1])


def main() -> None:
    options = arguments()
    options.data.mkdir(parents=True, exist_ok=True)
    measurements: dict[str, list[Measurement]] = {}
    source = contextlib.nullcontext(options.server) if options.server else tuned_postgres(options.data / "postgres")
    with source as uri, tempfile.TemporaryDirectory(dir=options.data) as name:
        database, directory = load(uri, options.scale), Path(name)
        with dask_cluster(directory, database.uri) as (address, processes):
            run(database, directory, max(WORKERS), address, processes)  # warms all caches, and is not measured
            for number in range(options.rounds):
                for workers in WORKERS:
                    expected = None
                    for kind, place in (("local", None), ("cluster", address)):
                        measured, export = run(database, directory, workers, place, processes)
                        measurements.setdefault(f"{kind} {workers}", []).append(measured)
                        print(f"round {number + 1}: {kind} {workers} {measured.wall:.2f} s", file=sys.stderr)
                        if expected not in (None, data_files(export)):
                            raise SystemExit(f"the data files of {workers} local and cluster workers differ")
                        expected = data_files(export)
    results = [
        Result.of(name, options.scale, database.version, runs, max(measured.peak_memory for measured in runs))
        for name, runs in measurements.items()
    ]
    save(results, options.results or options.data / "cluster.jsonl")
    print(table(results))


if __name__ == "__main__":
    main()

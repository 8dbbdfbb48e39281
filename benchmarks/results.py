"""What a benchmark leaves: JSON lines with date, versions and machine, and a table."""

import json
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.meter import Measurement

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PACKAGES = ("astrokiran-graph-exporter", "connectorx", "duckdb", "polars", "pyarrow")


@dataclass(frozen=True, slots=True)
class Result:
    """One contender at one scale: seconds, seconds of CPU and bytes, a value for each round.

    The peak memory is one value, of the round that is not timed.
    """

    contender: str
    scale: float
    date: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    wall: list[float]
    client_cpu: list[float]
    server_cpu: list[float | None]
    peak_memory: list[int]
    bytes_written: list[int]

    @classmethod
    def of(cls, contender: str, scale: float, postgres: str, runs: list[Measurement], peak_memory: int) -> "Result":
        return cls(
            contender=contender,
            scale=scale,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            machine=machine(),
            versions=versions(PostgreSQL=postgres),
            wall=[round(run.wall, 3) for run in runs],
            client_cpu=[round(run.client_cpu, 3) for run in runs],
            server_cpu=[None if run.server_cpu is None else round(run.server_cpu, 3) for run in runs],
            peak_memory=[peak_memory],
            bytes_written=[run.bytes_written for run in runs],
        )


def machine() -> dict[str, str | int]:
    """The processor, its cores, the memory and the kernel."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": psutil.virtual_memory().total,
        "kernel": platform.release(),
    }


def versions(**programs: str) -> dict[str, str]:
    """The given programs' versions, Python's, and those of the packages that are installed."""
    found = {**programs, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def save(results: Iterable["DataclassInstance"], path: Path) -> None:
    """Appends results, of whatever benchmark, to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(result), ensure_ascii=False) + "\n" for result in results)


def table(results: list[Result]) -> str:
    """The results as a Markdown table of medians and peaks; the ratio is of the medians, to the first contender's."""
    first = results[0]
    server_version = first.versions["PostgreSQL"]
    lines = [
        f"{first.scale:g} million rows, {len(first.wall)} rounds, PostgreSQL {server_version}, {first.date}",
        "",
        "| contender         | wall min | median s | ratio | client CPU s | server CPU s | peak MB | written MB |",
        "|-------------------|---------:|---------:|------:|-------------:|-------------:|--------:|-----------:|",
    ]
    for result in results:
        wall = statistics.median(result.wall)
        seconds = [value for value in result.server_cpu if value is not None]
        server = f"{statistics.median(seconds):.2f}" if seconds else "elsewhere"
        lines.append(
            f"| {result.contender:<17} | {min(result.wall):8.2f} | {wall:8.2f} "
            f"| {wall / statistics.median(first.wall):5.2f} | {statistics.median(result.client_cpu):12.2f} "
            f"| {server:>12} | {max(result.peak_memory) / 1e6:7.0f} | {max(result.bytes_written) / 1e6:10.0f} |"
        )
    return "\n".join(lines)

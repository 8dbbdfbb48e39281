"""The benchmark of a cluster: a line for each number of workers, local and of the cluster, with the same files."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark(tmp_path: Path) -> None:
    """At a small scale, and once."""
    command = [ROOT / "benchmarks" / "cluster.sh", "--scale", "0.005", "--rounds", "1", "--data", tmp_path / "data"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    names = [line.split("|")[1].strip() for line in lines[4:]]
    assert names == [f"{kind} {workers}" for workers in (1, 2, 3) for kind in ("local", "cluster")]

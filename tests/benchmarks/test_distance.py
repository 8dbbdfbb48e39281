"""A server far away: the same files, over few connections and round trips."""

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.proxy import far_away
from tests.support.export_process import running

ROOT = Path(__file__).resolve().parents[2]


def exported(uri: str, output: Path) -> dict[str, bytes]:
    """The data files of an export, by their paths."""
    with running(uri, output) as run:
        assert run.end() == 0, run.lines
        directory = Path(run.result.splitlines()[-1])
    files = [*directory.glob("nodes/*/*"), *directory.glob("relationships/*/*"), *directory.glob("rejects/*/*/*")]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def near(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The data files of an export from a server on this machine."""
    return exported(sample_database, tmp_path_factory.mktemp("near"))


@pytest.mark.parametrize("milliseconds", [1, 10])
def test_a_server_far_away(sample_database: str, near: dict[str, bytes], tmp_path: Path, milliseconds: int) -> None:
    """Distance changes no byte. The leader asks little, and connectorx needs a dozen round trips for a read."""
    with far_away(sample_database, round_trip=milliseconds / 1000) as proxy:
        assert exported(proxy.uri, tmp_path) == near
    leader, *readers = proxy.links
    assert [b"reader" in link.startup for link in proxy.links] == [False] + [True] * len(readers)
    assert leader.round_trips < 60
    assert sum(link.round_trips for link in readers) <= 14 * len(readers)
    assert len(readers) < 80


def test_the_benchmark(tmp_path: Path) -> None:
    """It prints a line for each distance, and the same files came from each."""
    scale = ["--scale", "0.005", "--rounds", "1", "--rtt", "1"]
    finished = subprocess.run(
        [ROOT / "benchmarks" / "distance.sh", *scale, "--data", tmp_path / "data"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert [line.split("|")[1].strip() for line in lines[4:]] == ["0 ms", "1 ms", "no proxy"]
    assert (tmp_path / "data" / "distance.jsonl").is_file()

"""Windows and masked copies by a cluster are what they are by one machine, to the byte.

`DRILL_CLUSTER=all` in the environment adds the longer cases.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.sink.manifest import ClusterEntry, read_manifest
from tests.support.cluster_runs import check_published, manifest
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.export_process import running

pytestmark = pytest.mark.slow

NAMES = ("one", "two", "three")
DAYS = ("--since", "2026-11-21", "--until", "2026-11-22T12:00Z")
SAMPLE = ("--sample", "20%", "--sample-seed", "3")
ROOTS = ("--root", "Customer:customer_id=20005", "--root", "Guide:id=1")
longer = pytest.mark.skipif(os.environ.get("DRILL_CLUSTER") != "all", reason="only with DRILL_CLUSTER=all")
COPIES = {
    "days": (DAYS, False),
    "sample": ((*SAMPLE, "--without", "Notification"), False),
    "roots": (ROOTS, False),
    "masked": ((), True),
    "masked roots": (ROOTS, True),
    "masked sample of days": ((*SAMPLE, *DAYS), True),
}
ALWAYS = {"masked sample of days"}


def write_key(directory: Path, name: str, secret: bytes = b"a key") -> Path:
    """A file of its own with a redaction key."""
    path = directory / f"{name}.key"
    path.touch(mode=0o600)
    path.write_text(hashlib.sha256(secret).hexdigest())
    return path


@pytest.fixture(scope="module")
def workers(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and three workers, each with a file of its own for the key."""
    directory = tmp_path_factory.mktemp("cluster")
    keys = {name: {"EXPORTER_REDACT_KEY_FILE": str(write_key(directory, name))} for name in NAMES}
    with dask_cluster(directory, sample_database, keys) as cluster:
        yield cluster


@pytest.mark.parametrize("name", [name if name in ALWAYS else pytest.param(name, marks=longer) for name in COPIES])
def test_a_copy(workers: DaskCluster, sample_database: str, tmp_path: Path, name: str) -> None:
    """Rows, rejects, files and manifest; the key is the leader's own file, too."""
    options, is_masked = COPIES[name]
    if is_masked:
        options = (*options, "--redact", "analyst", "--redact-key", str(write_key(tmp_path, "leader")))
    with running(sample_database, tmp_path / "local", "--workers", "3", *options) as run:
        assert run.end() == 0, run.lines
        local = Path(run.result.strip())
    with running(sample_database, tmp_path / "output", "--cluster", workers.address, *options) as run:
        directory = check_published(run, local)
    assert read_manifest(directory).options.cluster == ClusterEntry(workers=3, hosts=1)
    told = manifest(directory)
    assert told["format"] == 2
    assert (told["redaction"] is not None, told["window"] is not None) == (is_masked, bool(COPIES[name][0]))


def test_another_key(workers: DaskCluster, sample_database: str, tmp_path: Path) -> None:
    """The tokens of two keys would be mixed; every worker that has another one is named."""
    key = write_key(tmp_path, "leader", b"another key")
    asked = ("--cluster", workers.address, "--redact", "analyst", "--redact-key", str(key))
    with running(sample_database, tmp_path / "output", *asked) as run:
        assert run.end() == 2
    text = "".join(run.lines)
    assert [text.count(f"  worker {name} (tcp://127.0.0.1:") for name in NAMES] == [1, 1, 1]
    assert text.count("the redaction key of EXPORTER_REDACT_KEY_FILE is not the leader's; copy that one to ") == 3
    assert [path.name for path in (tmp_path / "output").iterdir()] == [".lock"]

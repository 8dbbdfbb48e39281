"""A cluster whose source grants few sessions, or whose workers are busy with the tasks of others.

`DRILL_CLUSTER=all` in the environment adds the longer cases.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from distributed import Client

from exporter.model.tables import tables
from exporter.settings import Settings
from exporter.sink.manifest import ClusterEntry, read_manifest
from tests.support.cluster_runs import check_published
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.export_process import eventually, running
from tests.support.exporting import export
from tests.support.stalling_source import copied, execute

pytestmark = pytest.mark.slow

SCHEMAS = sorted({table.name.partition(".")[0] for table in tables()})
GRANTS = [f"grant usage on schema {name} to crowded; grant select on all tables in schema {name} to crowded"
          for name in SCHEMAS]  # fmt: skip
longer = pytest.mark.skipif(os.environ.get("DRILL_CLUSTER") != "all", reason="only with DRILL_CLUSTER=all")
# The leader's session, and those that are left to others.
TAKEN = 3


@pytest.fixture(scope="module")
def source(sample_database: str) -> Iterator[str]:
    """The URI of a sample source for a role whose sessions are limited."""
    with copied(sample_database, "crowded") as uri:
        execute(uri, "create role crowded login", *GRANTS)
        yield urlsplit(uri)._replace(netloc="crowded@localhost:5432").geturl()


@pytest.fixture(scope="module")
def workers(source: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and three workers."""
    names: dict[str, dict[str, str]] = {name: {} for name in ("one", "two", "three")}
    with dask_cluster(tmp_path_factory.mktemp("cluster"), source, names) as cluster:
        yield cluster


def limit(sample_database: str, readers: int | None) -> None:
    """The role may have so many sessions beside the leader's and those that are left free; any number with None."""
    execute(sample_database, f"alter role crowded connection limit {-1 if readers is None else TAKEN + readers}")


def test_no_free_session(workers: DaskCluster, sample_database: str, source: str, tmp_path: Path) -> None:
    """What is left is not used up."""
    limit(sample_database, 0)
    with running(source, tmp_path, "--cluster", workers.address) as run:
        run.check_failed(3, r"the source has no free session for a reader .*")


@pytest.mark.parametrize("readers", [2, pytest.param(1, marks=longer)])
def test_fewer_sessions_than_workers(
    workers: DaskCluster, sample_database: str, source: str, tmp_path: Path, readers: int
) -> None:
    """All are asked, so many at a time; those that no session is left for are not used, which is said."""
    limit(sample_database, None)
    local = export(Settings(source=source, output=tmp_path / "local", workers=readers)).directory
    limit(sample_database, readers)
    with running(source, tmp_path / "output", "--cluster", workers.address) as run:
        directory = check_published(run, local)
    assert read_manifest(directory).options.cluster == ClusterEntry(workers=readers, hosts=1)
    note = f"{readers} of the cluster's 3 workers were used, since the source grants no more sessions"
    assert f"exporter: warning: {note}\n" in run.lines


@longer
def test_workers_that_are_full(workers: DaskCluster, sample_database: str, source: str, tmp_path: Path) -> None:
    """Somebody else's tasks run on all of them: ours wait until those are done."""
    limit(sample_database, None)
    local = export(Settings(source=source, output=tmp_path / "local", workers=3)).directory
    with Client(workers.address, set_as_default=False) as client:
        others = client.map(time.sleep, [6.0] * 3, pure=False)
        eventually(lambda: all(client.processing().values()), "workers that are full")
        with running(source, tmp_path / "output", "--cluster", workers.address) as run:
            check_published(run, local)
        assert all(other.done() for other in others)

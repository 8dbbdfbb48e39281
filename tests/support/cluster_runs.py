"""What a run by a cluster must be: the bytes of a local one, or a failure of which nothing is left."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg

from tests.support.dask_cluster import DaskCluster
from tests.support.export_process import PASSWORD, Run, eventually

# All that Dask makes in a worker's directories, which are its home's.
DASK_S_OWN = {"dask-scratch-space"}


def with_password(uri: str) -> str:
    """The URI as workers have it."""
    return urlsplit(uri)._replace(netloc=urlsplit(uri).netloc.replace("@", f":{PASSWORD}@")).geturl()


def data(export: Path) -> dict[str, bytes]:
    """The content of all files that do not tell when or how they were made."""
    told = {"manifest.json", "SHA256SUMS", "counts.tsv", "report.html"}
    files = (path for path in export.rglob("*") if path.is_file() and path.name not in told)
    return {str(path.relative_to(export)): path.read_bytes() for path in files}


def manifest(export: Path) -> dict[str, Any]:
    """All that the manifest says, but for when and how."""
    found: dict[str, Any] = json.loads((export / "manifest.json").read_text())
    for name in ("started_at", "finished_at"):
        del found[name]
    for name in ("snapshot_at", "wal_lsn"):
        del found["source"][name]
    found["options"].pop("cluster", None)
    return found


def check_published(run: Run, local: Path) -> Path:
    """Asserts that a run publishes what the local export has, byte for byte, and leaves nothing behind."""
    assert run.end() == 0, run.lines
    directory = Path(run.result.strip())
    assert data(directory) == data(local)
    assert manifest(directory) == manifest(local)
    assert [path.name for path in run.output.iterdir() if path.name.startswith(".partial")] == []
    run.check_gone()
    return directory


def check_no_child(cluster: DaskCluster) -> None:
    """Asserts that no worker has a process of a run."""
    eventually(lambda: not any(map(cluster.children, cluster.names())), "the end of all children")


def check_idle(cluster: DaskCluster, ending: list[psutil.Process]) -> None:
    """Asserts that nothing of any run is left in a cluster: no task, no plug-in, none of the processes that are to end,
    no file of a worker; what Dask itself makes stays."""
    eventually(lambda: not any(map(is_alive, ending)), "the end of all processes of the run")
    if "scheduler" in cluster.processes:
        eventually(lambda: cluster.remains() == [], "a scheduler without tasks and plug-ins")
    for name in cluster.processes:
        assert {path.name for path in (cluster.directory / name).iterdir()} <= DASK_S_OWN, name


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that nobody has waited for does not."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def stalled_sessions(uri: str, application: str) -> int:
    """How many sessions of a pattern of application names wait for a test."""
    query = "select count(*) from pg_stat_activity where datname = current_database() and application_name ~ %s" \
            " and wait_event = 'advisory'"  # fmt: skip
    with psycopg.connect(uri, autocommit=True) as connection:
        row = connection.execute(query, [application]).fetchone()
    assert row is not None
    return int(row[0])

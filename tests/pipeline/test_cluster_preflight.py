"""What is wrong with a cluster's workers: all of it at once, each with its remedy, before anything is read."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import trustme

from exporter.sample.postgres import create_database
from exporter.settings import Settings
from tests.support.cluster_runs import check_published
from tests.support.dask_cluster import ALONE, DaskCluster, dask_cluster
from tests.support.export_process import Run, eventually, running
from tests.support.exporting import export
from tests.support.ports import recorded

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOBODY = ("setpriv", "--reuid", "65534", "--clear-groups")


@pytest.fixture(scope="module")
def cluster(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler with one worker that passes."""
    with dask_cluster(tmp_path_factory.mktemp("cluster"), sample_database, {"good": {}}) as cluster:
        yield cluster


@pytest.fixture
def output(tmp_path: Path) -> Path:
    output = tmp_path / "output"
    output.mkdir()
    return output


def faults(run: Run) -> dict[str, list[str]]:
    """What is said of each worker; asserts that the run ends with that."""
    assert (run.end(), run.result) == (2, ""), run.lines
    first, *rest = "".join(run.lines).partition("exporter: ")[2].splitlines()
    assert first == "the cluster cannot do this export:"
    found: dict[str, list[str]] = {}
    for line in rest:
        match = re.fullmatch(r"  worker (\w+) \(tcp://127\.0\.0\.1:\d+\): (.*)", line)
        assert match, line
        found.setdefault(match[1], []).append(match[2])
    assert [path.name for path in run.output.iterdir() if path.name != ".lock"] == []
    return found


def install(directory: Path, *packages: str) -> None:
    """Another release of this program, and what a directory of packages says of their versions: a name and a version by
    turns."""
    shutil.copytree(ROOT / "exporter", directory / "exporter", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "exporter" / "text.py").unlink()
    for name, number in zip(packages[::2], packages[1::2], strict=True):
        information = directory / f"{name.replace('-', '_')}-{number}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {number}\n")


def test_all_faults_at_once(cluster: DaskCluster, sample_database: str, output: Path, tmp_path: Path) -> None:
    """Two tasks at a time, another database, a nanny's daemon, no source, other files of the program, and another
    release."""
    other = create_database(sample_database, "other_of_cluster")
    shutil.copytree(ROOT / "exporter", tmp_path / "tree" / "exporter", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tree/exporter/text.py").open("a").write("# changed\n")
    install(tmp_path / "older", "astrokiran-graph-exporter", "1.0.9", "polars", "1.2.3")
    cluster.start_worker("busy", ["--nthreads", "2", "--no-nanny"], EXPORTER_SOURCE=other)
    cluster.start_worker("daemon", ["--nthreads", "1"], EXPORTER_SOURCE=None)
    cluster.start_worker("changed", PYTHONPATH=str(tmp_path / "tree"))
    cluster.start_worker("older", PYTHONPATH=str(tmp_path / "older"))
    cluster.wait_for("busy", "daemon", "changed", "older")
    with running(sample_database, output, "--cluster", cluster.address) as run:
        found = faults(run)
    for name in ("busy", "daemon", "changed", "older"):
        cluster.end(name)
    assert found == {
        "busy": [
            "it runs 2 tasks at once; give --nthreads 1, and start a worker for each processor",
            "its source is another database than the leader's; set EXPORTER_SOURCE as the leader has it",
        ],
        "daemon": [
            "its nanny lets it start no processes; set DASK_DISTRIBUTED__WORKER__DAEMON=False, or give --no-nanny",
            "no source is set: set EXPORTER_SOURCE in the worker's environment",
        ],
        "changed": [
            "its files of this program are not the leader's, though of the same version; install the same on every"
            " machine"
        ],
        "older": [
            f"it has astrokiran-graph-exporter 1.0.9 (the leader: {version('astrokiran-graph-exporter')}), polars 1.2.3"
            f" (the leader: {version('polars')}); install the same on every machine"
        ],
    }


@pytest.mark.skipif(os.environ.get("DRILL_CLUSTER") != "all", reason="only with DRILL_CLUSTER=all")
def test_a_worker_that_stands_still(cluster: DaskCluster, sample_database: str, output: Path) -> None:
    """It is not waited for without an end."""
    cluster.start_worker("still")
    cluster.wait_for("still")
    cluster.worker("still").suspend()
    with running(sample_database, output, "--cluster", cluster.address) as run:
        eventually(lambda: run.process.poll() is not None, "the end of the run", 180)
        run.check_failed(4, r"the cluster did not answer within 90 seconds; .*")
    cluster.end("still")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a worker as another user, or elsewhere mount")
def test_another_user_and_another_output(cluster: DaskCluster, sample_database: str, output: Path) -> None:
    """A worker as nobody; one that has something else at the path of the output directory."""
    loads = [sys.executable, "-c", "import distributed, exporter"]
    if subprocess.run([*NOBODY, *loads], capture_output=True, check=False, cwd="/").returncode:
        pytest.skip("nobody may not read this program")
    elsewhere = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs tmpfs {output} && exec "$@"', "sh"]
    if subprocess.run([*elsewhere, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    cluster.start_worker("elsewhere", ALONE, elsewhere)
    cluster.start_worker("nobody", [*ALONE, "--local-directory", "/tmp"], NOBODY, HOME="/")
    cluster.wait_for("elsewhere", "nobody")
    with running(sample_database, output, "--cluster", cluster.address) as run:
        found = faults(run)
    for name in ("elsewhere", "nobody"):
        cluster.end(name)
    shares = "it does not share the leader's output directory ({}); mount the same file system at the same path"
    assert found["elsewhere"] == [shares.format("No such file or directory")]
    assert found["nobody"][:2] == [
        "it runs as user 65534, and the leader as 0; run both as the same",
        shares.format("Permission denied"),
    ]


def test_a_masked_copy_needs_the_leader_s_key(
    cluster: DaskCluster, sample_database: str, output: Path, tmp_path: Path
) -> None:
    """A key that is drawn for one run is no other machine's; a worker must have the leader's."""
    with running(sample_database, output, "--cluster", cluster.address, "--redact", "analyst") as run:
        assert run.end() == 2
        assert "needs a key that every machine has: give --redact-key" in "".join(run.lines)
    key = tmp_path / "redact.key"
    key.write_text("0" * 64)
    key.chmod(0o600)
    asked = ("--cluster", cluster.address, "--redact", "analyst", "--redact-key", str(key))
    with running(sample_database, output, *asked) as run:
        assert faults(run) == {
            "good": ["no redaction key is set: set EXPORTER_REDACT_KEY_FILE in the worker's environment"]
        }


def test_by_tls(sample_database: str, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler and a worker, which only those reach who have a certificate of their CA. What they read is not on the
    wire, and the export is what one machine's is."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "cert.pem")
    tls = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(tmp_path / "ca.pem")}
    roles = ("SCHEDULER", "WORKER", "CLIENT")
    tls |= {f"DASK_DISTRIBUTED__COMM__TLS__{who}__CERT": str(tmp_path / "cert.pem") for who in roles}
    tls["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] = "True"
    local = export(Settings(source=sample_database, output=tmp_path / "local", workers=1)).directory
    with dask_cluster(tmp_path, sample_database, {}, "tls", tls) as cluster:
        assert cluster.address.startswith("tls://")
        with running(sample_database, output, "--cluster", cluster.address) as run:
            run.check_failed(2, r"Dask cannot connect to tls://\S+; for tls:// it needs certificates: .*")
        for name, value in tls.items():
            monkeypatch.setenv(name, value)
        with running(sample_database, output, "--cluster", cluster.address) as run:
            run.check_failed(2, r"the scheduler has no workers; start some: .*")
        cluster.start_worker("secret")
        eventually(lambda: re.search("Registered to: +tls://", cluster.log("secret")), "a worker")
        with (
            recorded(int(cluster.address.rpartition(":")[2])) as (port, passed),
            running(sample_database, output, "--cluster", f"tls://127.0.0.1:{port}") as run,
        ):
            check_published(run, local)
        assert sum(map(len, passed)) > 100_000
        assert not re.search(b"select|customer|exporter", b"".join(passed), re.IGNORECASE)

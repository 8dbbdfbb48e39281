"""Runs that fail on the way: the exit code of contract.md, one sentence, and nothing left of them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import create_tables, fill_sample
from tests.support.disks import no_file_above, small_disk
from tests.support.export_process import EXPORTER, Run, contents, eventually, running
from tests.support.stalling_source import STALLED, STALLING, STALLS, copied, execute, locked, stall, stalled

pytestmark = pytest.mark.slow

EARLIER = "20260101T000000Z"
STAGES = sorted(STALLS)
READING = ["keys", "tables"]
# In a stage that is too short for every run to be suspended in it, so many runs are tried.
ATTEMPTS = 5
AT_ONCE = 0.005
STANDING = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)


@pytest.fixture(scope="module")
def stalling(sample_database: str) -> Iterator[str]:
    """The URI of a sample source in which tables can be made to stall."""
    with copied(sample_database, "stalling") as uri:
        execute(uri, STALLING)
        yield uri


@pytest.fixture(scope="module")
def empty(postgres: str) -> str:
    """The URI of a source without a row."""
    uri = create_database(postgres, "empty")
    create_tables(uri)
    return uri


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output directory with an earlier export."""
    output = tmp_path / "output"
    (output / EARLIER).mkdir(parents=True)
    (output / "latest").symlink_to(EARLIER)
    return output


def published(run: Run) -> str:
    """The name of the export that a run published, when nothing else is new in its output directory."""
    assert (run.end(), run.result.strip()) == (0, str((run.output / "latest").resolve())), run.lines
    name = (run.output / "latest").readlink().name
    assert contents(run.output) == {".lock": "", EARLIER: "", name: "", "latest": name}
    run.check_gone()
    return name


# Processes and connections that go away ------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", READING)
def test_a_worker_killed(stalling: str, output: Path, stage: str) -> None:
    """As the kernel does when memory runs out."""
    with stalled(stalling, output, stage) as (run, _):
        run.workers()[0].kill()
        run.check_failed(4, r"a worker process was killed .*")


@pytest.mark.parametrize("stage", STAGES)
def test_the_leader_s_connection_cut(stalling: str, output: Path, stage: str) -> None:
    """Without it there is no snapshot."""
    with stalled(stalling, output, stage) as (run, _):
        execute(stalling, f"select pg_terminate_backend({run.wait_for_session('true')})")
        run.check_failed(4, r"an administrator of the server ended the connection .*")


@pytest.mark.parametrize("stage", READING)
def test_a_reader_s_connection_cut(stalling: str, output: Path, stage: str) -> None:
    """The message has nothing of what the server said."""
    with stalled(stalling, output, stage) as (run, _):
        execute(stalling, f"select pg_terminate_backend({run.wait_for_session(STALLED, reader=True)})")
        run.check_failed(4, r"(the server ended the read; its log says why|the connection was lost) .*")


@pytest.mark.parametrize("stage", ["lock", "tables"])
def test_the_server_stops_at_once(tmp_path: Path, output: Path, stage: str) -> None:
    """All its sessions end abruptly."""
    with embedded_postgres(tmp_path / "server") as uri:
        fill_sample(uri, scale=0.01)
        execute(uri, STALLING)
        with stalled(uri, output, stage) as (run, _):
            postmaster = int((tmp_path / "server" / "postmaster.pid").read_text().splitlines()[0])
            os.kill(postmaster, signal.SIGQUIT)
            run.check_failed(4, r"the (connection|server) .*")


@pytest.mark.parametrize("stage", ["lock", "tables"])
def test_the_leader_killed(stalling: str, output: Path, stage: str) -> None:
    """Workers and queries end by themselves; the next run gets the lock, and removes what was left."""
    with stalled(stalling, output, stage) as (run, _):
        run.process.kill()
        run.end()
        run.check_gone()
        assert not [line for line in run.lines if "resource_tracker" in line]
    assert list(output.glob(".partial-*"))
    with running(stalling, output) as run:
        published(run)


def test_a_reader_that_stalls(stalling: str, output: Path) -> None:
    """Suspended workers take no rows."""
    with stalled(stalling, output, "tables", "--stall-timeout", "5s") as (run, holder):
        for worker in run.workers():
            worker.suspend()
        holder.execute("select pg_advisory_unlock_all()")
        run.check_failed(4, r"the read of \S+ made no progress for \d+ seconds: .*")


@pytest.mark.parametrize("who", ["true", "current_setting('application_name') like '% reader %'"], ids=["lock", "read"])
def test_an_error_that_quotes_a_cell(sample_database: str, output: Path, who: str) -> None:
    """The server's message has it, ours does not."""
    with copied(sample_database, "quoting") as uri:
        execute(
            uri,
            "update marketing.leads set phone = 'a secret cell'",
            "alter table marketing.leads rename to stored",
            f"create view marketing.leads as select * from marketing.stored where not ({who}) or phone::bigint > 0",
        )
        with running(uri, output) as run:
            run.check_failed(4, r".* \(while (counting|reading) marketing.leads.*\)")
        assert "secret" not in "".join(run.lines)


# Signals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "number"),
    [*((stage, number) for stage in STAGES for number in (signal.SIGINT, signal.SIGTERM)), ("tables", signal.SIGHUP)],
)
def test_stopped(stalling: str, output: Path, stage: str, number: signal.Signals) -> None:
    """^C reaches the workers too, the others the leader alone."""
    with stalled(stalling, output, stage) as (run, _):
        if number is signal.SIGINT:
            run.signal_group(number)
        else:
            run.process.send_signal(number)
        run.check_failed(130, rf"stopped by {number.name}; nothing was published")


def test_stopped_as_a_service(stalling: str, output: Path) -> None:
    """SIGTERM to all processes ends the workers at once."""
    with stalled(stalling, output, "tables") as (run, _):
        run.signal_group(signal.SIGTERM)
        run.check_failed(130, "stopped by SIGTERM; nothing was published")


@pytest.mark.parametrize("relation", ["pg_inherits", "marketing.leads"], ids=["check", "locks"])
def test_stopped_before_the_snapshot(sample_database: str, output: Path, relation: str) -> None:
    """While it reads the catalog, while it waits for a table, and while the workers load."""
    with locked(sample_database, output, relation) as (run, _):
        run.signal_group(signal.SIGINT)
        run.check_failed(130, "stopped by SIGINT; nothing was published")


def stopped_at(source: str, output: Path, pattern: str, number: signal.Signals, *options: str) -> None:
    """Stops a run once a file of this pattern is there and before the export is published. The run is suspended, so
    that it cannot go on in between; one that was too fast for that is followed by another."""
    for _ in range(ATTEMPTS):
        with running(source, output, *options) as run:
            leader = psutil.Process(run.process.pid)
            eventually(lambda: [*output.glob(pattern)], pattern, pause=AT_ONCE)
            leader.suspend()
            eventually(lambda: leader.status() in STANDING, "the suspension")  # noqa: B023
            in_time = [*output.glob(pattern)]
            run.signal_group(number)
            leader.resume()
            if in_time:
                run.check_failed(130, f"stopped by {number.name}; nothing was published")
                return
            assert run.end() == 0, run.lines
    pytest.fail(f"none of {ATTEMPTS} runs was suspended in time")


def test_stopped_while_publishing(sample_database: str, output: Path) -> None:
    """Before the export has its name, it is gone."""
    stopped_at(sample_database, output, ".partial-*/headers", signal.SIGINT)


def test_stopped_while_packing(sample_database: str, output: Path) -> None:
    """The archive is gone with its export."""
    stopped_at(sample_database, output, ".partial-*.tar.zst", signal.SIGTERM, "--archive")


def test_stopped_when_it_is_too_late(sample_database: str, output: Path) -> None:
    """An export that has its name is finished, whatever comes: `latest` moves, and the last line is its directory."""
    with running(sample_database, output) as run:
        eventually(lambda: [path for path in output.glob("2*Z") if path.name != EARLIER], "the export", pause=AT_ONCE)
        run.signal_group(signal.SIGINT)
        run.signal_group(signal.SIGTERM)
        published(run)


# Limits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["lock", "tables"])
def test_the_longest_duration(stalling: str, output: Path, stage: str) -> None:
    """Whatever the leader waits for: its own query, or the workers."""
    with stall(stalling, stage), running(stalling, output, "--max-duration", "4s") as run:
        run.check_failed(4, r"the run took longer than --max-duration \(4 s\); .*")


def test_the_most_rejects(sample_database: str, output: Path) -> None:
    """Only the rejects are kept, for somebody to look at. As many as are allowed are no failure."""
    with running(sample_database, output, "--max-rejects", "0") as run:
        run.check_failed(1, r"\d+ rejects exceed --max-rejects 0, nothing was .*", kept=["rejected-20.*Z"])
    (rejected,) = output.glob("rejected-*")
    lines = [line for file in rejected.rglob("*.csv") for line in file.read_text().splitlines()[1:]]
    assert {path.name for path in rejected.iterdir()} == {"nodes", "relationships"}
    with running(sample_database, output, "--max-rejects", str(len(lines))) as run:
        assert run.end() == 0, run.lines


# Disks ---------------------------------------------------------------------------------------------------------------


def test_a_full_disk(stalling: str, tmp_path: Path) -> None:
    """The message says so, and afterwards the disk is not full any more."""
    output = tmp_path / "small"
    output.mkdir()
    with small_disk(output) as command, running(stalling, output, command=command) as run:
        run.check_failed(4, r"cannot write the export: (No space left on device|File too large) .*")


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--max-rejects", "0"], 1)])
def test_a_log_on_a_full_disk(sample_database: str, output: Path, options: list[str], code: int) -> None:
    """A message that cannot be printed neither ends a run nor changes its exit code."""
    command = [EXPORTER, "export", "--source", sample_database, "--output", output, *options]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "" if code else f"{(output / 'latest').resolve()}\n")


@pytest.mark.parametrize("kilobytes", [1, 64], ids=["keys", "tables"])
def test_no_file_may_be_so_long(sample_database: str, output: Path, kilobytes: int) -> None:
    """A quota: the workers' writes fail."""
    with running(sample_database, output, command=no_file_above(kilobytes)) as run:
        run.check_failed(4, r"cannot write the export: File too large .*")


def test_no_file_may_be_so_long_when_publishing(empty: str, output: Path) -> None:
    """The leader's writes fail."""
    with running(empty, output, command=no_file_above(8)) as run:
        run.check_failed(4, r"cannot write the export to .*: File too large; nothing was published")


# Limits of the system ------------------------------------------------------------------------------------------------


TOO_LITTLE = (
    "(this process is out of memory|a library cannot be loaded|a library failed|the system allows no"
    "|a worker process was killed).*"
)


@pytest.mark.parametrize("megabytes", [20, 60, 200, 210])
def test_too_little_memory(sample_database: str, output: Path, megabytes: int) -> None:
    """Whatever cannot be loaded or started then: one sentence."""
    command = ["bash", "-c", f'ulimit -v {megabytes << 10} && exec "$@"', "bash"]
    with running(sample_database, output, command=command) as run:
        run.check_failed(4, TOO_LITTLE)


def test_too_few_open_files(sample_database: str, output: Path) -> None:
    """Refused before anything is read; a limit that may be raised is raised."""
    command = ["bash", "-c", 'ulimit -n 30 && exec "$@"', "bash"]
    with running(sample_database, output, command=command) as run:
        run.check_failed(2, r"the system allows 30 open files here, and an export may need \d+: .*")
    command = ["bash", "-c", 'ulimit -S -n 30 && exec "$@"', "bash"]
    with running(sample_database, output, command=command) as run:
        assert run.end() == 0, run.lines

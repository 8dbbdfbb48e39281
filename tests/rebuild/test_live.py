"""Finding the live Neo4j: its configuration, its user, its lock, and what its stop and start commands may do."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.errors import RunError, UsageError
from exporter.rebuild.live import Live, check_user, find_live, read_conf
from exporter.settings import RebuildSettings
from tests.support.ports import closed_port

VERSION = "2026.09.0"
# Holds Neo4j's lock as Neo4j does, for as long as its stdin is open.
HOLDER = (
    "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Neo4j that was unpacked and never started, and a Java."""
    home = tmp_path / "neo4j"
    for name in ("bin", "conf", "data/databases", "lib"):
        (home / name).mkdir(parents=True)
    (home / "lib" / f"neo4j-{VERSION}.jar").touch()
    (home / "bin" / "neo4j").touch()
    (home / "conf" / "neo4j.conf").write_text("# as it comes\nserver.memory.heap.max_size=512m\n")
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.delenv("NEO4J_PASSWORD", raising=False)
    return home


@pytest.fixture
def live(home: Path) -> Live:
    """It, at an address where nobody listens, with commands that do nothing."""
    settings = RebuildSettings(neo4j_home=home, bolt=f"bolt://127.0.0.1:{closed_port()}", stop="true", start="true")
    return replace(find_live(settings), timeout=1)


def test_the_defaults(home: Path) -> None:
    """Its own commands, its own directories."""
    live = find_live(RebuildSettings(neo4j_home=home))
    assert (live.home.version, live.conf, live.data) == (VERSION, home / "conf", home / "data")
    assert live.store.both == (home / "data/databases/neo4j", home / "data/transactions/neo4j")
    assert (live.stop_command, live.start_command) == (f"{home}/bin/neo4j stop", f"{home}/bin/neo4j start")


def test_configured_directories(home: Path, tmp_path: Path) -> None:
    """As neo4j.conf says, the last line of a name; relative to the home."""
    conf = tmp_path / "conf"
    (tmp_path / "conf").mkdir()
    (tmp_path / "elsewhere" / "databases").mkdir(parents=True)
    (conf / "neo4j.conf").write_text(
        f"server.directories.data=/nowhere\n server.directories.data = {tmp_path}/elsewhere \n"
        "#server.directories.data=/commented/out\nserver.directories.transaction.logs.root=logs/tx\n"
    )
    live = find_live(RebuildSettings(neo4j_home=home, neo4j_conf=conf, database="graph"))
    assert live.store.both == (tmp_path / "elsewhere/databases/graph", home / "logs/tx/graph")


def test_what_is_missing(home: Path, tmp_path: Path) -> None:
    """Each with what to do."""
    (home / "bin" / "neo4j").unlink()
    cases = {
        "which Neo4j": RebuildSettings(),
        "holds no Neo4j": RebuildSettings(neo4j_home=tmp_path),
        "rebuild.user needs its password": RebuildSettings(neo4j_home=home, user="neo4j"),
        "set NEO4J_CONF": RebuildSettings(neo4j_home=home, neo4j_conf=tmp_path),
        "set rebuild.stop and rebuild.start": RebuildSettings(neo4j_home=home, stop="true"),
    }
    for sentence, settings in cases.items():
        with pytest.raises(UsageError, match=sentence):
            find_live(settings)
    (home / "conf" / "neo4j.conf").write_text("server.directories.data=/nowhere\n")
    with pytest.raises(UsageError, match=r"there is no data directory /nowhere \(No such file"):
        find_live(RebuildSettings(neo4j_home=home))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_user(home: Path) -> None:
    """Root is no exception: a store of root would keep Neo4j from starting."""
    os.chown(home / "data" / "databases", 12345, -1)
    with pytest.raises(
        UsageError, match=r"databases belongs to #12345, and this runs as root: run it as #12345 \(sudo"
    ):
        check_user(home / "data")


def test_a_configuration(tmp_path: Path) -> None:
    """Blanks around names and values do not count, comments and other lines neither."""
    file = tmp_path / "neo4j.conf"
    file.write_text("a.b=1\n  c.d =  x y = z \n# e.f=2\n\na.b=3\n")
    assert read_conf(file) == {"a.b": "3", "c.d": "x y = z"}


@pytest.fixture
def running(live: Live) -> subprocess.Popen[str]:
    """A process that has the lock that a Neo4j has."""
    command = [sys.executable, "-c", HOLDER, str(live.store.database.parent / "store_lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline()
    return process


def test_whether_it_runs(live: Live, running: subprocess.Popen[str]) -> None:
    """By its lock, which a rebuild holds while it renames."""
    assert live.runs()
    with pytest.raises(RunError, match="somebody started it again"), live.held():
        pass
    running.communicate()
    assert not live.runs()
    with live.held():
        pass


def test_it_runs_but_does_not_answer(live: Live, running: subprocess.Popen[str]) -> None:
    """Then a swap could not be proved; where it does not run, that is all right."""
    with pytest.raises(RunError, match=r"does not answer at the address of rebuild\.bolt \(ServiceUnavailable\)"):
        live.check()
    running.communicate()
    assert not live.check()


def test_a_stop(live: Live, running: subprocess.Popen[str], tmp_path: Path) -> None:
    """It is done when the lock is free. A command that fails, or does nothing, is told of; none gets a password."""
    log = tmp_path / "logs" / "stop.log"
    with pytest.raises(RunError, match="the stop command has ended, but Neo4j still runs"):
        live.stop(log)
    failing = replace(live, stop_command="echo $NEO4J_HOME is not mine, ${NEO4J_PASSWORD:-no password}; exit 5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEO4J_PASSWORD", "never-to-be-shown")
        with pytest.raises(RunError, match=rf"ended with exit code 5; what it said is in {log}"):
            failing.stop(log)
    assert log.read_text() == f"{live.home.home} is not mine, no password\n"
    with pytest.raises(RunError, match="the stop command took longer than 1 s"):
        replace(live, stop_command="sleep 60").stop(log)
    replace(live, stop_command=f"kill {running.pid}").stop(log)
    assert running.wait() != 0
    failing.stop(log)  # it does not run, so it is stopped
    running.communicate()


def test_one_that_is_still_on_its_way(live: Live, running: subprocess.Popen[str]) -> None:
    """A stop that took too long may be done a little later; one that never is, is waited for no longer than that."""
    live.settle()
    assert live.runs()
    threading.Timer(0.3, running.communicate).start()
    replace(live, timeout=60).settle()
    assert not live.runs()


def test_a_start(live: Live, tmp_path: Path) -> None:
    """It is done when the database answers. A command that fails ends the waiting."""
    log = tmp_path / "start.log"
    with pytest.raises(
        RunError, match=rf"did not answer within 1 s of the start command \(ServiceUnavailable\).*{log}"
    ):
        live.start(log)
    with pytest.raises(RunError, match="the start command ended with exit code 3"):
        replace(live, timeout=600, start_command="exit 3").start(log)

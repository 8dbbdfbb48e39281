"""The live Neo4j: its lock, whether it answers, and what its stop and start commands may do."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import neo4j
import pytest

from exporter.errors import RunError
from exporter.rebuild.installation import find_live
from exporter.rebuild.live import Live, fault
from exporter.settings import RebuildSettings
from exporter.store.configuration import Access
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from tests.support.ports import closed_port

pytestmark = pytest.mark.slow

# Holds Neo4j's lock as Neo4j does, for as long as its stdin is open.
HOLDER = (
    "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
)


@pytest.fixture
def live(home: Path) -> Live:
    """That Neo4j, at an address where nothing listens, with commands that do nothing."""
    settings = RebuildSettings(neo4j_home=home, bolt=f"bolt://127.0.0.1:{closed_port()}", stop="true", start="true")
    return replace(find_live(settings), timeout=1)


@pytest.fixture
def running(live: Live) -> subprocess.Popen[str]:
    """A process that has the lock that a Neo4j has."""
    command = [sys.executable, "-c", HOLDER, str(live.store.database.parent / "store_lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline()
    return process


def test_it_runs_while_its_lock_is_held(live: Live, running: subprocess.Popen[str]) -> None:
    """By its lock, which a rebuild holds while it renames."""
    assert live.runs()
    with pytest.raises(RunError, match="it was restarted"), live.locked():
        pass
    running.communicate()
    assert not live.runs()
    with live.locked():
        pass


def test_one_that_runs_must_answer(live: Live, running: subprocess.Popen[str]) -> None:
    """Then a swap could not be proved; where it does not run, that is all right."""
    with pytest.raises(RunError, match=r"does not answer at the address of rebuild\.bolt \(ServiceUnavailable\)"):
        live.check()
    running.communicate()
    assert not live.check()


def test_a_stop_is_done_when_the_lock_is_free(live: Live, running: subprocess.Popen[str], tmp_path: Path) -> None:
    """It is done when the lock is free. A command that fails, or does nothing, is told of; none gets a password."""
    log = tmp_path / "logs" / "stop.log"
    with pytest.raises(RunError, match="the stop command has ended, but Neo4j is still running"):
        live.stop(log)
    failing = replace(live, stop_command="echo $NEO4J_HOME is not mine, ${NEO4J_PASSWORD:-no password}; exit 5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEO4J_PASSWORD", "never-to-be-shown")
        with pytest.raises(RunError, match=rf"ended with exit code 5; its output is in {log}"):
            failing.stop(log)
    assert log.read_text() == f"{live.home.home} is not mine, no password\n"
    with pytest.raises(RunError, match="the stop command took longer than 1 s"):
        replace(live, stop_command="sleep 60").stop(log)
    replace(live, stop_command=f"kill {running.pid}").stop(log)
    assert running.wait() != 0
    failing.stop(log)  # it does not run, so it is stopped
    running.communicate()


def test_a_slow_stop_is_waited_for(live: Live, running: subprocess.Popen[str]) -> None:
    """A stop that took too long may be done a little later; one that never is, is waited for no longer than that."""
    live.wait_until_stopped()
    assert live.runs()
    threading.Timer(0.3, running.communicate).start()
    replace(live, timeout=60).wait_until_stopped()
    assert not live.runs()


def test_a_start_is_done_when_the_database_answers(live: Live, tmp_path: Path) -> None:
    """It is done when the database answers. A command that fails ends the waiting."""
    log = tmp_path / "start.log"
    with pytest.raises(
        RunError, match=rf"did not answer within 1 s of the start command \(ServiceUnavailable\).*{log}"
    ):
        live.start(log)
    with pytest.raises(RunError, match="the start command ended with exit code 3"):
        replace(live, timeout=600, start_command="exit 3").start(log)


def test_a_login_that_is_refused(neo4j_home: Neo4jHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password, or one that expired: each with what to do."""
    monkeypatch.setenv("NEO4J_PASSWORD", "never-to-be-shown")
    with serve(neo4j_home, tmp_path, Access(0, None, "never-to-be-shown")) as server:
        settings = RebuildSettings(bolt=server.bolt_uri, user="neo4j")
        assert fault(settings) == ""
        with neo4j.GraphDatabase.driver(server.bolt_uri, auth=server.access.login) as driver:
            driver.execute_query("ALTER USER neo4j SET PASSWORD 'expired already' CHANGE REQUIRED", database_="system")
        wrong = fault(settings)
        monkeypatch.setenv("NEO4J_PASSWORD", "expired already")
        expired = fault(settings)
    assert wrong == (
        "Neo4j refused the user or the password: give the user with rebuild.user (or NEO4J_USERNAME) and the password"
        " in NEO4J_PASSWORD"
    )
    assert expired.startswith("Neo4j lets this user do nothing but change the password")

"""A server is there for its block, and gone afterwards, however that ends."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import neo4j
import psutil
import pytest

from exporter.errors import RunError
from exporter.store.provision import Neo4jHome
from exporter.store.server import Server, serve
from tests.conftest import find_java

HOLD = """
import sys, time
from pathlib import Path
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
home = Neo4jHome(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
with serve(home, Path(sys.argv[4])) as server:
    print(server.process_id, flush=True)
    time.sleep(600)
"""


def processes(server_id: int) -> list[psutil.Process]:
    """A server's process and the one it started."""
    return [psutil.Process(server_id), *psutil.Process(server_id).children(recursive=True)]


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_server_lives_as_long_as_its_block(each_neo4j: Neo4jHome, tmp_path: Path) -> None:
    """It answers on this machine only, and is gone after an error too, even where it was to be kept."""
    running: list[psutil.Process] = []
    with pytest.raises(ZeroDivisionError), serve(each_neo4j, tmp_path) as server:
        running = processes(server.process_id)
        listening = [
            (connection.laddr.ip, connection.laddr.port)
            for process in running
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert [(ip.removeprefix("::ffff:"), f"bolt://127.0.0.1:{port}") for ip, port in listening] == [
            ("127.0.0.1", server.bolt_uri)
        ]
        server.keep = True
        raise ZeroDivisionError
    assert running and all(ended(process) for process in running)


def test_a_kept_server_outlives_its_block(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Until it is told to stop, as its stop_command says."""
    with serve(neo4j_home, tmp_path) as server:
        server.keep = True
    running = processes(server.process_id)
    with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
        driver.verify_connectivity()
    assert server.stop_command == f"kill {server.process_id}"
    subprocess.run(server.stop_command.split(), check=True)
    psutil.wait_procs(running, timeout=60)
    assert all(ended(process) for process in running)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_the_server_goes_with_the_process_that_started_it(
    neo4j_home: Neo4jHome, tmp_path: Path, stop: signal.Signals
) -> None:
    """However that process ends."""
    home = [str(neo4j_home.home), str(neo4j_home.java_home), neo4j_home.version]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, *home, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert holder.stdout is not None
    running = processes(int(holder.stdout.readline()))
    holder.send_signal(stop)
    holder.communicate(timeout=90)
    psutil.wait_procs(running, timeout=60)
    assert all(ended(process) for process in running)


def test_a_server_that_does_not_start(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """On a store that another server has open; the error quotes the last cause in the log, and names it."""
    with serve(neo4j_home, tmp_path / "store") as server:
        other = tmp_path / "other"
        other.mkdir()
        (other / "data").symlink_to(tmp_path / "store" / "data")
        with (
            pytest.raises(RunError, match=r"did not start: \S.*; its whole log is .*console\.log$") as failed,
            serve(neo4j_home, other),
        ):
            raise AssertionError
        assert "lock" in str(failed.value).lower()
        assert isinstance(server, Server)
        assert not ended(psutil.Process(server.process_id))


def test_a_java_that_is_too_old(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """What Java says of it is quoted, and not the stack below."""
    java_home = find_java({"17"})
    if java_home is None:
        pytest.skip("no Java 17 is installed here")
    with pytest.raises(RunError) as failed, serve(replace(neo4j_home, java_home=java_home), tmp_path):
        raise AssertionError
    assert str(failed.value).startswith(
        f"Neo4j {neo4j_home.version} did not start: java.lang.UnsupportedClassVersionError: org/neo4j/"
    )

"""A server that outlived its command is found by its command line alone, and stopped by force where need be."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from exporter.store.process import find_server, stop_server

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


@contextmanager
def program(name: str, directory: Path, code: str, *arguments: str) -> Iterator[psutil.Process]:
    """A running program of that name."""
    executable = directory / name
    if not executable.exists():
        executable.symlink_to(sys.executable)
    with subprocess.Popen([executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield psutil.Process(process.pid)
        process.kill()


def test_a_server_is_found_by_its_store(tmp_path: Path) -> None:
    """Not a shell that has the flag on its command line too, nor the server of another store."""
    store, other = tmp_path / "a store", tmp_path / "a store 2"
    flag = f"--config-dir={store.resolve()}/conf"
    with program("sh", tmp_path, SLEEP, flag), program("java", tmp_path, SLEEP, f"{flag}/x"):
        assert find_server(store) is None
        with program("java", tmp_path, SLEEP, flag) as server:
            assert (find_server(store), find_server(other)) == (server, None)
    assert find_server(store) is None


def test_a_server_that_ignores_sigterm(tmp_path: Path) -> None:
    """Is killed; one that has ended already is no error."""
    with program("java", tmp_path, DEAF) as server:
        stop_server(server, timeout=0.5)
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    stop_server(server)

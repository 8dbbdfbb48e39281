"""A server that outlived its command is found by its command line alone, and stopped whether it heeds or not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from exporter.store.process import running, stop

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


@contextmanager
def program(name: str, place: Path, code: str, *arguments: str) -> Iterator[psutil.Process]:
    """A running program of that name."""
    executable = place / name
    if not executable.exists():
        executable.symlink_to(sys.executable)
    with subprocess.Popen([executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield psutil.Process(process.pid)
        process.kill()


def test_a_server_is_found_by_its_store(tmp_path: Path) -> None:
    """Not a shell that has it on its command line too, and not the server of another store."""
    store, other = tmp_path / "a store", tmp_path / "a store 2"
    flag = f"--config-dir={store.resolve()}/conf"
    with program("sh", tmp_path, SLEEP, flag), program("java", tmp_path, SLEEP, f"{flag}/x"):
        assert running(store) is None
        with program("java", tmp_path, SLEEP, flag) as server:
            assert (running(store), running(other)) == (server, None)
    assert running(store) is None


def test_a_server_that_does_not_heed(tmp_path: Path) -> None:
    """Is killed; one that is gone already is no fault."""
    with program("java", tmp_path, DEAF) as server:
        stop(server, patience=0.5)
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    stop(server)

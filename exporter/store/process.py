"""A server that outlived the command that started it: found by its store, and stopped."""

from pathlib import Path

import psutil

from exporter.errors import RunError

# How a server's process names its configuration, by which it is found.
CONF_FLAG = "--config-dir="

_STOP_SECONDS = 60
_KILL_SECONDS = 10


def find_server(directory: Path) -> psutil.Process | None:
    """The server on the store in `directory`, found by its command line: a recorded process id could be
    another process's by now."""
    flag = f"{CONF_FLAG}{directory.resolve() / 'conf'}"
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or [""]  # none if we may not see it
        # The shell that watches the server has the flag on its command line, too.
        if flag in command and Path(command[0]).name == "java":
            return process
    return None


def stop_server(process: psutil.Process, *, timeout: float = _STOP_SECONDS) -> None:
    """Stops a server, by force if it has not ended after `timeout` seconds. Raises `RunError` if it belongs to another
    user."""
    try:
        process.terminate()
        if psutil.wait_procs([process], timeout=timeout)[1]:
            process.kill()
            psutil.wait_procs([process], timeout=_KILL_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise RunError(f"the server cannot be stopped: process {process.pid} belongs to another user") from None

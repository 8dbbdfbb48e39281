"""A server that outlived the command that started it: found again, asked for, stopped."""

from pathlib import Path

import psutil

from exporter.errors import RunError
from exporter.store.server import CONF_FLAG

_STOP_SECONDS = 60
_KILL_SECONDS = 10


def running(directory: Path) -> psutil.Process | None:
    """The server on the store in `directory`, found by its command line: a process id that was written down could be
    somebody else's by now."""
    flag = f"{CONF_FLAG}{directory.resolve() / 'conf'}"
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or [""]  # none of those that are not ours to see
        # The shell that watches over a start has the flag on its command line too.
        if flag in command and Path(command[0]).name == "java":
            return process
    return None


def stop(process: psutil.Process, *, patience: float = _STOP_SECONDS) -> None:
    """Ends a server, by force when it does not heed. Raises RunError when it is somebody else's."""
    try:
        process.terminate()
        if psutil.wait_procs([process], timeout=patience)[1]:
            process.kill()
            psutil.wait_procs([process], timeout=_KILL_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise RunError(f"the server may not be stopped: process {process.pid} is another user's") from None

"""One process at a time: a lock file, released if its process dies."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from exporter.errors import BusyError, RunError, UsageError

# `exporter rebuild --status` shares a lock for the instant in which it looks whether somebody holds it.
LOOK_SECONDS = 0.2


@contextmanager
def hold_lock(path: Path, *, busy: str, remedy: str) -> Iterator[None]:
    """Holds the lock file `path` (0600, in directories of 0700); a process that dies lets go of it.

    Raises `BusyError` with the sentence `busy` if another process holds it. If the directory cannot be used, raises
    `UsageError` with the `remedy`, or `RunError` if its disk is full.
    """
    lock = FileLock(path, mode=0o600)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=LOOK_SECONDS)
    except Timeout:
        if not path.exists():  # filelock waits for a file that cannot be made, as below /proc
            raise UsageError(f"cannot write to {path.parent}; {remedy}") from None
        raise BusyError(busy) from None
    except NotImplementedError:
        raise UsageError(f"the file system of {path.parent} does not support locks; {remedy}") from None
    except OSError as error:
        kind = RunError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
        raise kind(f"cannot write to {path.parent}: {error.strerror}; {remedy}") from None
    try:
        yield
    finally:
        with suppress(OSError):  # as it is closed, it is released, whatever the system says of it
            lock.release()

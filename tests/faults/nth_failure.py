"""The n-th call of a kind, on a path below a directory, fails: a small library that is preloaded into a program and all
that it starts (nth_failure.c)."""

import errno
import mmap
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("nth_failure.c")
# As `struct state` has it: below, kind, number, action, sticky, counted, reached, jump, path, of.
STATE = struct.Struct("512s32sqqqqqq512s16q")
COUNTS = struct.Struct("qqq512s16q")
COUNTS_AT = STATE.size - COUNTS.size
KILL, SHORT, EXIT, JUMP = -1, -2, -3, -4
# An action below is a signal, which does not keep the call from being made.
SIGNALS = -100
KINDS = ("open", "write", "fsync", "rename", "link", "mkdir", "ftruncate", "unlink", "close")
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR)


@dataclass(frozen=True, slots=True)
class Failure:
    """Which call fails and how: an errno, `KILL` (its process ends there), `SHORT` (only half is written), `EXIT` (a
    worker ends there with exit code 0), `JUMP` (from then on, the clock is ahead by `jump` seconds), or `SIGNALS` less
    a signal's number, which the process then gets. With `sticky`, all later ones fail, too. Number 0 only counts."""

    kind: str = "any"
    number: int = 0
    action: int = errno.EIO
    sticky: bool = False
    jump: int = 0

    def __str__(self) -> str:
        names = {KILL: "SIGKILL", SHORT: "short", EXIT: "exit 0", JUMP: f"the clock jumps by {self.jump} s"}
        name = names.get(self.action) or (
            signal.Signals(SIGNALS - self.action).name if self.action < SIGNALS else errno.errorcode[self.action]
        )
        return f"{self.kind} {self.number} {name}{' and later' * self.sticky}"


class Preloaded:
    """The library, and what it is to do; `environment` is what a program needs to have it."""

    def __init__(self, library: Path, file: Path) -> None:
        file.write_bytes(bytes(STATE.size))
        with file.open("r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), STATE.size)
        self.environment = {"LD_PRELOAD": str(library), "FAULT_STATE": str(file)}

    def arm(self, below: Path, failure: Failure) -> None:
        """From now on, this call below a directory fails; counting begins anew."""
        self.memory[:] = STATE.pack(
            os.fsencode(below), failure.kind.encode(), failure.number, failure.action, failure.sticky, 0, 0,
            failure.jump, b"", *[0] * 16,
        )  # fmt: skip

    def disarm(self) -> None:
        """From now on, every call passes."""
        self.memory[:512] = bytes(512)

    @property
    def counted(self) -> int:
        """The calls of the kind so far."""
        return int(COUNTS.unpack(self.memory[COUNTS_AT:])[0])

    @property
    def by_kind(self) -> dict[str, int]:
        """The calls so far by their kind."""
        return dict(zip(KINDS, COUNTS.unpack(self.memory[COUNTS_AT:])[4:], strict=False))

    @property
    def reached(self) -> int:
        """How many calls have failed."""
        return int(COUNTS.unpack(self.memory[COUNTS_AT:])[1])

    @property
    def where(self) -> str:
        """The first call that failed: its kind and path."""
        return str(COUNTS.unpack(self.memory[COUNTS_AT:])[3].split(b"\0")[0], errors="replace")


def compiler() -> str | None:
    """A C compiler; None where there is none, or nothing can be preloaded."""
    return shutil.which("cc") if os.uname().sysname == "Linux" else None


def compiled(directory: Path, source: Path = SOURCE) -> Path:
    """The library, or another one of this source, compiled into a directory."""
    library = directory / f"{source.stem}.so"
    command = [compiler() or "cc", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


@contextmanager
def preloaded(library: Path, directory: Path) -> Iterator[Preloaded]:
    """The library with its state in a directory."""
    loaded = Preloaded(library, directory / "state")
    yield loaded
    loaded.memory.close()

"""What others can see of a run besides its result, and the search in it for what nobody may tell.

Looks cost little: a run's processes are read from /proc a few times a second, its sessions once a second, files and
sessions also at the moment of a fault; all else is searched once it is over.
"""

import os
import re
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from exporter.sink import layout
from tests.support.export_process import EXPORTER

if TYPE_CHECKING:
    from tests.faults.attempt import Attempt
    from tests.faults.ground import Ground

LOOK_SECONDS, SESSIONS_SECONDS = 0.25, 1.0
SESSIONS = "select application_name, query from pg_stat_activity where application_name ~ '^exporter'"
# What the server logs of everything that is asked of it; parameters it logs only if it is told to.
LOGGED = {"log_statement": "all", "log_connections": "on", "log_disconnections": "on", "log_parameter_max_length": "0",
          "log_line_prefix": "%m [%p] <%a> "}  # fmt: skip
ENTRY = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)
# Of sessions that have no name: the tests' own.
NAMELESS = "] <> "
WORKER, TERMINATED = "spawn_main", 1 << 14
# The files of a faithful export that hold rows, or examples of rejects.
OF_ROWS = (f"--exclude={layout.REPORT}", "--exclude=*.csv",
           *(f"--exclude-dir={name}" for name in (layout.KEY_INDEX, layout.ATTEMPTS)))  # fmt: skip
# In the names of all directories of a run.
PATH_CANARY = "cnrypath"

# Texts by the place where they were seen.
Seen = dict[str, set[str]]


@dataclass(slots=True)
class Watch:
    """What was seen of a run while it lasted. `limits` are the processes that could leave a core file."""

    seen: Seen = field(default_factory=lambda: defaultdict(set))
    limits: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    looks: int = 0

    def look(self, leader: int, others: Mapping[int, bool]) -> None:
        """Looks at the processes of a run, whose session is the leader's, and of others that do its work: of their
        sessions some may know the password."""
        self.looks += 1
        for process, session in of_sessions({leader, *others}):
            with suppress(OSError):
                self.look_at(process, is_leader=process == leader, knows=others.get(session, False))

    def look_at(self, process: int, *, is_leader: bool, knows: bool) -> None:
        """Looks at one process. Raises `OSError` if it is gone.

        The leader has its secrets from its own environment; so has whatever starts it, or was forked by it a moment
        ago. Its command line is that of whoever called it. What it starts has them from nowhere.
        """
        place = Path(f"/proc/{process}")
        command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        if is_leader or str(EXPORTER) in command:
            self.seen["the command line of the leader"].add(command)
        else:
            self.seen["the command line of what a run starts"].add(command)
            if not knows:
                self.seen["the environment of what a run starts"].add((place / "environ").read_text(errors="replace"))
        if is_ready(place, command) and (limit := core_limit(place)) != "0":
            self.limits.add(f"core files of {limit} bytes ({command[:60]})")

    def look_at_sessions(self, ground: "Ground") -> None:
        """Looks at the sessions with the source, if the server answers: from another database, which nobody drops."""
        uri = urlsplit(ground.admin)._replace(path="/postgres").geturl()
        with suppress(psycopg.Error), psycopg.connect(uri, autocommit=True, connect_timeout=2) as connection:
            self.seen["pg_stat_activity"] |= {"\n".join(row) for row in connection.execute(SESSIONS)}

    def look_at_files(self, attempt: "Attempt") -> None:
        """Looks at the files of a run that lasts."""
        with suppress(OSError):  # what is there comes and goes
            self.told |= {f"{text}, during the run" for text in in_files(attempt)}


def of_sessions(sessions: Container[int]) -> Iterator[tuple[int, int]]:
    """The processes of some sessions, each with its session. (psutil asks much more of each.)"""
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdecimal():
            with suppress(OSError):
                if (session := os.getsid(int(name))) in sessions:
                    yield int(name), session


def is_ready(place: Path, command: str) -> bool:
    """Whether a process has begun to be ours: the leader once it handles signals, a worker once it is quiet."""
    if WORKER in command:
        return (place / "fd" / "2").readlink() == Path(os.devnull)
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", (place / "status").read_text(), re.MULTILINE)
    return bool(str(EXPORTER) in command and caught and int(caught[1], 16) & TERMINATED)


def core_limit(place: Path) -> str:
    """The soft limit of a process's core file."""
    found = re.search(r"^Max core file size\s+(\S+)", (place / "limits").read_text(), re.MULTILINE)
    return found[1] if found else "unknown"


@contextmanager
def watched(attempt: "Attempt") -> Iterator[None]:
    """Looks at a run, whose process has been started, while the block runs."""
    over = threading.Event()

    def watch() -> None:
        assert attempt.process is not None
        next_event, sessions_at = attempt.injected, time.monotonic() + SESSIONS_SECONDS / 2
        while not over.is_set():
            next_event.wait(LOOK_SECONDS)
            attempt.watch.look(attempt.process.pid, attempt.ground.workers())
            if next_event is not over and next_event.is_set():
                attempt.watch.look_at_files(attempt)
                next_event, sessions_at = over, time.monotonic()
            if time.monotonic() >= sessions_at:
                attempt.watch.look_at_sessions(attempt.ground)
                sessions_at = time.monotonic() + SESSIONS_SECONDS

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


def leaks(attempt: "Attempt") -> list[str]:
    """What a run has told that nobody may tell, and where, once it is over; nothing if all is well."""
    watch = attempt.watch
    place = attempt.directory / "seen"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    printed = attempt.ground.printed() | {name: attempt.text(name) for name in ("stdout", "stderr")}
    texts = printed | {name: "\n".join(sorted(found)) for name, found in watch.seen.items()}
    texts["the server's log"] = "".join(logged(attempt))
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8", errors="replace")
    found = search(attempt.ground, place, everywhere=True)
    strict = ("the server's log", "pg_stat_activity", "the command line of what a run starts")
    found |= {f"the path of a file in {name}" for name in strict if PATH_CANARY in texts.get(name, "").lower()}
    return sorted(found | watch.limits | watch.told | in_files(attempt))


def logged(attempt: "Attempt") -> list[str]:
    """What the server has logged of the run's sessions since it began."""
    path = attempt.ground.log
    if path is None or not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(attempt.log_size if path.stat().st_size >= attempt.log_size else 0)
        text = file.read().decode(errors="replace")
    return [entry for entry in ENTRY.split(text) if NAMELESS not in entry[:80]]


def in_files(attempt: "Attempt") -> set[str]:
    """What a run's files tell: the password, a key or the way to a file in any, a value of the source where there are
    no rows; of a masked copy, anywhere."""
    ground = attempt.ground
    found = search(ground, attempt.output, everywhere=ground.masked)
    for name in ("tmp", "work"):
        found |= search(ground, attempt.directory / name, everywhere=True)
    for export in (path for path in attempt.output.iterdir() if path.is_dir() and not path.is_symlink()):
        found |= search(ground, export, everywhere=True, without=OF_ROWS)
        # The report says how to look at it where it was made.
        paths = ["grep", "-raislF", f"--exclude={layout.REPORT}", "--", PATH_CANARY, str(export)]
        told = subprocess.run(paths, capture_output=True, check=False).stdout.decode(errors="replace").splitlines()
        found |= {f"the path of a file in {Path(name).name}" for name in told}
    return found


def search(ground: "Ground", place: Path, *, everywhere: bool, without: Iterable[str] = ()) -> set[str]:
    """What the files below a place tell that nobody may tell at all; or also what nobody may tell but in an export
    that has it by design. A key is looked for as digits, and as it is."""
    patterns = ground.patterns(everywhere=everywhere)
    command = ["grep", "-raioHZsF", "-f", patterns, *without, "--", place]
    environment = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    found = set()
    for line in done.stdout.decode(errors="replace").lower().splitlines():
        name, _, text = line.partition("\0")
        found.add(f"{ground.secrets.get(text, text)} in {Path(name).name}")
    for path in place.rglob("*") if ground.keys else ():
        with suppress(OSError):
            content = path.read_bytes() if path.is_file() else b""
            found |= {f"a key in {path.name}" for key in ground.keys if key in content}
    return found

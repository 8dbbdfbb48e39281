"""A run of the command line as a process of its own, observed and disturbed from outside."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import psutil
import psycopg

from exporter.progress.log import LINE_SECONDS

EXPORTER = Path(sys.executable).with_name("exporter")
PASSWORD = "never-to-be-shown"
DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d "
# Not the error that ends a run, which is dated once a stage has begun.
PROGRESS = re.compile(f"{DATE}(?!exporter: )")
TIMEOUT = 60

Found = TypeVar("Found")


def eventually(found: Callable[[], Found], event: str, timeout: float = TIMEOUT, pause: float = 0.03) -> Found:
    """The first true result of `found`, which is called until then, after a pause each time; fails after `timeout`
    seconds."""
    deadline = time.monotonic() + timeout
    while not (result := found()):
        assert time.monotonic() < deadline, f"waited in vain for {event}"
        time.sleep(pause)
    return result


@dataclass
class Run:
    """A running `exporter export` in a session (and process group) of its own."""

    process: subprocess.Popen[str]
    output: Path
    before: dict[str, str]
    uri: str
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def wait_for_session(self, condition: str, *, reader: bool = False) -> int:
        """The server process of the run's leader, or of a reader, as soon as one meets a condition on
        `pg_stat_activity`."""
        query = (
            "select pid from pg_stat_activity where datname = current_database() and"
            f" application_name ~ '^exporter [0-9TZ]+{' reader [0-9a-f]+' * reader}$' and {condition}"
        )
        with psycopg.connect(self.uri, autocommit=True) as connection:
            row = eventually(
                lambda: self.ended_or(connection.execute(query.encode()).fetchone()), f"a session with {condition}"
            )
        assert isinstance(row, tuple)
        return int(row[0])

    def ended_or(self, found: Found) -> Found:
        assert found or self.process.poll() is None, f"the run ended early: {''.join(self.lines)}"
        return found

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        return [child for child in processes(self.process.pid) if "spawn_main" in " ".join(command_of(child))]

    def signal_group(self, number: signal.Signals) -> None:
        """As a terminal does on ^C: to the leader and all workers."""
        os.killpg(self.process.pid, number)

    def end(self) -> int:
        """Waits for the run's end; returns its exit code."""
        code = self.process.wait(TIMEOUT)
        self.listener.join(TIMEOUT)
        return code

    @property
    def result(self) -> str:
        """What stdout has."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def check_failed(self, code: int, sentence: str, kept: Sequence[str] = ()) -> None:
        """Asserts that the run ends with this exit code, prints one sentence and nothing else, and leaves nothing
        behind: no export, `latest` where it was, no partial directory, no process, no session on the server. `kept` are
        patterns of names that may be new in the output directory."""
        assert (self.end(), self.result) == (code, ""), self.lines
        check_calm(self.lines)
        messages = [line for line in self.lines if not PROGRESS.match(line)]
        assert re.fullmatch(f"({DATE})?exporter: {sentence}\n", "".join(messages)), messages
        assert PASSWORD not in "".join(self.lines)
        assert unexpected(self.output, self.before, kept) == {}
        self.check_gone()

    def check_gone(self) -> None:
        """Asserts that no process and no session of the run is left."""
        eventually(lambda: not processes(self.process.pid), "the end of all processes")
        with suppress(psycopg.OperationalError), psycopg.connect(self.uri, autocommit=True) as connection:
            query = "select from pg_stat_activity where datname = current_database() and application_name ~ '^exporter'"
            eventually(lambda: connection.execute(query).fetchone() is None, "the end of all sessions")


def check_calm(lines: Sequence[str]) -> None:
    """Asserts that dated lines are no closer than they should be, but for the one that says that a wait begins; their
    times are in whole seconds."""
    calm = [line for line in lines if PROGRESS.match(line) and " · Waiting for " not in line]
    dated = [datetime.fromisoformat(line.split(" ")[0]) for line in calm]
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(dated)]
    assert all(seconds >= LINE_SECONDS - 1 for seconds in apart), lines


@contextmanager
def running(uri: str, output: Path, *options: str, command: Sequence[str] = ()) -> Iterator[Run]:
    """An export of the source while the block runs, by way of `command` where one is given; killed at its end."""
    before = contents(output)
    with_password = urlsplit(uri)._replace(netloc=urlsplit(uri).netloc.replace("@", f":{PASSWORD}@")).geturl()
    process = subprocess.Popen(
        [*command, EXPORTER, "export", "--output", output, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"EXPORTER_SOURCE": with_password},
    )
    with process:
        run = Run(process, output, before, uri)
        try:
            yield run
        finally:
            for left in processes(process.pid):
                with suppress(psutil.NoSuchProcess):
                    left.kill()


def processes(session: int) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def command_of(process: psutil.Process) -> list[str]:
    """The command line of a process that may be gone."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def contents(output: Path) -> dict[str, str]:
    """The names in an output directory, with where its links point."""
    names = output.iterdir() if output.is_dir() else ()
    return {path.name: str(path.readlink()) if path.is_symlink() else "" for path in names}


def unexpected(output: Path, before: dict[str, str], kept: Sequence[str]) -> dict[str, str | None]:
    """What changed in an output directory, besides the lock file and names that match one of `kept`."""
    now = contents(output)
    return {
        name: now.get(name)
        for name in before.keys() | now.keys()
        if before.get(name) != now.get(name) and name != ".lock" and not any(re.fullmatch(k, name) for k in kept)
    }

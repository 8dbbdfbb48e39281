"""Lines on stderr: messages, and the plain dated lines of a run's progress (live.py is the live view)."""

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TextIO

from rich.console import Console

from exporter.errors import UsageError
from exporter.interrupts import start_thread
from exporter.progress.console import SafeConsole
from exporter.progress.state import ProgressState
from exporter.text import visible_lines

# Lines are at least this many seconds apart, and at least this share of the run's time so far: a night's log stays
# readable.
LINE_SECONDS = 5.0
SHARE_OF_RUN = 0.05
POLL_SECONDS = 0.25
TABLES_A_LINE = 3
# The lines of an error are indented, but for the first.
STRAY_BREAK = re.compile(r"\n(?!  )")


def print_if_possible(text: str, stream: TextIO) -> None:
    """Prints text, whose control characters cannot command a terminal. Where that fails, on a full disk or a pipe that
    nobody reads, the run goes on without."""
    try:
        print(visible_lines(text), file=stream, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


_quiet: bool | None = None
_dated = False


def choose_verbosity(*, quiet: bool) -> None:
    """From now on stderr gets errors only, or everything that the program logs. Raises `UsageError` for both."""
    global _quiet
    if _quiet not in (None, quiet):
        raise UsageError("choose one of --quiet and --verbose")
    _quiet = quiet
    logging.getLogger("exporter").setLevel(logging.CRITICAL if quiet else logging.DEBUG)


def is_verbose() -> bool:
    """Whether stderr gets everything that the program logs."""
    return _quiet is False


def begin_dated_log() -> None:
    """From now on errors are dated, too."""
    global _dated
    _dated = True


def log_error(text: str) -> None:
    """Prints an error on stderr if possible, with the local time if the lines before it have theirs. A line break that
    begins no line of ours came with a name, and is escaped as in `visible`."""
    text = STRAY_BREAK.sub(r"\\n", text)
    print_if_possible(dated(text) if _dated else text, sys.stderr)


def log_stderr(text: str) -> None:
    """Prints what is not an error on stderr if possible, unless that was silenced."""
    if not _quiet:
        print_if_possible(text, sys.stderr)


def stderr_console() -> Console:
    """The console on stderr for what is not an error: it prints nothing when that was silenced."""
    return SafeConsole(stderr=True, quiet=bool(_quiet))


def log_dated(text: str) -> None:
    """Prints on stderr, prefixed with the local time."""
    begin_dated_log()
    log_stderr(dated(text))


def dated(text: str) -> str:
    """A text with the local time before it."""
    return f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}"


class PlainLines:
    """The progress of a run as dated lines, the first at once. Their own thread prints them, so that they also appear
    while the run waits for a lock."""

    def __init__(self, print_line: Callable[[str], None] = log_dated) -> None:
        self.state = ProgressState()
        self.print_line = print_line
        self.printed: float | None = None
        self.waited = False
        self.ended = threading.Event()

    def __enter__(self) -> ProgressState:
        self.thread = start_thread(self.print_until_ended)
        return self.state

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ended.set()
        self.thread.join()
        self.state.end()
        if self.print_line is log_dated and self.state.times.seconds:
            begin_dated_log()  # even if the run ended before its first line was due

    def print_until_ended(self) -> None:
        while not self.ended.wait(POLL_SECONDS):
            self.print_when_due()

    def print_when_due(self) -> None:
        """Prints a line if a stage has begun and the previous line is old enough, or if a wait for a lock begins."""
        state, now = self.state, time.monotonic()
        lock_wait = state.lock_wait
        begins, self.waited = bool(lock_wait) and not self.waited, bool(lock_wait)
        seconds = max(LINE_SECONDS, (now - state.began) * SHARE_OF_RUN)
        if not state.times.current or (self.printed is not None and now - self.printed < seconds and not begins):
            return
        self.printed = now
        if state.counts_rows and state.rows:
            line = f"{state.rows_text()}{state.memory_text()} · {state.time_left()}"
        else:
            line = f"{state.stage_text()}{state.memory_text()}"
        reading = ", ".join(state.reading[:TABLES_A_LINE])
        self.print_line(" · ".join(part for part in (line, reading, lock_wait) if part))

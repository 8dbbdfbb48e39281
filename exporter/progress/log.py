"""What a run says of itself while it runs, on stderr: its numbers, and plain dated lines (view.py is the live view)."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType

from exporter.progress.state import Numbers

# Plain lines come this many seconds apart, and ever farther in a long run: a night's log stays readable.
LINE_SECONDS = 5.0
LINES_A_RUN = 20
# How often it is looked whether a line is due.
LOOK_SECONDS = 0.25
TABLES_A_LINE = 3


def log_stderr(text: str) -> None:
    """Prints on stderr. Where that fails, with a full disk or a pipe that nobody reads, the run goes on in silence."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def log_dated(text: str) -> None:
    log_stderr(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}")


class PlainLines:
    """Dated lines, the first at once: the stage that runs, and what has been done so far. A thread of its own says
    them, so that they come while the run waits for a lock, too."""

    def __init__(self, print_line: Callable[[str], None] = log_dated) -> None:
        self.numbers = Numbers(TABLES_A_LINE)
        self.said: float | None = None
        self.print_line = print_line
        self.ended = threading.Event()
        self.speaker = threading.Thread(target=self.speak, daemon=True)

    def __enter__(self) -> "PlainLines":
        self.speaker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ended.set()
        self.speaker.join()

    def speak(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            self.say_when_due()

    def say_when_due(self) -> None:
        """Says how far the run is, if the last line is long enough ago."""
        numbers, now = self.numbers, time.monotonic()
        apart = max(LINE_SECONDS, (now - numbers.began) / LINES_A_RUN)
        if not numbers.stage_name or (self.said is not None and now - self.said < apart):
            return
        self.said = now
        reading = ", ".join(filter(None, numbers.lanes))
        if numbers.stage_name == "tables" and numbers.rows:
            done = f"{numbers.counted()}{numbers.peak()} · {numbers.left()}"
        else:
            done = numbers.waiting()
        self.print_line(f"{done} · {reading}" if reading else done)

    def stage(self, name: str) -> None:
        self.numbers.stage(name)

    def totals(self, rows: Mapping[str, int], marks: Path) -> None:
        self.numbers.totals, self.numbers.marks = rows, marks

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.numbers.advance(table, rows, rejects)

    def tick(self, memory: int) -> None:
        self.numbers.tick(memory)

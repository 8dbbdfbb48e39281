"""What a run says of itself while it runs, on stderr: its numbers, and plain dated lines (view.py is the live view)."""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

STAGES = {
    "check": "Comparing the source with the model",
    "lock": "Locking the tables and taking the snapshot",
    "census": "Census: how many rows, which keys",
    "tables": "Exporting tables",
    "publish": "Publishing",
    "archive": "Packing the archive and publishing",
}
# Plain lines come this many seconds apart, and ever farther in a long run: a night's log stays readable.
LINE_SECONDS = 5.0
LINES_A_RUN = 20
# How often it is looked whether a line is due.
LOOK_SECONDS = 0.25
TABLES_A_LINE = 3
# Shaping and writing a chunk takes no longer, but for very wide ones.
SEEN_SECONDS = 3.0


class Numbers:
    """What both views show of a run, by the clock of `time.monotonic`."""

    def __init__(self, lanes: int) -> None:
        self.began = time.monotonic()
        self.stage_began = self.began
        self.stage_name = ""
        self.finished: dict[str, float] = {}
        self.totals: Mapping[str, int] = {}
        self.done: Counter[str] = Counter()
        self.rows = 0
        self.rejects = 0
        self.memory = 0
        self.marks: Path | None = None
        # What each worker, by its mark's name, read last, and when that was seen; what is read now, each in its place.
        self.latest: dict[str, tuple[str, float]] = {}
        self.lanes = [""] * lanes

    def stage(self, name: str) -> None:
        now = time.monotonic()
        if self.stage_name:
            self.finished[self.stage_name] = now - self.stage_began
        self.stage_name, self.stage_began = name, now
        self.latest.clear()
        self.lanes = [""] * len(self.lanes)

    def tick(self, memory: int) -> None:
        """Looks what the workers read. One that shapes and writes has no mark, and counts as reading for a while."""
        self.memory, now = memory, time.monotonic()
        for mark in sorted(self.marks.glob("*")) if self.marks else ():
            with suppress(OSError):  # it was done in this moment
                if what := mark.read_text(encoding="utf-8"):  # one that is being made is empty for a moment
                    self.latest[mark.name] = (what, now)
        recent = [what for what, seen in self.latest.values() if now - seen < SEEN_SECONDS]
        reading = dict.fromkeys(what for what in recent if not self.is_done(what))
        # What goes on being read stays in its place.
        self.lanes = [what if what in reading else "" for what in self.lanes]
        for what in reading:
            if what not in self.lanes and "" in self.lanes:
                self.lanes[self.lanes.index("")] = what

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.done[table] += rows
        self.rows += rows
        self.rejects += rejects

    def is_done(self, table: str) -> bool:
        return table in self.totals and self.done[table] >= self.totals[table]

    @property
    def title(self) -> str:
        return STAGES.get(self.stage_name, "")

    @property
    def seconds(self) -> float:
        """How long the stage has taken so far."""
        return time.monotonic() - self.stage_began

    @property
    def total(self) -> int:
        return sum(self.totals.values())

    @property
    def rate(self) -> float:
        """Rows a second since the stage began."""
        return self.rows / max(self.seconds, 0.5)

    def waiting(self) -> str:
        """A stage without rows to count: how long it has taken, once that is worth a word."""
        took = f" · {spoken(self.seconds)}" if self.seconds >= 1 else ""
        return f"{self.title}{took}{self.peak()}"

    def counted(self) -> str:
        return f"{self.rows:,} of {self.total:,} rows · {self.rate:,.0f}/s · {self.rejects:,} rejects"

    def left(self) -> str:
        """The time left at the rate so far; nothing before the first rows."""
        return f"{spoken((self.total - self.rows) / self.rate)} left" if self.rows else ""

    def peak(self) -> str:
        return f" · peak {self.memory >> 20} MB" if self.memory else ""


def spoken(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `1 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def clocked(seconds: float) -> str:
    """`4.5 s`, `42 s`, `3:20`, `1:05:00`: as short as it can be read."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def tell(text: str) -> None:
    """Prints on stderr. Where that fails, with a full disk or a pipe that nobody reads, the run goes on in silence."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def print_dated(text: str) -> None:
    tell(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}")


class PlainLines:
    """Dated lines, the first at once: the stage that runs, and what has been done so far. A thread of its own says
    them, so that they come while the run waits for a lock, too."""

    def __init__(self, print_line: Callable[[str], None] = print_dated) -> None:
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


class Wait:
    """Something that is waited for: its share once it is told one, and how long it has taken."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.share = ""
        self.began = self.last = time.monotonic()

    def __rich__(self) -> Text:
        return Text(str(self))

    def __str__(self) -> str:
        return f"{self.what}{self.share} · {spoken(time.monotonic() - self.began)}"

    def advance(self, done: int, total: int) -> None:
        self.share = f" · {done / max(total, 1):.0%}"

    def advance_and_say(self, done: int, total: int) -> None:
        """For where no live view shows it: a dated line every few seconds."""
        self.advance(done, total)
        if time.monotonic() - self.last >= LINE_SECONDS:
            self.last = time.monotonic()
            print_dated(str(self))


@contextmanager
def waiting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows what is waited for while the block runs, which is given what to tell how much is done, of how much."""
    wait, console = Wait(what), Console(stderr=True)
    if console.is_terminal:
        with Live(wait, console=console, refresh_per_second=4, transient=True):
            yield wait.advance
    else:
        yield wait.advance_and_say

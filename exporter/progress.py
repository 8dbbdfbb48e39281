"""What a run looks like while it runs: a live view on a terminal, plain dated lines otherwise; always on stderr."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

STAGES = {
    "check": "Comparing the source with the model",
    "count": "Taking the snapshot and counting",
    "census": "Census: which keys exist",
    "tables": "Exporting tables",
    "complete": "Writing the manifest and the checksums",
    "archive": "Packing the archive",
    "publish": "Publishing",
}
# Plain lines come this many seconds apart, and ever farther in a long run: a night's log stays readable.
LINE_SECONDS = 5.0
LINES_A_RUN = 20


class Numbers:
    """What both views show of a run, by the clock of `time.monotonic`."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.stage_began = self.began
        self.stage_name = ""
        self.total = 0
        self.rows = 0
        self.rejects = 0
        self.memory = 0
        self.table = ""

    def stage(self, name: str) -> None:
        self.stage_name = name
        self.stage_began = time.monotonic()

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.table = table
        self.rows += rows
        self.rejects += rejects

    @property
    def title(self) -> str:
        return STAGES.get(self.stage_name, "")

    @property
    def rate(self) -> float:
        """Rows a second since the stage began."""
        return self.rows / max(time.monotonic() - self.stage_began, 0.5)

    def waiting(self) -> str:
        """A stage without rows to count: how long it has taken."""
        return f"{self.title} · {spoken(time.monotonic() - self.stage_began)}{self.peak()}"

    def counted(self) -> str:
        return f"{self.rows:,} of {self.total:,} rows · {self.rate:,.0f}/s · {self.rejects:,} rejects{self.peak()}"

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


def tell(text: str) -> None:
    """Prints on stderr. Where that fails, with a full disk or a pipe that nobody reads, the run goes on in silence."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def print_dated(text: str) -> None:
    tell(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}")


class LiveView:
    """A bar with rate and time left that redraws in place; calm at 80 columns."""

    def __init__(self, console: Console) -> None:
        self.numbers = Numbers()
        self.live = Live(self, console=console, refresh_per_second=4, transient=True)

    def __rich__(self) -> RenderableType:
        numbers = self.numbers
        if numbers.stage_name != "tables":
            return Text(numbers.waiting() if numbers.title else "")
        line = Table.grid(Column(), Column(ratio=1), Column(), Column(), expand=True, padding=(0, 1))
        share = f"{numbers.rows / max(numbers.total, 1):.0%}"
        line.add_row(numbers.title, ProgressBar(max(numbers.total, 1), numbers.rows), share, numbers.left())
        below = numbers.counted() + (f" · {numbers.table}" if numbers.table else "")
        return Group(line, Text(below, style="dim", no_wrap=True, overflow="ellipsis"))

    def __enter__(self) -> "LiveView":
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.live.stop()

    def stage(self, name: str) -> None:
        self.numbers.stage(name)

    def totals(self, rows: int) -> None:
        self.numbers.total = rows

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.numbers.advance(table, rows, rejects)

    def tick(self, memory: int) -> None:
        self.numbers.memory = memory


class PlainLines:
    """Dated lines: one for each stage, and between them what has been done so far."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.last = time.monotonic()

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def say(self, text: str) -> None:
        self.last = time.monotonic()
        print_dated(text)

    def stage(self, name: str) -> None:
        self.numbers.stage(name)
        self.say(self.numbers.title)

    def totals(self, rows: int) -> None:
        self.numbers.total = rows

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.numbers.advance(table, rows, rejects)

    def tick(self, memory: int) -> None:
        self.numbers.memory = memory
        now = time.monotonic()
        if now - self.last < max(LINE_SECONDS, (now - self.numbers.began) / LINES_A_RUN):
            return
        if self.numbers.stage_name == "tables" and self.numbers.rows:
            self.say(f"{self.numbers.counted()} · {self.numbers.left()} · {self.numbers.table}")
        else:
            self.say(self.numbers.waiting())


class Comparison:
    """How far a comparison of files or databases is: its share once it is told one, and how long it has taken."""

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
def comparing(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows a comparison while the block runs, which is given what to tell how much is done, of how much."""
    comparison, console = Comparison(what), Console(stderr=True)
    if console.is_terminal:
        with Live(comparison, console=console, refresh_per_second=4, transient=True):
            yield comparison.advance
    else:
        yield comparison.advance_and_say


def watcher() -> LiveView | PlainLines:
    """The view that fits where stderr goes."""
    console = Console(stderr=True)
    return LiveView(console) if console.is_terminal else PlainLines()

"""What a run looks like while it runs: a live view on a terminal, plain dated lines otherwise; always on stderr."""

import sys
import time
from datetime import datetime
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

STAGES = {
    "check": "Comparing the source with the model",
    "count": "Taking the snapshot and counting",
    "census": "Census: which keys exist",
    "tables": "Exporting tables",
    "publish": "Publishing",
}
LINE_SECONDS = 5.0


class Numbers:
    """The counters both views show."""

    def __init__(self) -> None:
        self.stage_name = ""
        self.total = 0
        self.rows = 0
        self.rejects = 0
        self.memory = 0
        self.table = ""
        self.started = time.monotonic()

    def advance(self, table: str, rows: int, rejects: int) -> None:
        if not self.rows:
            self.started = time.monotonic()
        self.table = table
        self.rows += rows
        self.rejects += rejects

    @property
    def rate(self) -> float:
        """Rows a second since the first chunk."""
        return self.rows / max(time.monotonic() - self.started, 0.5)

    def counted(self) -> str:
        text = f"{self.rows:,} of {self.total:,} rows · {self.rate:,.0f}/s · {self.rejects:,} rejects"
        return text + (f" · {self.memory >> 20} MB" if self.memory else "")


class LiveView:
    """A bar with rate and time left that redraws in place; calm at 80 columns."""

    def __init__(self, console: Console) -> None:
        self.numbers = Numbers()
        self.bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=None), TaskProgressColumn(), TimeRemainingColumn(),
            console=console, expand=True,
        )  # fmt: skip
        self.task = self.bar.add_task("", total=None)
        self.live = Live(self, console=console, refresh_per_second=4, transient=True)

    def __rich__(self) -> RenderableType:
        if not self.numbers.total:
            return Text(f"{self.numbers.stage_name} …")
        below = self.numbers.counted()
        if self.numbers.table:
            below += f" · {self.numbers.table}"
        return Group(self.bar, Text(below, style="dim", no_wrap=True, overflow="ellipsis"))

    def __enter__(self) -> "LiveView":
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.live.stop()

    def stage(self, name: str) -> None:
        self.numbers.stage_name = STAGES[name]
        self.bar.update(self.task, description=STAGES[name])

    def totals(self, rows: int) -> None:
        self.numbers.total = rows
        self.bar.update(self.task, total=rows)

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.numbers.advance(table, rows, rejects)
        self.bar.update(self.task, advance=rows)

    def tick(self, memory: int) -> None:
        self.numbers.memory = memory


class PlainLines:
    """Dated lines, at most one every few seconds besides those of a new stage."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.last = time.monotonic()

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def say(self, text: str) -> None:
        self.last = time.monotonic()
        print(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}", file=sys.stderr, flush=True)

    def stage(self, name: str) -> None:
        self.numbers.stage_name = STAGES[name]
        self.say(STAGES[name])

    def totals(self, rows: int) -> None:
        self.numbers.total = rows

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.numbers.advance(table, rows, rejects)

    def tick(self, memory: int) -> None:
        self.numbers.memory = memory
        if time.monotonic() - self.last < LINE_SECONDS:
            return
        if not self.numbers.rows:
            self.say(f"{self.numbers.stage_name}: still at it")
            return
        left = (self.numbers.total - self.numbers.rows) / max(self.numbers.rate, 1)
        self.say(f"{self.numbers.counted()} · {left:.0f} s left · {self.numbers.table}")


def watcher() -> LiveView | PlainLines:
    """The view that fits where stderr goes."""
    console = Console(stderr=True)
    return LiveView(console) if console.is_terminal else PlainLines()

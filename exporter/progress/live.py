"""The live view of a run on a terminal: a few lines that stay where they are, calm from 60 columns on."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from exporter.progress.log import PlainLines
from exporter.progress.state import STAGES, Numbers
from exporter.text import format_clock, format_duration

# More than so many tables are not shown at once, and so many lines of the terminal are left to the rest of the view.
MOST_LANES = 6
OTHER_LINES = 7
NARROW = 72


class LiveView:
    """What a run does now, how far it is, and what it has done; it redraws in place and always has the same height."""

    def __init__(self, console: Console, workers: int) -> None:
        self.numbers = Numbers(max(1, min(workers, MOST_LANES, console.height - OTHER_LINES)))
        self.live = Live(self, console=console, refresh_per_second=4, transient=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> "list[RenderableType]":
        numbers, narrow = self.numbers, options.max_width < NARROW
        counting = numbers.stage_name == "tables"
        head = Table.grid(Column(ratio=1, no_wrap=True, overflow="ellipsis"), Column(justify="right"), expand=True)
        head.add_row(
            Text(numbers.title, "bold"), Text(numbers.left() if counting else format_duration(numbers.seconds), "bold")
        )
        return [
            head,
            self.bar() if counting else Text(),
            self.sums(counting, narrow),
            self.lanes(narrow),
            self.strip(narrow),
        ]

    def bar(self) -> RenderableType:
        """How much of all rows is done."""
        total, rows = max(self.numbers.total, 1), self.numbers.rows
        line = Table.grid(Column(ratio=1), Column(width=5, justify="right"), expand=True)
        line.add_row(bar(rows, total), f"{rows / total:.0%}")
        return line

    def sums(self, counting: bool, narrow: bool) -> Text:
        """Rows, rate, rejects and, where there is room, memory."""
        peak = "" if narrow else self.numbers.peak()
        said = self.numbers.counted() + peak if counting else peak.removeprefix(" · ")
        return Text(said, "dim", no_wrap=True, overflow="ellipsis")

    def lanes(self, narrow: bool) -> RenderableType:
        """What is read now, a line each: how many of a table's rows are done, with a bar where there is room."""
        numbers = self.numbers
        name = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        if numbers.stage_name != "tables":
            table = Table.grid(Column(width=2), name, expand=True)
            for what in numbers.lanes:
                table.add_row("", what)
            return table
        widest = len(f"{max(numbers.totals.values(), default=0):,}") * 2 + len(" of ")
        room = Column(width=1 if narrow else 18)
        table = Table.grid(Column(width=2), name, room, Column(width=widest + 1, justify="right"), expand=True)
        for what in numbers.lanes:
            done, total = numbers.done[what], numbers.totals.get(what, 0)
            if what:
                table.add_row("", what, "" if narrow else bar(done, max(total, 1)), f"{done:,} of {total:,}")
            else:
                table.add_row("")
        return table

    def strip(self, narrow: bool) -> Text:
        """All stages in a row: those that are finished with their time, the one that runs, those to come."""
        strip = Text(no_wrap=True, overflow="ellipsis")
        # The last stage is one of two.
        unused = "publish" if self.numbers.stage_name == "archive" else "archive"
        for name in (each for each in STAGES if each != unused):
            strip.append(" " if narrow and strip else "   " if strip else "")
            took = format_clock(self.numbers.finished.get(name, self.numbers.seconds))
            took = took.removesuffix(" s") if narrow else took
            if name in self.numbers.finished:
                strip.append(f"✓ {name} {took}", "green")
            elif name == self.numbers.stage_name:
                strip.append(f"▸ {name} {took}", "bold")
            else:
                strip.append(f"· {name}", "dim")
        return strip

    def __enter__(self) -> "LiveView":
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.live.stop()

    def stage(self, name: str) -> None:
        self.numbers.stage(name)

    def totals(self, rows: Mapping[str, int], marks: Path) -> None:
        self.numbers.totals, self.numbers.marks = rows, marks

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.numbers.advance(table, rows, rejects)

    def tick(self, memory: int) -> None:
        self.numbers.tick(memory)


def bar(done: int, total: int) -> ProgressBar:
    return ProgressBar(total, done, complete_style="cyan", finished_style="green")


def progress_display(workers: int) -> LiveView | PlainLines:
    """The view of a run with so many workers that fits where stderr goes."""
    console = Console(stderr=True)
    return LiveView(console, workers) if console.is_terminal else PlainLines()

"""The live view of a run on a terminal, from 60 columns on."""

from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from exporter.interrupts import signals_blocked
from exporter.progress.log import PlainLines, is_verbose, stderr_console
from exporter.progress.state import STAGES, ProgressState
from exporter.text import format_clock

# At most this many tables are shown at once.
MOST_TABLES = 6
# Below this width, the small bars, the memory and the units are left out.
NARROW = 72


class LiveView:
    """Shows the state of a run, redrawn in place while the block runs: the stage and how much is done, all stages, the
    tables being read."""

    def __init__(self, console: Console, state: ProgressState) -> None:
        self.state = state
        self.live = Live(self, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> ProgressState:
        with signals_blocked():  # as start_thread
            self.live.start()
        return self.state

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        state, narrow = self.state, options.max_width < NARROW
        if state.counts_rows:
            yield self.total()
            yield line(state.rows_text() + ("" if narrow else state.memory_text()), "dim")
        elif state.times.current:
            yield line(state.stage_text() + state.memory_text(), "bold")
        yield self.stage_bar(narrow)
        if state.lock_wait:
            yield Text(state.lock_wait, "yellow", overflow="fold")
        yield self.tables(narrow)

    def total(self) -> RenderableType:
        """How much of all rows is done, and the time left."""
        columns = TextColumn("[bold]{task.description}"), bar(None), TextColumn("{task.percentage:.0f}%")
        progress = Progress(*columns, TextColumn("[bold]{task.fields[left]}"), expand=True)
        progress.add_task(
            STAGES["tables"], total=self.state.total, completed=self.state.rows, left=self.state.time_left()
        )
        return progress.get_renderable()

    def stage_bar(self, narrow: bool) -> Text:
        """All stages in a row: finished ones with their time, the current one, and those to come."""
        times, text = self.state.times, line("")
        # The last stage is one of two, and only windows have one that closes them.
        unused = {"publish" if times.current == "archive" else "archive"}
        unused |= {"close"} - times.began.keys()
        for name in [stage for stage in STAGES if stage not in unused]:
            text.append((" " if narrow else "   ") if text else "")
            seconds = format_clock(times.seconds.get(name, times.elapsed))
            seconds = seconds.removesuffix(" s") if narrow else seconds
            if name in times.seconds:
                text.append(f"✓ {name} {seconds}", "green")
            elif name == times.current:
                text.append(f"▸ {name} {seconds}", "bold")
            else:
                text.append(f"· {name}", "dim")
        return text

    def tables(self, narrow: bool) -> RenderableType:
        """What is being read, one row each, and how many of a table's rows are done."""
        name = TextColumn("  {task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
        counts = TextColumn("{task.completed:,} of {task.total:,}", justify="right")
        columns: list[ProgressColumn] = [name]
        if self.state.counts_rows:
            columns += [counts] if narrow else [bar(18), counts]
        progress = Progress(*columns, expand=True)
        for table in self.state.reading[:MOST_TABLES]:
            progress.add_task(table, total=self.state.rows_of.get(table, 0), completed=self.state.rows_done[table])
        return progress.get_renderable()


def line(text: str, style: str = "") -> Text:
    """Text that takes one line whatever its length."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def bar(width: int | None) -> BarColumn:
    """A bar of this width, or of all the width there is."""
    column = None if width else Column(ratio=1)
    return BarColumn(width, complete_style="cyan", finished_style="green", table_column=column)


def progress_display() -> LiveView | PlainLines:
    """The live view where stderr is a terminal, else plain lines; these also among the lines of `--verbose`."""
    console = stderr_console()
    return LiveView(console, ProgressState()) if console.is_terminal and not is_verbose() else PlainLines()

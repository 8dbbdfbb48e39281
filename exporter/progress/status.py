"""A wait, shown while it lasts: on a terminal as a line in place, else as a dated line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.text import Text

from exporter.progress.log import LINE_SECONDS, log_dated, stderr_console
from exporter.text import format_duration


class Spinner:
    """The line: what is being waited for, the share that is done if known, and how long it has taken."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.share = ""
        self.began = self.logged = time.monotonic()

    def __rich__(self) -> Text:
        return Text(str(self))

    def __str__(self) -> str:
        return f"{self.title}{self.share} · {format_duration(time.monotonic() - self.began)}"

    def advance(self, done: int, total: int) -> None:
        self.share = f" · {done / max(total, 1):.0%}"

    def advance_and_log(self, done: int, total: int) -> None:
        """Advances without a live view, with a dated line every few seconds."""
        self.advance(done, total)
        if time.monotonic() - self.logged >= LINE_SECONDS:
            self.logged = time.monotonic()
            log_dated(str(self))


@contextmanager
def status(title: str) -> Iterator[Callable[[int, int], None]]:
    """Shows what is being waited for while the block runs. Yields a function to call with how much is done, and how
    much there is in total."""
    spinner, console = Spinner(title), stderr_console()
    if console.is_terminal:
        with Live(spinner, console=console, refresh_per_second=4, transient=True):
            yield spinner.advance
    else:
        yield spinner.advance_and_log

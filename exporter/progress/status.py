"""Something that is waited for, shown while it lasts: a line in place on a terminal, else a dated line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from exporter.progress.log import LINE_SECONDS, log_dated
from exporter.text import format_duration


class Spinner:
    """The line: what is waited for, the share that is done once it is known, and how long it has taken."""

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
        """Advances where there is no live view, with a dated line every few seconds."""
        self.advance(done, total)
        if time.monotonic() - self.logged >= LINE_SECONDS:
            self.logged = time.monotonic()
            log_dated(str(self))


@contextmanager
def status(title: str) -> Iterator[Callable[[int, int], None]]:
    """Shows what is waited for while the block runs. The block gets a function to call with how much is done, and how
    much there is in all."""
    spinner, console = Spinner(title), Console(stderr=True)
    if console.is_terminal:
        with Live(spinner, console=console, refresh_per_second=4, transient=True):
            yield spinner.advance
    else:
        yield spinner.advance_and_log

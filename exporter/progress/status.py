"""What is waited for, shown while it lasts: a line in place on a terminal, a dated line now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from exporter.progress.log import LINE_SECONDS, log_dated
from exporter.text import format_duration


class Spinner:
    """Something that is waited for: its share once it is told one, and how long it has taken."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.share = ""
        self.began = self.last = time.monotonic()

    def __rich__(self) -> Text:
        return Text(str(self))

    def __str__(self) -> str:
        return f"{self.what}{self.share} · {format_duration(time.monotonic() - self.began)}"

    def advance(self, done: int, total: int) -> None:
        self.share = f" · {done / max(total, 1):.0%}"

    def advance_and_say(self, done: int, total: int) -> None:
        """For where no live view shows it: a dated line every few seconds."""
        self.advance(done, total)
        if time.monotonic() - self.last >= LINE_SECONDS:
            self.last = time.monotonic()
            log_dated(str(self))


@contextmanager
def status(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows what is waited for while the block runs, which is given what to tell how much is done, of how much."""
    wait, console = Spinner(what), Console(stderr=True)
    if console.is_terminal:
        with Live(wait, console=console, refresh_per_second=4, transient=True):
            yield wait.advance
    else:
        yield wait.advance_and_say

"""A wait, shown while it lasts: on a terminal as a line in place, else as a dated line now and then."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.text import Text

from exporter.interrupts import start_thread
from exporter.progress.log import LINE_SECONDS, log_dated, stderr_console
from exporter.text import format_duration

# The rate of a download is that of its last seconds.
RATE_SECONDS = 10.0


class Spinner:
    """The line: what is being waited for, how far it is if known, and how long it has taken."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.share = ""
        self.began = time.monotonic()

    def __rich__(self) -> Text:
        return Text(str(self), no_wrap=True, overflow="ellipsis")

    def __str__(self) -> str:
        return f"{self.title}{self.share} · {format_duration(time.monotonic() - self.began)}"

    def advance(self, done: int, total: int) -> None:
        self.share = f" · {done / max(total, 1):.0%}"


class Transfer(Spinner):
    """The line of a download: how long it has taken, bytes, rate, time left."""

    def __init__(self, title: str, total: int) -> None:
        super().__init__(title)
        self.total = total
        self.samples: deque[tuple[float, int]] = deque()

    def __str__(self) -> str:
        return f"{self.title} · {format_duration(time.monotonic() - self.began)}{self.share}"

    def receive(self, done: int) -> None:
        """Tells how many bytes are there in all; to be called every second or so."""
        now = time.monotonic()
        self.samples.append((now, done))
        while now - self.samples[0][0] > RATE_SECONDS:
            self.samples.popleft()
        first, before = self.samples[0]
        rate = (done - before) / (now - first) if now > first else 0.0
        left = f" · {format_duration((self.total - done) / rate)} left" if rate > 0 else ""
        self.share = f" · {done / 1e6:.0f} of {self.total / 1e6:.0f} MB · {rate / 1e6:.1f} MB/s{left}"


@contextmanager
def status(title: str) -> Iterator[Callable[[int, int], None]]:
    """Shows what is being waited for while the block runs. Yields a function to call with how much is done, and how
    much there is in total."""
    spinner = Spinner(title)
    with shown(spinner):
        yield spinner.advance


@contextmanager
def transfer(
    title: str, total: int, print_line: Callable[[str], None] | None = None
) -> Iterator[Callable[[int], None]]:
    """Shows a download or an upload of `total` bytes while the block runs, by `print_line` if given. Yields a function
    to call, every second or so, with how many are there."""
    line = Transfer(title, total)
    with shown(line, print_line):
        yield line.receive


@contextmanager
def shown(spinner: Spinner, print_line: Callable[[str], None] | None = None) -> Iterator[None]:
    """Shows a line while the block runs: in place on a terminal, else dated, every few seconds; or by `print_line`."""
    console = stderr_console()
    if console.is_terminal and print_line is None:
        with Live(spinner, console=console, refresh_per_second=4, transient=True):
            yield
        return
    ended = threading.Event()
    thread = start_thread(log_until, ended, spinner, print_line or log_dated)
    try:
        yield
    finally:
        ended.set()
        thread.join()


def log_until(ended: threading.Event, spinner: Spinner, print_line: Callable[[str], None]) -> None:
    """Logs a line every few seconds, also while nothing moves: that is when somebody looks."""
    while not ended.wait(LINE_SECONDS):
        print_line(str(spinner))

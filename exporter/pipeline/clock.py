"""What a run takes and is told: seconds by stage, memory, and who watches it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil


class ProgressListener(Protocol):
    """Whoever watches a run: told what happens, asked nothing."""

    def stage(self, name: str) -> None:
        """A new stage begins."""

    def totals(self, rows: Mapping[str, int], marks: Path) -> None:
        """How many rows there are to read of each table, and the directory where the workers say what they read."""

    def advance(self, table: str, rows: int, rejects: int) -> None:
        """A chunk of a table is done."""

    def tick(self, memory: int) -> None:
        """About four times a second, with the bytes of memory of all processes together."""


@dataclass(slots=True)
class Clock:
    """When each stage began (by `time.monotonic`) and its seconds, the peak of memory, and what is to be done every few
    seconds once there is something."""

    watcher: ProgressListener
    began: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    sampled: float = 0.0
    look: Callable[[], None] | None = None
    every: float = 0.0
    looked: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.watcher.stage(name)
        self.began[name] = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - self.began[name]

    def beat(self, look: Callable[[], None], every: float) -> None:
        """From now on calls `look` every so many seconds."""
        self.look, self.every = look, every

    def tick(self) -> None:
        """Samples memory about once a second, and looks when it is time."""
        now = time.monotonic()
        if now - self.sampled >= 1:
            self.sampled = now
            self.peak_memory = max(self.peak_memory, memory_in_use())
        if self.look and now - self.looked >= self.every:
            self.looked = now
            self.look()
        self.watcher.tick(self.peak_memory)


def memory_in_use() -> int:
    """Bytes of this process and its children together: proportional shares where the system tells, else resident."""
    process = psutil.Process()
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += getattr(each.memory_full_info(), "pss", None) or each.memory_info().rss
        except psutil.Error:
            continue
    return total

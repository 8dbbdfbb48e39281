"""What a run costs: seconds by stage, seconds by activity of each task, memory; and the listener that is told."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from exporter.source.heartbeats import reader_name

# Activities of a worker; the rest of its time it is idle.
KEYS, READ, SHAPE, WRITE = "keys", "read", "shape", "write"
MEMORY_SECONDS = 1.0


class ProgressListener(Protocol):
    """Whoever follows a run. Its methods are called in the leader's main thread, `waiting` also in another."""

    def stage(self, name: str) -> None:
        """A stage begins; the previous one has ended."""

    def totals(self, rows: Mapping[str, int], heartbeats: Path) -> None:
        """How many rows of each table are to be read, and the directory of the workers' heartbeat files."""

    def advance(self, table: str, rows: int, rejects: int) -> None:
        """A chunk of a table is done; negative numbers take it back."""

    def waiting(self, lock: str) -> None:
        """The run waits for a lock, in a sentence; empty when it no longer does."""

    def tick(self, memory: int) -> None:
        """Called about four times a second, with the peak memory of all processes together in bytes."""


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Adds the seconds of the block, also of one that fails, to those of this name."""
    began = time.monotonic()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.monotonic() - began


@dataclass(slots=True)
class StageTimes:
    """When each stage began (by `time.monotonic`), and the seconds of those that have ended, in their order."""

    current: str = ""
    began: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def begin(self, name: str) -> None:
        """Begins a stage, and ends the previous one."""
        self.end()
        self.current, self.began[name] = name, time.monotonic()

    def end(self) -> None:
        """Ends the current stage, if there is one."""
        if self.current:
            self.seconds[self.current] = self.elapsed
            self.current = ""

    @property
    def elapsed(self) -> float:
        """The seconds of the current stage so far."""
        return time.monotonic() - self.began[self.current] if self.current else 0.0


@dataclass(slots=True)
class StageTimer:
    """Times the stages of a run, samples its memory, and tells the listener both."""

    listener: ProgressListener
    times: StageTimes = field(default_factory=StageTimes)
    peak_memory: int = 0
    sampled: float = 0.0
    poll: Callable[[], None] | None = None
    poll_seconds: float = 0.0
    polled: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times the block as a stage."""
        self.listener.stage(name)
        self.times.begin(name)
        yield
        self.times.end()

    @contextmanager
    def polling(self, poll: Callable[[], None], seconds: float) -> Iterator[None]:
        """While the block runs, `tick` calls `poll` when `seconds` have passed since the last call."""
        self.poll, self.poll_seconds = poll, seconds
        try:
            yield
        finally:
            self.poll = None

    def tick(self) -> None:
        """Samples the memory about once a second, and polls when it is time."""
        now = time.monotonic()
        if now - self.sampled >= MEMORY_SECONDS:
            self.sampled = now
            self.peak_memory = max(self.peak_memory, memory_in_use())
        if self.poll and now - self.polled >= self.poll_seconds:
            self.polled = now
            self.poll()
        self.listener.tick(self.peak_memory)


_ahead = 0.0


def leader_clock(ahead: float) -> None:
    """From now on `leader_time` takes this machine's clock for `ahead` of the leader's by so many seconds."""
    global _ahead
    _ahead = ahead


def leader_time() -> float:
    """The leader's `time.monotonic`, which is the same in every process of a system."""
    return time.monotonic() - _ahead


@dataclass(slots=True)
class TaskTimer:
    """What one task cost the worker of this name: when it began and ended (by the leader's clock), and the seconds and
    CPU seconds of each activity."""

    task: str
    worker: str = field(default_factory=reader_name)
    started: float = field(default_factory=leader_time)
    ended: float = 0.0
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def on(self, activity: str) -> Iterator[None]:
        """Counts the block as an activity, even if it fails."""
        wall, cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self.ended = leader_time()
            self.seconds[activity] += time.monotonic() - wall
            self.cpu_seconds[activity] += time.process_time() - cpu


def memory_in_use() -> int:
    """Bytes of this process and its children together: proportional set sizes if the system has them, else resident
    set sizes."""
    leader = psutil.Process()
    total = 0
    for process in (leader, *leader.children(recursive=True)):
        try:
            total += getattr(process.memory_full_info(), "pss", None) or process.memory_info().rss
        except psutil.Error:
            continue
    return total

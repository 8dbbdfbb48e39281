"""Seconds by activity: where the time of a task goes, on the clock and on the CPU."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Activities of a worker; what is none of them is idle.
KEYS, READ, SHAPE, WRITE = "keys", "read", "shape", "write"


@dataclass(slots=True)
class Stopwatch:
    """What one task took: when it began and ended (seconds of the system's monotonic clock, the same in every
    process), and the seconds and CPU seconds of each activity."""

    what: str
    worker: int = field(default_factory=os.getpid)
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def on(self, activity: str) -> Iterator[None]:
        """Counts the block as an activity."""
        wall, cpu = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self.ended = time.monotonic()
            self.seconds[activity] += self.ended - wall
            self.cpu_seconds[activity] += time.process_time() - cpu

"""Notices that the workers of this machine do nothing, though there is something to do: one is suspended, or at a disk
that hangs.

Those that read are the watchdog's, which knows what their backends do (source/watchdog.py).
"""

import multiprocessing
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from exporter.errors import RunError
from exporter.source.heartbeats import heartbeats

LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Standstill:
    """Since when (`time.monotonic`) no worker has read or computed. `directory` holds the heartbeat files of those that
    read, `seconds` is how long none may do anything."""

    directory: Path
    seconds: float
    spent: float = -1.0
    since: float = 0.0
    looked: float = 0.0

    def look(self) -> None:
        """To be called often while tasks are unfinished. Raises `RunError` if nothing has happened for too long."""
        now = time.monotonic()
        if now - self.looked < LOOK_SECONDS:
            return
        suspended = now - self.looked > self.seconds  # the whole run was, or has just begun
        self.looked = now
        spent = cpu_seconds()
        if suspended or spent != self.spent or heartbeats(self.directory):
            self.spent, self.since = spent, now
        elif now - self.since >= self.seconds:
            raise RunError(
                f"the worker processes did nothing for {self.seconds:.0f} seconds, though there is something to do: one"
                " is suspended, or the disk of the output directory hangs"
            )


def cpu_seconds() -> float:
    """The CPU seconds that this process's workers have spent so far."""
    total = 0.0
    for child in multiprocessing.active_children():
        try:
            times = psutil.Process(child.pid).cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total

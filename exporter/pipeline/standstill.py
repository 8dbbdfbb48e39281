"""Notices that the workers do nothing, though there is something to do: one is suspended, or at a disk that hangs.

Those that read are the watchdog's, which knows what their backends do (source/watchdog.py).
"""

import multiprocessing
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from exporter.errors import RunError
from exporter.source.heartbeats import heartbeats

LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Standstill:
    """Since when (`time.monotonic`) no worker has read or computed. `directory` holds the heartbeat files of those that
    read, `seconds` is how long none may do anything, `cpu_seconds` tells what they have spent so far, and `causes` is
    what may be the matter."""

    directory: Path
    seconds: float
    cpu_seconds: Callable[[], float]
    causes: str = "one is suspended, or the disk of the output directory hangs"
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
        spent = self.cpu_seconds()
        if suspended or spent != self.spent or heartbeats(self.directory):
            self.spent, self.since = spent, now
        elif now - self.since >= self.seconds:
            raise RunError(
                f"the worker processes did nothing for {self.seconds:.0f} seconds, though there is something to do:"
                f" {self.causes}"
            )


def cpu_seconds(processes: Iterable[BaseProcess]) -> float:
    """The CPU seconds that some processes of this machine have spent so far."""
    total = 0.0
    for process in processes:
        try:
            times = psutil.Process(process.pid).cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def own_cpu_seconds() -> float:
    """Those of this process's workers."""
    return cpu_seconds(multiprocessing.active_children())

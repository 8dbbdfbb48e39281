"""The state of a running export, by the clock of `time.monotonic`: stage, rows, what is being read, memory."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from exporter.pipeline.timing import StageTimes
from exporter.source.heartbeats import JOINED, heartbeats
from exporter.text import format_duration, format_seconds

logger = logging.getLogger(__name__)

STAGES = {
    "check": "Comparing the source with the model",
    "lock": "Locking the tables and taking the snapshot",
    "keys": "Counting rows and reading keys",
    "close": "Finding the rows of the window",
    "tables": "Exporting tables",
    "publish": "Publishing",
    "archive": "Packing the archive and publishing",
}

# A worker that shapes and writes has no heartbeat file; it takes no longer than this, except for very wide chunks.
SEEN_SECONDS = 3.0


class ProgressState:
    """What is known about a run: its `ProgressListener`, and what the live view and the plain lines show."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.times = StageTimes()
        self.rows_of: Mapping[str, int] = {}
        self.rows_done: Counter[str] = Counter()
        self.rejects = 0
        self.peak_memory = 0
        self.lock_wait = ""
        self.heartbeats: Path | None = None
        # By the name of a worker: what it read last, and when its heartbeat file was last seen.
        self.latest: dict[str, tuple[str, float]] = {}

    def stage(self, name: str) -> None:
        self.end()
        self.times.begin(name)
        self.latest.clear()

    def totals(self, rows: Mapping[str, int], heartbeats: Path) -> None:
        self.rows_of, self.heartbeats = rows, heartbeats

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.rows_done[table] += rows
        self.rejects += rejects
        if self.is_done(table):
            logger.debug("%s: %s rows exported", table, f"{self.rows_done[table]:,}")

    def end(self) -> None:
        """Ends the current stage, if there is one."""
        if stage := self.times.current:
            self.times.end()
            logger.debug("%s: %s%s", STAGES[stage], format_seconds(self.times.seconds[stage]), self.memory_text())

    def waiting(self, lock: str) -> None:
        self.lock_wait = lock

    def tick(self, memory: int) -> None:
        self.peak_memory = memory
        if self.heartbeats:
            now = time.monotonic()
            for worker, heartbeat in heartbeats(self.heartbeats).items():
                self.latest[worker] = (heartbeat.reading, now)

    @property
    def reading(self) -> list[str]:
        """What the workers are handling, each table once: what they are reading, or have just read and are writing."""
        now = time.monotonic()
        seen_now = (reading for reading, seen in list(self.latest.values()) if now - seen < SEEN_SECONDS)
        recent = dict.fromkeys(name for reading in seen_now for name in reading.split(JOINED))
        return [reading for reading in recent if not self.is_done(reading)]

    def is_done(self, table: str) -> bool:
        return table in self.rows_of and self.rows_done[table] >= self.rows_of[table]

    @property
    def counts_rows(self) -> bool:
        """Whether the stage is the one that exports rows."""
        return self.times.current == "tables"

    @property
    def rows(self) -> int:
        """Rows finished."""
        return self.rows_done.total()

    @property
    def total(self) -> int:
        """All rows to be read."""
        return sum(self.rows_of.values())

    @property
    def rate(self) -> float:
        """Rows a second since the stage began."""
        return self.rows / max(self.times.elapsed, 0.5)

    def stage_text(self) -> str:
        """The stage, and after the first second how long it has taken."""
        seconds = self.times.elapsed
        return STAGES[self.times.current] + (f" · {format_duration(seconds)}" if seconds >= 1 else "")

    def rows_text(self) -> str:
        """Rows done, rate, rejects."""
        return f"{self.rows:,} of {self.total:,} rows · {self.rate:,.0f}/s · {self.rejects:,} rejects"

    def time_left(self) -> str:
        """The time left at the rate so far; nothing before the first rows."""
        return f"{format_duration((self.total - self.rows) / self.rate)} left" if self.rows else ""

    def memory_text(self) -> str:
        """The peak memory, as the end of a line."""
        return f" · peak {self.peak_memory >> 20} MB" if self.peak_memory else ""

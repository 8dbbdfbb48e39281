"""What a run shows of itself, by the clock of `time.monotonic`: stage, rows, what is read, memory."""

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from exporter.text import format_duration

STAGES = {
    "check": "Comparing the source with the model",
    "lock": "Locking the tables and taking the snapshot",
    "keys": "Counting rows and reading keys",
    "tables": "Exporting tables",
    "publish": "Publishing",
    "archive": "Packing the archive and publishing",
}


# Shaping and writing a chunk takes no longer, but for very wide ones.
SEEN_SECONDS = 3.0


class Numbers:
    """What both views show of a run, by the clock of `time.monotonic`."""

    def __init__(self, lanes: int) -> None:
        self.began = time.monotonic()
        self.stage_began = self.began
        self.stage_name = ""
        self.finished: dict[str, float] = {}
        self.totals: Mapping[str, int] = {}
        self.done: Counter[str] = Counter()
        self.rows = 0
        self.rejects = 0
        self.memory = 0
        self.marks: Path | None = None
        # What each worker, by its mark's name, read last, and when that was seen; what is read now, each in its place.
        self.latest: dict[str, tuple[str, float]] = {}
        self.lanes = [""] * lanes

    def stage(self, name: str) -> None:
        now = time.monotonic()
        if self.stage_name:
            self.finished[self.stage_name] = now - self.stage_began
        self.stage_name, self.stage_began = name, now
        self.latest.clear()
        self.lanes = [""] * len(self.lanes)

    def tick(self, memory: int) -> None:
        """Looks what the workers read. One that shapes and writes has no mark, and counts as reading for a while."""
        self.memory, now = memory, time.monotonic()
        for mark in sorted(self.marks.glob("*")) if self.marks else ():
            with suppress(OSError):  # it was done in this moment
                if what := mark.read_text(encoding="utf-8"):  # one that is being made is empty for a moment
                    self.latest[mark.name] = (what, now)
        recent = [what for what, seen in self.latest.values() if now - seen < SEEN_SECONDS]
        reading = dict.fromkeys(what for what in recent if not self.is_done(what))
        # What goes on being read stays in its place.
        self.lanes = [what if what in reading else "" for what in self.lanes]
        for what in reading:
            if what not in self.lanes and "" in self.lanes:
                self.lanes[self.lanes.index("")] = what

    def advance(self, table: str, rows: int, rejects: int) -> None:
        self.done[table] += rows
        self.rows += rows
        self.rejects += rejects

    def is_done(self, table: str) -> bool:
        return table in self.totals and self.done[table] >= self.totals[table]

    @property
    def title(self) -> str:
        return STAGES.get(self.stage_name, "")

    @property
    def seconds(self) -> float:
        """How long the stage has taken so far."""
        return time.monotonic() - self.stage_began

    @property
    def total(self) -> int:
        return sum(self.totals.values())

    @property
    def rate(self) -> float:
        """Rows a second since the stage began."""
        return self.rows / max(self.seconds, 0.5)

    def waiting(self) -> str:
        """A stage without rows to count: how long it has taken, once that is worth a word."""
        took = f" · {format_duration(self.seconds)}" if self.seconds >= 1 else ""
        return f"{self.title}{took}{self.peak()}"

    def counted(self) -> str:
        return f"{self.rows:,} of {self.total:,} rows · {self.rate:,.0f}/s · {self.rejects:,} rejects"

    def left(self) -> str:
        """The time left at the rate so far; nothing before the first rows."""
        return f"{format_duration((self.total - self.rows) / self.rate)} left" if self.rows else ""

    def peak(self) -> str:
        return f" · peak {self.memory >> 20} MB" if self.memory else ""

"""How far an export may differ from the previous one before it is something to look at: the guard's limits."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a change compares with its limit: beyond it, beyond half of it, or less; also the names of CSS classes."""

    OVER = "over"
    NEAR = "near"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings `max_drop` and `max_rejects_rise` of `exporter rebuild`, in percent."""

    max_drop: float = 20
    max_rejects_rise: float = 1

    def drop(self, before: int | None, after: int) -> Level:
        """For the rows of a label or pattern: those it lost, by those it had."""
        before = before or 0
        return level(before - after, before * self.max_drop / 100)

    def rise(self, before: int, after: int, rows: int) -> Level:
        """For all rejects: those that were added, by all rows of the previous export."""
        return level(after - before, rows * self.max_rejects_rise / 100)


def level(change: int, limit: float) -> Level:
    if change > limit:
        return Level.OVER
    return Level.NEAR if change > limit / 2 else Level.WITHIN

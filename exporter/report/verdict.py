"""The report's first lines: what there is to look at, by the guard's limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.report.content import Content
from exporter.report.entities import EntitySummary
from exporter.report.limits import Level

# How many labels and patterns it lists before it only counts the rest, and how many with more rejects it names.
MOST, MOST_WITH_REJECTS = 8, 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to look at, the most important first: labels and patterns that lost rows, at most `MOST` of them, and those
    with most of the added rejects if these are too many.

    `level` is that of the worst; `over` and `near` count the changes beyond their limit and beyond half of it.
    """

    level: Level
    over: int
    near: int
    drops: Sequence[EntitySummary]
    unlisted: int
    rejects: Level
    more_rejects: Sequence[EntitySummary]


def verdict(content: Content) -> Verdict:
    """What there is to look at in an export."""
    drops = sorted(
        (entity for entity in content.entities if entity.level is not Level.WITHIN),
        key=lambda entity: (list(Level).index(entity.level), entity.rows / (entity.before or 1), -(entity.before or 0)),
    )
    levels = [*(entity.level for entity in drops), content.rejects_level]
    rising = content.rejects_level is not Level.WITHIN
    more = [entity for entity in content.entities if rising and entity.rejected > entity.rejected_before]
    more.sort(key=lambda entity: entity.rejected_before - entity.rejected)
    return Verdict(
        worst(levels),
        levels.count(Level.OVER),
        levels.count(Level.NEAR),
        drops[:MOST],
        len(drops[MOST:]),
        content.rejects_level,
        more[:MOST_WITH_REJECTS],
    )


def worst(levels: Sequence[Level]) -> Level:
    """The worst of some levels."""
    return next((level for level in Level if level in levels), Level.WITHIN)

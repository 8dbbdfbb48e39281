"""The limits by which the report judges: the guard's."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.published.diff import changes
from exporter.rebuild.guard import drops, rises
from exporter.report.content import rejects_level
from exporter.report.limits import Level, Limits
from exporter.sink.entries import NodeEntry
from exporter.sink.manifest import Manifest
from tests.support.report_content import manifest_of

PERCENT = st.sampled_from([0.0, 0.5, 1.0, 20.0, 33.3, 100.0])
ROWS = st.integers(0, 300)


def manifest(rows: int, rejects: int) -> Manifest:
    """Of an export with one label."""
    whole = manifest_of(1)
    totals = replace(whole.totals, nodes=rows, relationships=0, rejects=rejects)
    return replace(
        whole, nodes=[NodeEntry("Lead", "t", rows, 0, {}, {"null_id": rejects})], relationships=[], totals=totals
    )


@given(before=ROWS, after=ROWS, percent=PERCENT)
def test_a_drop_is_the_guards(before: int, after: int, percent: float) -> None:
    """What the guard would refuse is beyond the limit, and nothing else."""
    refused = list(drops(changes(manifest(before, 0), manifest(after, 0)), percent))
    assert (Limits(max_drop=percent).drop(before, after) is Level.OVER) == bool(refused)


@given(rows=ROWS, before=ROWS, after=ROWS, percent=PERCENT)
def test_a_rise_is_the_guards(rows: int, before: int, after: int, percent: float) -> None:
    """So it is for rejects."""
    old, new = manifest(rows, before), manifest(rows, after)
    limits = Limits(max_rejects_rise=percent)
    assert (rejects_level(old, new, limits) is Level.OVER) == bool(list(rises(changes(old, new), percent)))


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [(100, 79, Level.OVER), (100, 80, Level.NEAR), (100, 89, Level.NEAR), (100, 90, Level.WITHIN),
     (4, 3, Level.OVER), (1, 0, Level.OVER), (0, 0, Level.WITHIN), (None, 5, Level.WITHIN), (5, 9, Level.WITHIN)],
)  # fmt: skip
def test_levels_of_drops(before: int | None, after: int, level: Level) -> None:
    """Beyond a fifth, beyond half of that, or less; what is new has lost nothing."""
    assert Limits().drop(before, after) is level

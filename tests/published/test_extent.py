"""Which windows are equal, and what masks alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exporter.published.extent import Extent, same_extent, same_redaction, same_window, short_window
from tests.support.manifests import REDACTION, WINDOW

TAKEN_AT = datetime(2026, 11, 23, 3, 15, 1, 250_000, UTC)
WEEK = replace(WINDOW, roots=[], since=TAKEN_AT - timedelta(days=7))
ONE = Extent(WEEK, None, TAKEN_AT)


def night_after(**changes: Any) -> Extent:
    """The same window of the next night, but for these changes."""
    window = replace(WEEK, since=TAKEN_AT - timedelta(days=6), rows=replace(WEEK.rows, inside=1), pulled=[])
    return Extent(replace(window, **changes), None, TAKEN_AT + timedelta(days=1))


def test_the_same_span() -> None:
    """The last seven days are the same window every night, whatever is in it; the server's time does not matter."""
    assert same_window(ONE, night_after())
    assert same_window(ONE, night_after(since=TAKEN_AT - timedelta(days=6, seconds=-2)))
    assert same_window(ONE, replace(night_after(), window=replace(WEEK, since=WEEK.since)))  # by the same date


@pytest.mark.parametrize(
    "change",
    [
        {"since": TAKEN_AT - timedelta(days=5)},
        {"since": None},
        {"until": TAKEN_AT},
        {"sample": 0.05},
        {"sample": None},
        {"seed": 8},
        {"without": []},
        {"roots": WINDOW.roots},
    ],
)
def test_another_window(change: dict[str, Any]) -> None:
    """One setting is enough to make it another."""
    assert not same_window(ONE, night_after(**change))
    assert not same_window(night_after(**change), ONE)


def test_windows_by_roots() -> None:
    """Whose they are is not in the manifest, so they are equal to none."""
    assert not same_window(Extent(WINDOW, None, TAKEN_AT), Extent(WINDOW, None, TAKEN_AT))


def test_the_whole_source() -> None:
    """It is equal to itself, and to no window."""
    assert same_window(Extent(), Extent(snapshot_at=TAKEN_AT))
    assert not same_window(Extent(), ONE)
    assert not same_window(ONE, Extent())


def test_masked_alike() -> None:
    """By the treatments, whatever the key; what is masked is not like what is not."""
    masked = Extent(None, REDACTION)
    assert same_redaction(masked, Extent(None, replace(REDACTION, key="0123456789abcdef")))
    assert not same_redaction(masked, Extent(None, replace(REDACTION, sha256="1" * 64)))
    assert not same_redaction(masked, Extent())
    assert not same_extent(masked, Extent()) and not same_extent(ONE, Extent())
    assert same_extent(Extent(), Extent())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "7d, 1%, without 1"),
        ({"since": TAKEN_AT - timedelta(hours=36), "until": TAKEN_AT - timedelta(days=1)}, "36h to 1d, 1%, without 1"),
        ({"since": None, "sample": None, "without": [], "until": TAKEN_AT - timedelta(minutes=90)}, "until 2026-11-23"),
        ({"since": None, "sample": None, "without": [], "roots": WINDOW.roots * 2}, "2 roots"),
        ({"since": TAKEN_AT + timedelta(days=1), "sample": 0.005, "without": []}, "2026-11-24, 0.5%"),
        ({"since": datetime(110, 5, 26, 9, 8, 36, 30, UTC), "sample": None, "without": []}, "0110-05-26"),
    ],
)
def test_a_window_in_a_column(change: dict[str, Any], text: str) -> None:
    """As it was asked for: by spans where they are whole hours, else by days."""
    assert short_window(replace(ONE, window=replace(WEEK, **change))) == text
    assert short_window(Extent()) == ""

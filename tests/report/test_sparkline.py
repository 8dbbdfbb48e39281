"""Trends as small lines."""

import pytest

from exporter.report.sparkline import HEIGHT, sparkline


def heights(trend: list[float | None]) -> list[float]:
    return [float(point.split(",")[1]) for point in sparkline(trend).split()]


def test_a_trend() -> None:
    """From left to right, larger is higher; a gap is left out."""
    assert sparkline([1, None, 3, 2]) == "2.0,16.0 47.3,2.0 70.0,9.0"


@pytest.mark.parametrize("trend", [[], [5], [5, 9], [None, 5, 9]])
def test_too_few_points(trend: list[float | None]) -> None:
    """Two points would always be the steepest slope: there is no line."""
    assert sparkline(trend) == ""


def test_what_is_level_looks_level() -> None:
    """In the middle; a change of a thousandth is hardly seen, one of a tenth has the full height."""
    assert heights([5, 5, 5]) == heights([0, 0, 0]) == [HEIGHT / 2] * 3
    small, large = heights([1000, 1001, 1000]), heights([1000, 1200, 1000])
    assert max(small) - min(small) < 0.2 and max(large) - min(large) == HEIGHT - 4

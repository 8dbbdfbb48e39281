"""Numbers as people read them: counted nouns, estimates, changes."""

import pytest

from exporter.text import format_change, quantity, round_estimate


@pytest.mark.parametrize(("number", "text"), [(0, "no errors"), (1, "1 error"), (1200, "1,200 errors")])
def test_nouns_are_counted(number: int, text: str) -> None:
    """In the singular for one alone."""
    assert quantity(number, "error") == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1_234, "1,230"), (12_345_678, "12,300,000")])
def test_an_estimate_has_three_digits(number: int, text: str) -> None:
    """More would claim too much."""
    assert round_estimate(number) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (None, 5, ""),
        (5, 5, ""),
        (0, 5, "new"),
        (5, 0, "gone"),
        (1000, 1031, "+3.1 %"),
        (5, 4, "-20 %"),
        (1, 100, "+9,900 %"),
    ],
)
def test_a_change_is_a_rounded_percentage(before: int | None, after: int, text: str) -> None:
    """With a decimal below ten percent; `new` and `gone` have none."""
    assert format_change(before, after) == text

"""Numbers as people read them: counted nouns, estimates, changes."""

import json

import pytest

from exporter.text import format_change, quantity, round_estimate, visible, visible_json


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
        (223_325, 223_253, "-72"),
        (1_000_000, 1_000_500, "+0.1 %"),
        (5.0, 5.001, ""),
    ],
)
def test_a_change_is_a_rounded_percentage(before: float | None, after: float, text: str) -> None:
    """With a decimal below ten percent, and the difference where that would be zero; `new` and `gone` have none."""
    assert format_change(before, after) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("नमस्ते, Zoë\\", "नमस्ते, Zoë\\"),
        ("\x1b[31mred\x1b[2J", "\\x1B[31mred\\x1B[2J"),
        ("a\rb\nc\td\x07", "a\\rb\\nc\\td\\x07"),
        ("\x7f\x9b31m\u2028", "\\x7F\\x9B31m\\u2028"),
        ("invoice\u202efdp.exe\ufeff\U000e0041", "invoice\\u202Efdp.exe\\uFEFF\\U000E0041"),
        ("क\u094d\u200dष 👩\u200d👧", "क\u094d\u200dष 👩\u200d👧"),
    ],
)
def test_text_of_the_source_never_commands_a_terminal(text: str, shown: str) -> None:
    """Controls and what hides or reverses letters are escaped; letters, joiners and backslashes are themselves."""
    assert visible(text) == shown


def test_json_of_the_source_never_commands_a_terminal() -> None:
    """What `json.dumps` leaves raw is escaped as JSON has it, so that the value stays what it was."""
    value = 'नम\x1b\x7f\x9b"\u202e\n\U000e0001'
    text = visible_json(json.dumps(value, ensure_ascii=False))
    assert text == r'"नम\u001b\u007f\u009b\"\u202e\n\udb40\udc01"'
    assert json.loads(text) == value

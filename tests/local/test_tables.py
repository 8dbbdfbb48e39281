"""What `exporter local` shows: values as Cypher writes them, tables of 80 columns, ages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from neo4j.time import Date, DateTime
from rich.console import Console

from exporter.local.queries import QueryResult
from exporter.local.tables import result_table, value_text
from exporter.text import format_age


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3755.2000000000003, "3755.2000000000003"),
        ("plain [bold]text[/bold]", "plain [bold]text[/bold]"),
        (["text", 1, None], '["text", 1, null]'),
        ({"b": "x", "a": {"c": False}}, '{a: {c: false}, b: "x"}'),
        (Date(2026, 11, 26), "2026-11-26"),
        (DateTime(2026, 11, 26, 3, 15, 0, 120_000_000, UTC), "2026-11-26T03:15:00.12Z"),
        (DateTime(2026, 11, 20, 10, 20, 30, 0, timezone(timedelta(minutes=330))), "2026-11-20T10:20:30+05:30"),
    ],
)
def test_values_as_cypher(value: Any, text: str) -> None:
    """Text as it is; within lists and maps in quotes."""
    assert value_text(value) == text


def shown(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, truncated: bool = False) -> list[str]:
    """The lines of a result on 80 columns."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(result_table(QueryResult(columns, rows, truncated)))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_results_are_tables() -> None:
    """One row a line; one value a line where rows hold more than plain values."""
    assert shown(["name", "n"], [["Asha", 12], [None, 7]], truncated=True) == [
        "name   n",
        "Asha  12",
        "null   7",
        "… and more: only 1,000 rows are shown",
    ]
    assert shown(["name", "tags"], [["Asha", ["a", 1]]]) == [" name  Asha", ' tags  ["a", 1]', ""]
    assert shown(["n"], []) == ["no rows"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(42, "42 s"), (200, "3 min 20 s"), (3900, "1 h 5 min"), (86400 * 12, "12 days")]
)
def test_ages_have_two_units(seconds: int, text: str) -> None:
    assert format_age(datetime.now(UTC) - timedelta(seconds=seconds)) == text

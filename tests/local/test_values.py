"""Values of a query's result: rounded and harmless for people, exact for programs."""

import math
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from neo4j.spatial import CartesianPoint, WGS84Point
from neo4j.time import Date, DateTime, Duration, Time

from exporter.local.values import csv_text, json_text, value_text

INDIA = timezone(timedelta(minutes=330))
HOSTILE = 'a\x1b[2J\r\n\x07\x9b\u202e"'


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (None, "x", "null"),
        (True, "x", "true"),
        (24456.520000000004, "total", "24,456.52"),
        (28679.259999999995, "total", "28,679.26"),
        (0.5, "share", "0.50"),
        (-0.00012345, "share", "-0.000123"),
        (0.0, "share", "0.00"),
        (1.5e20, "share", "1.5e+20"),
        (math.inf, "share", "Infinity"),
        (1234567, "count(*)", "1,234,567"),
        (-1234567, "balance", "-1,234,567"),
        (1234567, "id", "1234567"),
        (1234567, "c.customer_id", "1234567"),
        (1234567, "customerId", "1234567"),
        (2026, "year", "2026"),
        ("plain [bold]text[/bold]", "x", "plain [bold]text[/bold]"),
        (HOSTILE, "x", r'a\x1B[2J\r\n\x07\x9B\u202E"'),
        ([HOSTILE, 1234567, None], "x", r'["a\u001b[2J\r\n\u0007\x9B\u202E\"", 1234567, null]'),
        ({"b": "x", "a": {"c": False}}, "x", '{a: {c: false}, b: "x"}'),
        ([0.1 + 0.2, math.nan], "x", "[0.3, NaN]"),
        (bytearray(b"\x00\xff"), "x", "00ff"),
        (Date(2026, 11, 26), "x", "2026-11-26"),
        (Time(10, 20, 30, 500_000_000), "x", "10:20:30.5"),
        (DateTime(2026, 11, 26, 3, 15, 0, 120_000_000, UTC), "x", "2026-11-26T03:15:00.12Z"),
        (DateTime(2026, 11, 26, 3, 15, 0, 120_000_000), "x", "2026-11-26T03:15:00.12"),
        (DateTime(2026, 11, 20, 10, 20, 30, 0, INDIA), "x", "2026-11-20T10:20:30+05:30"),
        (Duration(months=1, days=2, seconds=3, nanoseconds=500_000_000), "x", "P1M2DT3.5S"),
        (WGS84Point((77.59, 12.97)), "x", "point({srid: 4326, x: 77.59, y: 12.97})"),
    ],
)
def test_values_for_people(value: Any, name: str, text: str) -> None:
    """Numbers rounded and with separators, but IDs and years; text as it is, within lists and maps in quotes."""
    assert value_text(value, name) == text


@pytest.mark.parametrize(
    ("value", "json_line", "csv_field"),
    [
        (None, "null", ""),
        (True, "true", "true"),
        (24456.520000000004, "24456.520000000004", "24456.520000000004"),
        (9007199254740993, "9007199254740993", "9007199254740993"),
        (-math.inf, '"-Infinity"', "-Infinity"),
        ("", '""', ""),
        (HOSTILE, r'"a\u001b[2J\r\n\u0007\u009b\u202e\""', HOSTILE),
        ([1, "a", None], '[1, "a", null]', '[1, "a", null]'),
        ({"b": "नम", "a": math.nan}, '{"b": "नम", "a": "NaN"}', '{"b": "नम", "a": "NaN"}'),
        (bytearray(b"\x00\xff"), '"00ff"', "00ff"),
        (Date(2026, 11, 26), '"2026-11-26"', "2026-11-26"),
        (DateTime(2026, 11, 26, 3, 15, 0, 123_456_789, UTC), '"2026-11-26T03:15:00.123456789Z"',
         "2026-11-26T03:15:00.123456789Z"),
        (Duration(months=1), '"P1M"', "P1M"),
        (CartesianPoint((1.5, 2.5, 3.5)), *['{"type": "Point", "coordinates": [1.5, 2.5, 3.5], "srid": 9157}'] * 2),
    ],
)  # fmt: skip
def test_values_for_programs(value: Any, json_line: str, csv_field: str) -> None:
    """Exact; in JSON no control character is left raw."""
    assert (json_text(value), csv_text(value)) == (json_line, csv_field)

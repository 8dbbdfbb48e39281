"""A query's result, printed: as a table for people, as CSV or JSON lines, row by row, for programs."""

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TextIO

import neo4j
from neo4j.graph import Path
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from exporter.local.values import csv_text, json_text, value_text
from exporter.text import quantity, visible

TABLE_ROWS = 1000
# Rows that a table does not show are counted, up to this many: a number is worth a second, not a minute.
COUNTED_ROWS = 100_000


def read_table(result: neo4j.Result, limit: int | None) -> RenderableType:
    """Reads a result for people: `limit` rows or `TABLE_ROWS`, and how many more there are."""
    rows = [record.values() for record in islice(result, limit or TABLE_ROWS)]
    return result_table(result.keys(), rows, sum(1 for _ in islice(result, COUNTED_ROWS + 1)))


def print_lines(result: neo4j.Result, limit: int | None, *, csv: bool) -> bool:
    """Prints a result for programs, as CSV or as JSON lines, row by row; returns whether it has more than `limit` rows.

    It is UTF-8 and exact where stdout is a file or a pipe; on a terminal, control characters are escaped.
    """
    if not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    write = write_csv if csv else write_json
    write(result, limit, sys.stdout)
    return result.peek() is not None


def write_csv(result: neo4j.Result, limit: int | None, stream: TextIO) -> None:
    """Writes a header line and the rows, quoted as RFC 4180 has it. Null is nothing, empty text is quoted."""
    convert = visible if stream.isatty() else str
    stream.write(csv_line(result.keys(), convert))
    for record in islice(result, limit):
        stream.write(csv_line(record.values(), convert))


def csv_line(values: Sequence[Any], convert: Callable[[str], str] = str) -> str:
    """A line of CSV. Null alone in its line is quoted too, since readers skip empty lines."""
    fields = ["" if value is None else csv_field(convert(csv_text(value))) for value in values]
    return (",".join(fields) if fields != [""] else '""') + "\n"


def csv_field(text: str) -> str:
    """A field, quoted where it has to be."""
    quoted = not text or any(letter in text for letter in ',"\r\n')
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if quoted else text


def write_json(result: neo4j.Result, limit: int | None, stream: TextIO) -> None:
    """Writes one JSON object per row, by column."""
    for record in islice(result, limit):
        stream.write(json_text(dict(zip(record.keys(), record.values(), strict=True))) + "\n")


def result_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], more: int) -> RenderableType:
    """Rows for people, and how many `more` there are; one value per line if rows hold nodes, lists or maps."""
    if not rows:
        return Text("no rows", "dim")
    below = [Text(more_text(len(rows), more), "dim")] if more else []
    if any(isinstance(value, Mapping | list | Path) for row in rows for value in row):
        lines = Table(Column(style="bold", no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
        for row in rows:
            for name, value in zip(columns, row, strict=True):
                lines.add_row(Text(visible(name)), Text(value_text(value, name)))
            lines.add_row()
        return Group(lines, *below)
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(columns):
        numeric = any(isinstance(row[number], int | float) and not isinstance(row[number], bool) for row in rows)
        table.add_column(Text(visible(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        cells = zip(columns, row, strict=True)
        table.add_row(*(Text(value_text(value, name), "dim" if value is None else "") for name, value in cells))
    return Group(table, *below)


def more_text(shown: int, more: int) -> str:
    """`… and 24 more rows; --limit shows more than 1,000, --format csv shows all`."""
    count = quantity(more, "more row") if more <= COUNTED_ROWS else f"more than {COUNTED_ROWS:,} more rows"
    return f"… and {count}; --limit shows more than {shown:,}, --format csv all"

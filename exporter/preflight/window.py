"""How many rows a window asks for, as the source's planner expects: no table is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from exporter.model.tables import tables
from exporter.model.ways_in import WayIn, people, ways_in
from exporter.model.window import WHOLE, Window, WindowRequest
from exporter.preflight.statistics import LOCK_TIMEOUT
from exporter.sink.copies import timestamp
from exporter.source.catalog import Column
from exporter.source.columns import INTEGERS
from exporter.source.leader import Source
from exporter.source.refusals import run_error
from exporter.source.roots import resolved
from exporter.source.select import SourceTable
from exporter.source.window_rows import about_in_time

# What the numbers come from, for programs.
BASIS = "planner"


@dataclass(frozen=True, slots=True)
class TableWindow:
    """A table of the model, its name in the source, the rows that a window asks for, and all of its rows; None where
    the planner could not be asked, since somebody holds a lock."""

    table: str
    name: str
    rows: int | None
    of: int | None


@dataclass(frozen=True, slots=True)
class WindowEstimate:
    """A window, and what it asks for of each table. What these rows refer to, with what belongs to that, comes on
    top."""

    window: Window
    tables: tuple[TableWindow, ...]

    @property
    def rows(self) -> int:
        return sum(table.rows or 0 for table in self.tables)

    @property
    def of(self) -> int:
        return sum(table.of or 0 for table in self.tables)

    @property
    def share(self) -> float:
        """What part of all rows it asks for."""
        return self.rows / self.of if self.of else 1.0

    @property
    def times(self) -> dict[str, datetime]:
        """The times that it has, in UTC."""
        times = {"since": self.window.since, "until": self.window.until}
        return {name: moment for name, moment in times.items() if moment}

    @property
    def unknown(self) -> list[str]:
        """The tables that could not be estimated, by their names in the source."""
        return [table.name for table in self.tables if table.rows is None]

    def as_object(self) -> dict[str, Any]:
        """The object `window` of `exporter check --json`; it has no value of a root."""
        return {
            "since": self.window.since and timestamp(self.window.since),
            "until": self.window.until and timestamp(self.window.until),
            "rows": self.rows,
            "of": self.of,
            "basis": BASIS,
            "unknown": self.unknown,
        }


def estimate_window(source: Source, request: WindowRequest, timezone: str) -> WindowEstimate:
    """What a window asks for now. Raises `UsageError` if no row can be in, or nobody is a root; `RunError` if the
    source fails."""
    row = source.connection.execute("select clock_timestamp()").fetchone()
    assert row is not None
    window = resolved(source, request, row[0], timezone).window
    found = []
    for table in tables():
        real = SourceTable(source.relations()[table.name], table, source.mapping, timezone)
        found.append(estimate_table(source, real, window))
    return WindowEstimate(window, tuple(found))


def estimate_table(source: Source, table: SourceTable, window: Window) -> TableWindow:
    """What a window asks for of one table. Raises `RunError` if the source fails."""
    name, model_name = table.relation.full_name, table.table.name
    asked = [way for way in ways_in(model_name, window) if way.seed]
    share = float(window.sample) if window.sample is not None and model_name not in WHOLE else 1.0
    try:
        everything = planned_rows(source, table)
        rows = planned_rows(source, table, condition(table, window, asked)) if asked else 0
    except psycopg.errors.LockNotAvailable:
        return TableWindow(model_name, name, None, None)
    except psycopg.Error as error:
        raise run_error(error, f"estimating {name}") from None
    return TableWindow(model_name, name, round(rows * share), everything)


def condition(table: SourceTable, window: Window, ways: Iterable[WayIn]) -> sql.Composable:
    """The condition that the rows of a table meet that are asked for: by their time, and by the ids of roots as a
    column's type has them, so that the planner knows how often they occur. Who is drawn for a sample it cannot know."""
    ids = {people(label): sorted(map(str, found)) for label, found in window.people.items()}
    ways_of_rows = []
    for way in ways:
        tests = about_in_time(table, window) if way.timed else []
        if way.column and way.ids and window.sample is None:
            kind = sql.Identifier(kind_of_ids(table.column(way.column)))
            known = sql.Literal(ids[way.ids])
            tests.append(sql.SQL("{} = any({}::{}[])").format(table.quoted(way.column), known, kind))
        ways_of_rows.append(sql.SQL(" and ").join(tests or [sql.SQL("true")]))
    return sql.SQL(" or ").join(sql.SQL("({})").format(way) for way in ways_of_rows)


def kind_of_ids(column: Column) -> str:
    """The type in which ids are compared with a column's."""
    return "int8" if column.base in INTEGERS else "numeric" if column.base == "numeric" else "text"


def planned_rows(source: Source, table: SourceTable, limit: sql.Composable | None = None) -> int:
    """How many rows of a table the planner expects, all or those that meet a condition. Raises psycopg's
    `LockNotAvailable` if somebody keeps the table locked."""
    query = sql.SQL("explain (format json) select 1 from {}").format(table.name)
    if limit is not None:
        query += sql.SQL(" where {}").format(limit)
    with source.connection.transaction():
        source.connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        row = source.connection.execute(query).fetchone()
    assert row is not None
    return int(row[0][0]["Plan"]["Plan Rows"])

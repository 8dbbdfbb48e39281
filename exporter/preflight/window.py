"""How many rows a window asks for, as the source's planner expects: no table is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from exporter.model.tables import tables
from exporter.model.ways_in import WayIn, people, ways_in
from exporter.model.window import WHOLE, Window, WindowRequest
from exporter.preflight.statistics import LOCK_TIMEOUT
from exporter.source.leader import Source
from exporter.source.refusals import run_error
from exporter.source.roots import resolved
from exporter.source.select import SourceTable
from exporter.source.window_rows import IdSet, condition

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
            "since": self.window.since and self.window.since.isoformat(),
            "until": self.window.until and self.window.until.isoformat(),
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
    sets = {people(label): IdSet(listed=f"{{{','.join(map(str, ids))}}}") for label, ids in window.people.items()}
    found = []
    for table in tables():
        real = SourceTable(source.relations()[table.name], table, source.mapping, timezone)
        found.append(estimate_table(source, real, window, sets))
    return WindowEstimate(window, tuple(found))


def estimate_table(source: Source, table: SourceTable, window: Window, sets: Mapping[str, IdSet]) -> TableWindow:
    """What a window asks for of one table. Raises `RunError` if the source fails."""
    name, model_name = table.relation.full_name, table.table.name
    asked = [way for way in ways_in(model_name, window) if way.seed]
    share = 1.0
    if window.sample is not None and model_name not in WHOLE:
        # Who is drawn is known once the ids are read.
        asked, share = [WayIn(timed=way.timed) for way in asked[:1]], float(window.sample)
    try:
        everything = planned_rows(source, table, None)
        limit = condition(table, window, asked, sets) if asked else None
        rows = planned_rows(source, table, limit) if limit else everything
    except psycopg.errors.LockNotAvailable:
        return TableWindow(model_name, name, None, None)
    except psycopg.Error as error:
        raise run_error(error, f"estimating {name}") from None
    return TableWindow(model_name, name, round(rows * share) if asked else 0, everything)


def planned_rows(source: Source, table: SourceTable, limit: sql.Composable | None) -> int:
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

"""Which rows of a table a window reads, as SQL: by their time, and by ids that the closure has kept.

A condition may let more rows pass than are in; it never leaves one out. The worker judges each row again.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import sql

from exporter.model import frame
from exporter.model.ways_in import WayIn
from exporter.model.window import Window, time_column
from exporter.source.columns import INTEGERS
from exporter.source.packing import Selected
from exporter.source.queries import Form, PackedColumn
from exporter.source.select import SourceTable

# No zone has ever been further from UTC.
FARTHEST_ZONE = timedelta(days=2)
# What an integer's text looks like if it is canonical; the pattern of `shape/ids.py` that is called plain.
PLAIN_INTEGER = "^[1-9][0-9]{0,17}$"


@dataclass(frozen=True, slots=True)
class IdSet:
    """Ids as the text of SQL literals: `listed`, an array such as `{1,2}`, or `bits`, hexadecimal, in which the bit at
    an id less `low` is set, up to `high`. Neither, if there are too many ids for a query."""

    low: int = 0
    high: int = -1
    listed: str | None = None
    bits: str | None = None


def in_time(source: SourceTable, window: Window) -> sql.Composable:
    """Whether a row's own time is within a window (Boolean, never null): a null is not."""
    name = time_column(source.table.name)
    zoneless = source.column(name).base == "timestamp"
    parts = list[sql.Composable]()
    if window.since is not None:
        parts.append(not_before(source.quoted(name), window.since, source.timezone, zoneless=zoneless))
    if window.until is not None:
        later = not_before(source.quoted(name), window.until, source.timezone, zoneless=zoneless)
        parts.append(sql.SQL("not {}").format(later))
    return sql.SQL("coalesce({}, false)").format(sql.SQL(" and ").join(parts or [sql.SQL("true")]))


def not_before(column: sql.Composable, moment: datetime, timezone: str, *, zoneless: bool) -> sql.Composable:
    """Whether a timestamp is at a moment (in UTC) or later; null for a null."""
    if not zoneless:
        return sql.SQL("({} >= {})").format(column, sql.Literal(moment))
    local = moment.replace(tzinfo=None)
    if timezone == "UTC":
        return sql.SQL("({} >= {})").format(column, sql.Literal(local))
    # Only near the moment is the column converted: elsewhere that costs time, and may overflow. To convert the moment
    # alone would be wrong within the hour that summer time repeats.
    exact = sql.SQL("({} at time zone {}) >= {}").format(column, sql.Literal(timezone), sql.Literal(moment))
    cases = list[sql.Composable]()
    with suppress(OverflowError):
        surely = sql.Literal(local + FARTHEST_ZONE)
        cases.append(sql.SQL("when {} >= {} then true").format(column, surely))
    with suppress(OverflowError):
        never = sql.Literal(local - FARTHEST_ZONE)
        cases.append(sql.SQL("when {} < {} then false").format(column, never))
    return sql.SQL("(case {} else {} end)").format(sql.SQL(" ").join(cases), exact)


def time_column_of(source: SourceTable, window: Window) -> list[Selected]:
    """What a read has beside the rows of a dated table: whether each is in time, if the window has times."""
    if not window.timed:
        return []
    return [Selected(in_time(source, window), PackedColumn(frame.IN_TIME, Form.BOOLEAN, nullable=False))]


def condition(
    source: SourceTable, window: Window, ways: Iterable[WayIn], sets: Mapping[str, IdSet]
) -> sql.Composable | None:
    """A condition that every row of a table meets that is in for one of the reasons; None if all rows may be."""
    parts = list[sql.Composable]()
    for way in ways:
        tests = list[sql.Composable]()
        if way.column is not None:
            known = holds_id(source, way.column, sets[way.ids]) if way.ids is not None else None
            if way.nulls and known is not None:
                known = sql.SQL("({} or {})").format(known, without_id(source, way.column))
            elif way.nulls:
                known = without_id(source, way.column)
            tests += [known] if known is not None else []
        if way.timed and window.timed:
            tests.append(in_time(source, window))
        if not tests:
            return None
        parts.append(sql.SQL("({})").format(sql.SQL(" and ").join(tests)))
    return sql.SQL("({})").format(sql.SQL(" or ").join(parts or [sql.SQL("false")]))


def holds_id(source: SourceTable, name: str, ids: IdSet) -> sql.Composable | None:
    """Whether a column may hold one of some ids; None if the server cannot tell. Of texts, those that are not
    written as canonical ids are pass."""
    quoted, base = source.quoted(name), source.column(name).base
    if base in INTEGERS:
        if ids.listed is not None:
            return sql.SQL("{} in (select unnest({}::bigint[]))").format(quoted, sql.Literal(ids.listed))
        if ids.bits is not None:
            return sql.SQL(
                "case when {column} between {low} and {high} then get_bit({bits}::bytea, ({column} - {low})::int) = 1"
                " else false end"
            ).format(column=quoted, low=ids.low, high=ids.high, bits=sql.Literal(f"\\x{ids.bits}"))
        return None
    if ids.listed is None:
        return None
    if base == "numeric":
        return sql.SQL("{} in (select unnest({}::numeric[]))").format(quoted, sql.Literal(ids.listed))
    return sql.SQL('({0}::text collate "C" in (select unnest({1}::text[])) or {2})').format(
        quoted, sql.Literal(ids.listed), not_plain(quoted)
    )


def without_id(source: SourceTable, name: str) -> sql.Composable:
    """Whether a column may be null or malformed."""
    quoted, base = source.quoted(name), source.column(name).base
    if base in INTEGERS:
        return sql.SQL("{} is null").format(quoted)
    if base == "numeric":
        return sql.SQL("({0} is null or {0} <> trunc({0}) or abs({0}) > 1e18)").format(quoted)
    return sql.SQL("({} is null or {})").format(quoted, not_plain(quoted))


def not_plain(quoted: sql.Composable) -> sql.Composable:
    """Whether a text is not written as a canonical id: it may still be read as one."""
    return sql.SQL('{}::text collate "C" !~ {}').format(quoted, sql.Literal(PLAIN_INTEGER))

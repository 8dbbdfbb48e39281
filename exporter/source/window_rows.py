"""Which rows of a table a window reads, as SQL: by their time, and by ids that the closure has kept.

A condition may let more rows pass than are in; it never leaves one out. The worker judges each row again.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import sql

from exporter.model import frame
from exporter.model.ways_in import WayIn
from exporter.model.window import Window, time_column
from exporter.source.columns import INTEGERS
from exporter.source.packing import Selected
from exporter.source.queries import Form, IdSet, PackedColumn, placeholder
from exporter.source.select import SourceTable

# No zone has ever been further from UTC.
FARTHEST_ZONE = timedelta(days=2)
# Measured: a chunk's rows are compared with bits in as much more time than with a list as this many bytes of a query
# take.
BITS_COST = 1 << 14
# Every number of so many digits is an id.
DIGITS = 18


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


def about_in_time(source: SourceTable, window: Window) -> list[sql.Composable]:
    """Conditions that hold for about the rows whose own time is within a window, for the planner: it knows how often a
    column is before a constant, and nothing of an expression such as that of `in_time`."""
    name = time_column(source.table.name)
    zone = ZoneInfo(source.timezone) if source.column(name).base == "timestamp" else None
    found = list[sql.Composable]()
    for sign, moment in ((">=", window.since), ("<", window.until)):
        if moment is not None:
            with suppress(OverflowError):
                bound = sql.Literal(moment.astimezone(zone).replace(tzinfo=None) if zone else moment)
                found.append(sql.SQL("{} {} {}").format(source.quoted(name), sql.SQL(sign), bound))
    return found


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
    # The reasons that test the same column, and its nulls or not, in the same times share their tests.
    tests = dict[tuple[str | None, bool], list[WayIn]]()
    for way in ways:
        tests.setdefault((way.column, way.timed and window.timed), []).append(way)
    parts = list[sql.Composable]()
    for (column, timed), same in tests.items():
        test = None if column is None else of_column(source, column, same, sets)
        both = [each for each in (test, in_time(source, window) if timed else None) if each is not None]
        if not both:
            return None
        parts.append(sql.SQL("({})").format(sql.SQL(" and ").join(both)))
    return sql.SQL("({})").format(sql.SQL(" or ").join(parts or [sql.SQL("false")]))


def of_column(
    source: SourceTable, name: str, ways: Iterable[WayIn], sets: Mapping[str, IdSet]
) -> sql.Composable | None:
    """Whether a column may have what one of some ways in needs; None if the server cannot tell."""
    tests, nulls = list[sql.Composable](), False
    for way in ways:
        nulls |= way.nulls
        if way.ids is not None:
            known = holds_id(source, name, sets[way.ids])
            if known is None:
                return None
            tests.append(known)
    quoted, base = source.quoted(name), source.column(name).base
    if nulls:
        tests.append(sql.SQL("{} is null").format(quoted))
    if base == "numeric" and nulls:
        tests.append(sql.SQL("{0} <> trunc({0}) or abs({0}) > 1e18").format(quoted))
    if base not in INTEGERS | {"numeric"}:
        tests.append(not_plain(quoted))
    return sql.SQL("({})").format(sql.SQL(" or ").join(tests))


def holds_id(source: SourceTable, name: str, ids: IdSet) -> sql.Composable | None:
    """Whether a column holds one of some ids, in canonical form if it is text; None if there are too many."""
    quoted, base = source.quoted(name), source.column(name).base
    if base not in INTEGERS:
        type, text = ("numeric", quoted) if base == "numeric" else ("text", as_text(quoted))
        member = sql.SQL("{} in (select unnest({}::{}[]))")
        return member.format(text, held(ids, "listed"), sql.SQL(type)) if ids.listed is not None else None
    if ids.listed is not None and (ids.bits is None or ids.listed < ids.bits + BITS_COST):
        return sql.SQL("{} in (select unnest({}::bigint[]))").format(quoted, held(ids, "listed"))
    if ids.bits is not None:
        return sql.SQL(
            "case when {column} between {low}::bigint and {high}::bigint"
            " then get_bit(decode({bits}, 'hex'), ({column} - {low}::bigint)::int) = 1 else false end"
        ).format(column=quoted, **{form: held(ids, form) for form in ("low", "high", "bits")})
    return None


def held(ids: IdSet, form: str) -> sql.Literal:
    """The place-holder of a set in one of its forms."""
    return sql.Literal(placeholder(ids.name, form))


def filled_length(text: str, sets: Iterable[IdSet]) -> int:
    """How long a condition is once a worker has put the ids into it."""
    return len(text) + sum(
        (length or 0) * text.count(placeholder(ids.name, form))
        for ids in sets
        for form, length in (("listed", ids.listed), ("bits", ids.bits))
    )


def as_text(quoted: sql.Composable) -> sql.Composable:
    """A column as text that is compared byte by byte."""
    return sql.SQL('{}::text collate "C"').format(quoted)


def not_plain(quoted: sql.Composable) -> sql.Composable:
    """Whether a text is not written as a canonical id above 0, so that it may be another spelling of one, or malformed.
    Measured: to look for a letter that is no digit takes a tenth of the time of a pattern for the whole text."""
    return sql.SQL("octet_length({0}::text) > {1} or {2} < '1' or {2} ~ '[^0-9]'").format(
        quoted, DIGITS, as_text(quoted)
    )

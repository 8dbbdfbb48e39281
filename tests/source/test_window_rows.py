"""A window's conditions in SQL: exact by time, and by ids never too narrow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import psycopg
import pytest
from psycopg import sql

from exporter.model import frame
from exporter.model.vocabulary import IdRule
from exporter.model.ways_in import WayIn
from exporter.model.window import Window, table_of
from exporter.shape.ids import canonical
from exporter.source.catalog import read_catalog
from exporter.source.connection import Connection, connect
from exporter.source.mapping import NameMapping
from exporter.source.queries import Form, IdSet, PackedColumn, placeholder
from exporter.source.select import SourceTable
from exporter.source.window_rows import (
    about_in_time,
    condition,
    filled_length,
    holds_id,
    in_time,
    not_before,
    time_column_of,
)

SUMMER_ENDS = datetime(2026, 11, 1, 6, tzinfo=UTC)  # 02:00 in New York becomes 01:00 again
NOTIFICATIONS = "notifications.notifications"


@pytest.fixture
def session(postgres: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres) as connection:
        connection.execute("set timezone = 'Asia/Kolkata'")
        yield connection


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_time_without_zone_is_in_when_its_moment_is(session: psycopg.Connection, zone: str) -> None:
    """Minute by minute in the hours that summer time repeats and skips, and at both ends of what PostgreSQL knows,
    where a conversion would overflow."""
    for around in (SUMMER_ENDS, datetime(2026, 3, 8, 7, tzinfo=UTC)):
        for minutes in (-90, -30, 0, 30):
            since = around + timedelta(minutes=minutes)
            column = sql.Identifier("at")
            query = sql.SQL(
                "select count(*), count(*) filter (where {} is distinct from ((at at time zone {}) >= {})) from"
                " generate_series({}::timestamp, {}::timestamp, '1 minute') moments (at)"
            ).format(
                not_before(column, since, zone, zoneless=True),
                zone,
                since,
                around.replace(tzinfo=None) - timedelta(hours=12),
                around.replace(tzinfo=None) + timedelta(hours=12),
            )
            assert session.execute(query).fetchone() == (1441, 0)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("zoneless", [True, False])
def test_the_ends_of_time_are_before_and_after_every_moment(
    session: psycopg.Connection, zone: str, zoneless: bool
) -> None:
    """Infinity is after every `since`, minus infinity before; the first and last moments do not overflow."""
    type = sql.SQL("timestamp" if zoneless else "timestamptz")
    texts = ["infinity", "294276-12-31 23:59:59", "2026-11-01 05:00", None, "4714-11-24 00:00 BC", "-infinity"]
    query = sql.SQL("select {} from unnest(%s::{}[]) with ordinality moments (at, place) order by place").format(
        not_before(sql.Identifier("at"), datetime(2026, 1, 1, tzinfo=UTC), zone, zoneless=zoneless), type
    )
    if not zoneless:
        texts[1], texts[4] = "294276-12-31 23:59:59+00", "4714-11-24 00:00+00 BC"
    assert [row[0] for row in session.execute(query, [texts])] == [True, True, True, None, False, False]
    first = not_before(sql.Identifier("at"), datetime(1, 1, 1, tzinfo=UTC), zone, zoneless=zoneless)
    last = not_before(sql.Identifier("at"), datetime(9999, 12, 31, tzinfo=UTC), zone, zoneless=zoneless)
    asked = sql.SQL("select {}, {} from (select now()::{} as at) moments").format(first, last, type)
    assert session.execute(asked).fetchone() == (True, False)


def notifications(leader: Connection, timezone: str = "UTC") -> SourceTable:
    """The table, with timestamps of a time zone."""
    relation = read_catalog(leader, NameMapping().schemas())[NOTIFICATIONS]
    return SourceTable(relation, table_of(NOTIFICATIONS), NameMapping(), timezone)


def add(leader: psycopg.Connection, auth_user_id: int | str | None, created_at: str | None) -> None:
    """Adds a notification."""
    leader.execute(
        f"insert into {NOTIFICATIONS} (id, auth_user_id, event_type, channel, is_read, created_at)"
        " values (gen_random_uuid(), %s, 'a', 'b', true, %s)".encode(),
        [auth_user_id, created_at],
    )


INTEGERS = f"alter table {NOTIFICATIONS} alter auth_user_id type bigint using null"
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
SOMEBODY_S = WayIn("auth_user_id", "people/AuthUser")
AT = ("2026-10-31 23:59:59.999999", "2026-11-01", "2026-11-01 23:59:59.999999", "2026-11-02", None)


@pytest.mark.parametrize("type", ["timestamp", "timestamptz"])
@pytest.mark.parametrize(
    ("window", "inside"),
    [
        (Window(since=SINCE, until=UNTIL), [False, True, True, False, False]),
        (Window(since=SINCE), [False, True, True, True, False]),
        (Window(until=UNTIL), [True, True, True, False, False]),
        (Window(), [True] * 5),
    ],
)
def test_what_is_in_time(source: str, type: str, window: Window, inside: list[bool]) -> None:
    """From the first moment to before the last; what has no time is in no window that has one."""
    with psycopg.connect(source, autocommit=True) as leader:
        leader.execute(f"alter table {NOTIFICATIONS} alter created_at drop not null".encode())
        leader.execute(f"alter table {NOTIFICATIONS} alter created_at type {type}; set timezone = 'UTC'".encode())
        for moment in AT:
            add(leader, 1, moment)
    with connect(source, "exporter test", lock_seconds=1) as leader:
        table = notifications(leader)
        query = sql.SQL("select {} from {} order by created_at nulls last").format(in_time(table, window), table.name)
        assert [row[0] for row in leader.execute(query)] == inside
        [beside] = time_column_of(table, window) or [None]
        assert (beside and beside.packed) == (
            PackedColumn(frame.IN_TIME, Form.BOOLEAN, nullable=False) if window.timed else None
        )


def test_about_what_is_in_time(source: str) -> None:
    """Comparisons with constants, in the column's own time."""
    window, first = Window(since=SINCE, until=UNTIL), Window(since=datetime(1, 1, 1, tzinfo=UTC))
    found = {}
    for type in ("timestamptz", "timestamp"):
        with psycopg.connect(source, autocommit=True) as leader:
            leader.execute(f"alter table {NOTIFICATIONS} alter created_at type {type}".encode())
        with connect(source, "exporter test", lock_seconds=1) as leader:
            table = notifications(leader, "America/New_York")
            found[type] = [each.as_string(leader) for each in about_in_time(table, window)]
            assert len(about_in_time(table, first)) == (1 if type == "timestamptz" else 0)
            assert about_in_time(table, Window()) == []
    assert found == {
        "timestamptz": [
            "\"created_at\" >= '2026-11-01 00:00:00+00:00'::timestamptz",
            "\"created_at\" < '2026-11-02 00:00:00+00:00'::timestamptz",
        ],
        "timestamp": [
            "\"created_at\" >= '2026-10-31 20:00:00'::timestamp",
            "\"created_at\" < '2026-11-01 19:00:00'::timestamp",
        ],
    }


@pytest.mark.parametrize(
    ("window", "ways", "passing"),
    [
        (Window(since=SINCE), [WayIn(timed=True)], [2, 3, 9, None]),
        (Window(since=SINCE), [WayIn("auth_user_id", "people/AuthUser", timed=True)], [2, 3]),
        (Window(since=SINCE), [SOMEBODY_S], [1, 2, 3]),
        (Window(), [WayIn("auth_user_id", "people/AuthUser", timed=True)], [1, 2, 3]),
        (Window(since=SINCE), [WayIn("auth_user_id", nulls=True, timed=True)], [None]),
        (Window(), [WayIn("auth_user_id", nulls=True)], [None, None]),
        (
            Window(),
            [SOMEBODY_S, WayIn("auth_user_id", nulls=True)],
            [1, 2, 3, None, None],
        ),
        (Window(since=SINCE), [SOMEBODY_S, WayIn(timed=True)], [1, 2, 3, 9, None]),
        (Window(since=SINCE), [], []),
        (Window(), [SOMEBODY_S, WayIn()], None),
        (Window(), [WayIn(timed=True)], None),
    ],
)
def test_reasons_and_times(source: str, window: Window, ways: list[WayIn], passing: list[int | None] | None) -> None:
    """Rows pass for one of the reasons, and in time where that is asked; all may if one asks for nothing."""
    with psycopg.connect(source, autocommit=True) as leader:
        leader.execute(f"{INTEGERS}, alter auth_user_id drop not null".encode())
        for number, moment in zip((1, 2, 3, 8, 9, None, None), (*AT[:3], AT[0], AT[3], AT[0], AT[3]), strict=True):
            add(leader, number, f"{moment}+00")
    with connect(source, "exporter test", lock_seconds=1) as leader:
        table = notifications(leader)
        only = condition(table, window, ways, {"people/AuthUser": IdSet("people/AuthUser", listed=1)})
        if only is None:
            assert passing is None
            return
        query = sql.SQL("select auth_user_id from {} where {} order by 1").format(table.name, only)
        text = query.as_string(leader).replace(placeholder("people/AuthUser", "listed"), "{1,2,3}")
        assert [row[0] for row in leader.execute(text.encode())] == passing


def test_the_shorter_form_of_ids(source: str) -> None:
    """Bits, unless a list is shorter or hardly longer: 16 kB."""
    with psycopg.connect(source, autocommit=True) as leader:
        leader.execute(INTEGERS.encode())
    with connect(source, "exporter test", lock_seconds=1) as leader:
        table = notifications(leader)

        def form(**lengths: int | None) -> str | None:
            known = holds_id(table, "auth_user_id", IdSet("kept/AuthUser", **lengths))
            return known and ("bits" if "get_bit" in known.as_string(leader) else "listed")

        assert form(listed=1 << 14, bits=1) == "listed"
        assert form(listed=(1 << 14) + 1, bits=1) == "bits"
        assert (form(listed=1 << 20), form(bits=9), form()) == ("listed", "bits", None)


def test_how_long_a_condition_becomes() -> None:
    """Each place-holder counts as often as it occurs, and for what it stands."""
    sets = [IdSet("kept/AuthUser", listed=7, bits=100), IdSet("kept/Customer", bits=1000)]
    texts = {
        "x in (1)": 8,
        placeholder("kept/AuthUser", "listed"): 7,
        placeholder("kept/AuthUser", "bits") * 2: 200,
        placeholder("kept/Customer", "listed"): 0,
        f"{placeholder('kept/Customer', 'bits')}{placeholder('kept/AuthUser', 'listed')}": 1007,
    }
    lengths = {text: filled_length(text, sets) - (len(text) if text[0] == "@" else 0) for text in texts}
    assert lengths == texts


TEXTS = [
    *("42", " 42 ", '"42"', "0042", "42.0", "42.", "+42", "-42", "-7", "-0", "0", "1", "007", "4e1", "", " ", "\t42\n"),
    *("null", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "४२", "42\u00a0", "100", "1001"),
]
IDS = [-7, 0, 42, 1001, (1 << 63) - 1]


def with_ids(query: str, **forms: str) -> str:
    """A query with these texts in the place of its place-holders, as a worker sends it."""
    for form, text in forms.items():
        query = query.replace(placeholder("people/AuthUser", form), text)
    assert "@" not in query
    return query


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("text", TEXTS),
        ("varchar(40)", TEXTS),
        ("char(30)", TEXTS),
        ("numeric", ["42", "42.00", "42.5", "-7", "-0", "1001", "9223372036854775807", "1e30", "NaN"]),
        ("bigint", ["42", "-7", "0", "41", "1001", "9223372036854775807", "-9223372036854775808"]),
    ],
)
@pytest.mark.parametrize("nulls", [False, True])
def test_a_condition_lets_every_row_pass_that_may_be_in(source: str, type: str, values: list[str], nulls: bool) -> None:
    """Whatever the column's type, each spelling of an id in the set passes, and with `nulls` also what has none."""
    with psycopg.connect(source, autocommit=True) as leader:
        leader.execute(f"alter table {NOTIFICATIONS} alter auth_user_id type {type} using null".encode())
        leader.execute(f"alter table {NOTIFICATIONS} alter auth_user_id drop not null".encode())
        for value in [*values, None]:
            add(leader, value, "now")
    with connect(source, "exporter test", lock_seconds=1) as leader:
        table = notifications(leader)
        rule = IdRule.INTEGER if type == "numeric" else IdRule.TEXT_AUTH_ID
        ways = [WayIn("auth_user_id", "people/AuthUser", seed=True)]
        ways += [WayIn("auth_user_id", nulls=True, seed=True)] if nulls else []
        raw = sql.SQL("select auth_user_id::text from {}").format(table.name)
        every = pl.Series("raw", [row[0] for row in leader.execute(raw)], dtype=pl.String)
        known = every.cast(pl.Int64) if type == "bigint" else canonical(every, rule)
        wanted = every.filter(known.is_in(IDS) | (known.is_null() if nulls else False)).to_list()
        for ids in (IdSet("people/AuthUser", listed=1), IdSet("people/AuthUser")):
            only = condition(table, Window(), ways, {"people/AuthUser": ids})
            query = raw if only is None else sql.SQL("{} where {}").format(raw, only)
            text = with_ids(query.as_string(leader), listed="{-7,0,42,1001,9223372036854775807}")
            passed = [row[0] for row in leader.execute(text.encode())]
            assert {*wanted} <= {*passed}
        few = condition(table, Window(), ways[:1], {"people/AuthUser": IdSet("people/AuthUser", listed=1)})
        assert few is not None
        text = with_ids(sql.SQL("{} where {}").format(raw, few).as_string(leader), listed="{42}")
        passed = [row[0] for row in leader.execute(text.encode())]
        assert "1001" not in [text.strip() for text in passed if text]


def test_bits_hold_the_same_ids_as_a_list(source: str) -> None:
    """The bit of an id is where `get_bit` looks for it; ids outside of the range are in neither."""
    with psycopg.connect(source, autocommit=True) as leader:
        leader.execute("insert into auth.auth_users (id, created_at) select n, now() from generate_series(-50, 100) n")
    with connect(source, "exporter test", lock_seconds=1) as leader:
        relation = read_catalog(leader, NameMapping().schemas())["auth.auth_users"]
        table = SourceTable(relation, table_of("auth.auth_users"), NameMapping(), "UTC")
        found = []
        bits = bytes((0b10000001, 0b00010000, 0b10000000)).hex()
        for ids in (IdSet("people/AuthUser", listed=1), IdSet("people/AuthUser", bits=1)):
            only = condition(table, Window(), [WayIn("id", "people/AuthUser")], {"people/AuthUser": ids})
            assert only is not None
            query = sql.SQL("select id from {} where {} order by id").format(table.name, only)
            text = with_ids(query.as_string(leader), listed="{-9,-2,3,14}", low="-9", high="14", bits=bits)
            found.append([row[0] for row in leader.execute(text.encode())])
        assert found == [[-9, -2, 3, 14]] * 2

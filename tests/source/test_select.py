"""SQL text: which of several rows with one key comes first, and when two keys are one, judged by the server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from exporter.model.tables import Table, Use, tables
from exporter.model.vocabulary import IdRule, Type
from exporter.source.catalog import Column, Relation, read_catalog
from exporter.source.columns import expression
from exporter.source.connection import Connection, connect
from exporter.source.mapping import NameMapping
from exporter.source.select import SourceTable, comparable, joined_text, precedence
from tests.support import reference_rules as obvious

TABLES = {table.name: table for table in tables()}
BASES = {
    **{"text": "text", "char(40)": "bpchar", "varchar": "varchar", "numeric": "numeric", "uuid": "uuid"},
    **{"bigint": "int8", "double precision": "float8", "inet": "inet"},
}
ON_SERVER = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


SHOUTED = "AAAAAAAA-aaaa-AAAA-aaaa-AAAAAAAAAAAA"


@pytest.fixture(scope="module")
def leader(postgres: str) -> Iterator[Connection]:
    with connect(postgres, "test", lock_seconds=3) as connection:
        yield connection


def from_of(table: Table, relation: Relation, mapping: NameMapping | None = None) -> SourceTable:
    return SourceTable(relation, table, mapping or NameMapping(), "UTC")


def groups(leader: Connection, type: str, use: Use, texts: list[str | None]) -> list[tuple[Any, int]]:
    """For each value: how it is read, and the place of its group in the order of what makes keys equal."""
    column = Column("id", type, BASES[type], "S", True)
    source = from_of(TABLES["guide.skills"], Relation("guide", "skills", "r", True, True, False, False, {"id": column}))
    query = sql.SQL(
        "select {}, rank() over (order by {}) from"
        " (select text::{} as id, place from unnest(%s::text[]) with ordinality t (text, place)) t order by place"
    ).format(
        expression(column, use, source=sql.Identifier("id"), timezone="UTC"),
        comparable(source, "id", use),
        sql.SQL(type),
    )
    return leader.execute(query, [texts]).fetchall()


def check_groups(found: list[tuple[Any, int]], keys: list[Any]) -> None:
    """Two rows are of one group exactly when they have one canonical key; a malformed key is in no key's group."""
    by_group: dict[int, set[Any]] = {}
    for (_, group), key in zip(found, keys, strict=True):
        by_group.setdefault(group, set()).add(key)
    canonical = [group for group in by_group.values() if group != {None}]
    assert all(len(group) == 1 for group in canonical), canonical
    assert len(canonical) == len(set(keys) - {None})


def without_zero_byte(strategy: st.SearchStrategy[str | None]) -> st.SearchStrategy[list[str | None]]:
    """Texts as PostgreSQL can hold them."""
    return st.lists(strategy.filter(lambda text: text is None or "\x00" not in text), max_size=40)


@pytest.mark.parametrize("type", ["text", "varchar", "char(40)"])
@ON_SERVER
@given(texts=without_zero_byte(obvious.hostile_text(obvious.numbers(), st.integers(-3, 12).map(str))))
def test_integer_ids_in_texts(leader: Connection, type: str, texts: list[str | None]) -> None:
    """7, 07 and 7.0 are one key; what only looks like a number is none of them."""
    found = groups(leader, type, IdRule.INTEGER, [text if text is None else text[:40] for text in texts])
    check_groups(found, [obvious.integer_id(text) for text, _ in found])


@pytest.mark.parametrize("blank", obvious.WHITE_SPACE)
def test_trimming(leader: Connection, blank: str) -> None:
    """Each of the six characters, and not the letters by which some are written."""
    texts = [f"{blank}7{blank}", "7", "7v", "7t", "7n", "v7", "\\7", "7\xa0"]
    found = groups(leader, "text", IdRule.INTEGER, list(texts))
    check_groups(found, [obvious.integer_id(text) for text in texts])


@ON_SERVER
@given(
    numbers=st.lists(
        st.one_of(
            st.none(),
            st.sampled_from(["7", "7.0", "7.00", "-0", "0", "NaN", "7.5", "1e30"]),
            st.integers(-5, 5).map(str),
        )
    )
)
def test_integer_ids_in_numerics(leader: Connection, numbers: list[str | None]) -> None:
    """Equal numbers are one key, whatever their scale."""
    found = groups(leader, "numeric", IdRule.INTEGER, numbers)
    check_groups(found, [obvious.integer_id(text) for text, _ in found])


@pytest.mark.parametrize("type", ["text", "char(40)"])
@ON_SERVER
@given(texts=without_zero_byte(obvious.hostile_text(obvious.uuids(), st.sampled_from([SHOUTED]))))
def test_uuids_in_texts(leader: Connection, type: str, texts: list[str | None]) -> None:
    """Both cases are one key."""
    cut = [text if text is None else text[:40] for text in texts]
    found = groups(leader, type, IdRule.UUID, [*cut, *(text and text.upper()[:40] for text in cut)])
    check_groups(found, [obvious.uuid(text) for text, _ in found])


@pytest.mark.parametrize("type", ["text", "varchar", "char(40)"])
@ON_SERVER
@given(texts=without_zero_byte(obvious.hostile_text(st.sampled_from(["A", " A", "A\t\r", "a", "A\xa0", "", "\v"]))))
def test_codes_in_texts(leader: Connection, type: str, texts: list[str | None]) -> None:
    """White space around a code is not part of it, everything else is, case included."""
    found = groups(leader, type, IdRule.CODE, [text if text is None else text[:40] for text in texts])
    check_groups(found, [obvious.code(text) for text, _ in found])


@pytest.mark.parametrize(
    ("type", "texts"),
    [
        ("bigint", ["1", "01", "-1", None]),
        ("numeric", ["1", "1.0", "NaN", None]),
        ("uuid", ["AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", None]),
    ],
)
def test_codes_in_other_types(leader: Connection, type: str, texts: list[str | None]) -> None:
    """They are one key when their text is the same."""
    found = groups(leader, type, IdRule.CODE, [*texts, *texts])
    check_groups(found, [value if value is None else obvious.code(str(value)) for value, _ in found])


@pytest.mark.parametrize(
    ("type", "texts"),
    [
        ("text", ["a", "A", "a ", " a", "", "ä", "a\u0308", None]),
        ("char(40)", ["a", "A", "a ", " a", "", None]),
        ("numeric", ["1", "1.0", "1.00", "NaN", None]),
        ("double precision", ["-0", "0", "NaN", None]),
        ("inet", ["10.0.0.1", "10.0.0.1/32", "10.0.0.1/8", None]),
        ("uuid", ["AAAAAAAA-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", None]),
        ("bigint", ["1", "01", "-1", None]),
    ],
)
def test_texts_of_a_pair(leader: Connection, type: str, texts: list[str | None]) -> None:
    """They are one key when the texts that are read are the same, to the last character."""
    found = groups(leader, type, Type.STRING, [*texts, *texts])
    check_groups(found, [text for text, _ in found])


def test_joined_text(leader: Connection) -> None:
    """Columns as text, joined by a colon."""
    query = sql.SQL("select {}, {} from (select 7 as id, 'a:b' as {}) t").format(
        joined_text(["id"]), joined_text(['o"dd', "id"]), sql.Identifier('o"dd')
    )
    assert leader.execute(query).fetchone() == ("7", "a:b:7")


def in_order(uri: str, name: str, statements: str, mapping: NameMapping | None = None) -> list[Any]:
    """The `mark` of each row of a table, in the order in which rows with one key win."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statements.encode())
    mapping = mapping or NameMapping()
    with connect(uri, "test", lock_seconds=3) as leader:
        relation = read_catalog(leader, mapping.schemas())[mapping.table(name)]
        source = from_of(TABLES[name], relation, mapping)
        query = sql.SQL("select mark from {} order by {}").format(source.name, precedence(source))
        return [mark for (mark,) in leader.execute(query)]


def test_the_first_by_primary_key_wins(source: str) -> None:
    """In the key's own order of columns, whatever the order of rows."""
    statements = """
        alter table guide.skills drop constraint skills_pkey cascade, add mark int, add primary key (name, id);
        insert into guide.skills values (1, 'c', '', 1), (2, 'b', '', 2), (1, 'b', '', 3), (9, 'a', '', 4);
    """
    assert in_order(source, "guide.skills", statements) == [4, 3, 2, 1]


def test_without_a_primary_key_the_first_in_the_heap_wins(source: str) -> None:
    """By ctid; of several tables, one after the other."""
    statements = """
        alter table guide.skills drop constraint skills_pkey cascade, add mark int;
        create table guide.more () inherits (guide.skills);
        insert into guide.more values (1, 'm', '', 5);
        insert into guide.skills values (3, 'c', '', 1), (2, 'b', '', 2), (1, 'a', '', 3);
        update guide.skills set mark = 4 where id = 3;
    """
    assert in_order(source, "guide.skills", statements) == [2, 3, 4, 5]


DEVICES = """
    alter table auth.user_devices alter created_at drop not null, add mark int;
    insert into auth.user_devices (id, mark, created_at, updated_at, auth_user_id, device_id)
    select *, 1, 'a' from (values
        (1, 7, '2026-01-01'::timestamptz, null::timestamptz),
        (2, 6, '2026-01-01', null),
        (3, 5, '2025-01-01', '2026-01-02'),
        (4, 4, '2026-03-01', '2026-01-03'),
        (5, 1, 'infinity', null),
        (6, 8, '2026-01-05', '-infinity'),
        (7, 3, '2026-01-01', '10000-01-01'),
        (8, 9, null, null),
        (9, 2, '2026-01-01', 'infinity')) v (id, mark, created_at, updated_at)
    order by mark desc;
    update auth.user_devices set id = 10 where mark = 2;
"""


def test_the_latest_device_wins(source: str) -> None:
    """By its update, without one by its creation, infinities at their ends; then by the highest id, not the first."""
    assert in_order(source, "auth.user_devices", DEVICES) == [2, 1, 3, 4, 5, 6, 7, 8, 9]


def test_the_latest_device_of_mapped_columns(source: str) -> None:
    """Of two types of time, one in the configured zone."""
    statements = (
        DEVICES
        + """
        alter table auth.user_devices rename updated_at to changed;
        alter table auth.user_devices rename id to number;
        alter table auth.user_devices alter changed type timestamp using changed at time zone 'UTC';
    """
    )
    mapping = NameMapping({}, {"auth.user_devices": {"updated_at": "changed", "id": "number"}})
    assert in_order(source, "auth.user_devices", statements, mapping) == [2, 1, 3, 4, 5, 6, 7, 8, 9]


def test_the_rows_of_a_view_have_no_order(source: str) -> None:
    """Which of two is first is undefined, but asking for it is no error."""
    statements = """
        alter table guide.skills rename to skill;
        create view guide.skills as select 1 as id, '' as name, '' as description, 1 as mark;
    """
    assert in_order(source, "guide.skills", statements) == [1]


def test_row_ids(source: str) -> None:
    """No two rows of a table and its child tables have one."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("create table guide.more () inherits (guide.skills)")
        connection.execute("insert into guide.more values (1, 'a', '')")
        connection.execute("insert into guide.skills values (1, 'a', ''), (2, 'b', '')")
    with connect(source, "test", lock_seconds=3) as leader:
        relation = read_catalog(leader, ["guide"])["guide.skills"]
        found = from_of(TABLES["guide.skills"], relation)
        query = sql.SQL("select count(distinct {}), count(*) from {}").format(found.row_id(), found.name)
        assert leader.execute(query).fetchone() == (3, 3)

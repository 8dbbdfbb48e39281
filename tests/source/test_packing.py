"""Packed reads: the same frame as a plain read, or a clear no, whatever the table holds."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from exporter.errors import RunError
from exporter.model.tables import Table, tables
from exporter.model.vocabulary import Node, Type, integer
from exporter.model.vocabulary import date as date_property
from exporter.model.vocabulary import datetime as datetime_property
from exporter.sample.postgres import create_database
from exporter.shape.values import holds_unrepresentable
from exporter.source.catalog import Column, read_catalog
from exporter.source.chunks import Span
from exporter.source.columns import expression
from exporter.source.connection import Connection, connect
from exporter.source.packing import Selected, group_blocks, packed_column, packed_select, packed_whole, select
from exporter.source.queries import Address, Form, PackedColumn, joint_read
from exporter.source.reader import read
from exporter.source.reader_address import worker_address
from exporter.source.unpacking import UnpackableError, unpack
from tests.source.test_chunks import FILLED, SHAPES
from tests.support.column_types import ACCEPTED, TYPES
from tests.support.plans import planner_of
from tests.support.stalling_source import execute

ALONE = ["begin isolation level repeatable read read only"]
EVERYTHING = Span(None, 0, 0)
TABLE = sql.SQL("public.packed")


@contextmanager
def reader(uri: str) -> Iterator[tuple[Connection, Address]]:
    """A leader's connection, and the address for a reader."""
    with connect(uri, "exporter test", lock_seconds=3) as leader:
        yield leader, worker_address(leader, "exporter test reader", lock_seconds=3)


def frame(address: Address, query: str) -> pl.DataFrame:
    """The rows of a plain query."""
    rows = pl.from_arrow(read(address, query, ALONE, "a test"))
    assert isinstance(rows, pl.DataFrame)
    return rows


def both(leader: Connection, address: Address, selected: list[Selected], span: Span, step: int) -> list[pl.DataFrame]:
    """The rows of a table read plainly, in groups, and in one group."""
    columns = [column.packed for column in selected]
    queries = [packed_select(selected, TABLE, span, step), packed_whole(selected, TABLE)]
    packed = [unpack(read(address, query.as_string(leader), ALONE, "a test"), columns) for query in queries]
    return [frame(address, select(selected, TABLE).as_string(leader)), *packed]


# Where there may be nulls, this one looks like them: the next test.
LEAST = str(-(2**63))
PAIRS = [(use, type) for use, types in ACCEPTED.items() for type in types]


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("step", [1, 7])
def test_every_use_of_every_type(database: str, required: bool, step: int) -> None:
    """Each with all its values, with nulls where the column allows them; over some blocks, one of which is empty."""
    kinds = sorted({type for _, type in PAIRS})
    texts = {kind: sorted({text for types in ACCEPTED.values() for text in types.get(kind, ())}) for kind in kinds}
    texts["t_big"].append("7")
    texts["date"].remove("infinity")  # a test of its own
    if not required:
        texts["t_big"].remove(LEAST)
    columns = [
        sql.SQL("{} {} {}").format(sql.Identifier(kind), sql.SQL(kind), sql.SQL("not null" if required else ""))
        for kind in kinds
    ]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TYPES.encode())
        connection.execute(sql.SQL("create table packed (number int, {})").format(sql.SQL(", ").join(columns)))
        for row in range(400):
            cells = [
                None if not required and (row + place) % 3 == 0 else texts[kind][row % len(texts[kind])]
                for place, kind in enumerate(kinds)
            ]
            places = ", ".join(["%s"] * (len(cells) + 1))
            connection.execute(f"insert into packed values ({places})".encode(), [row, *cells])
        connection.execute("delete from packed where (ctid::text::point)[0] = 3")
    with reader(database) as (leader, address):
        found = read_catalog(leader, ["public"])["public.packed"].columns
        selected = [selected_column(found[kind], use, f"{use} of {kind}") for use, kind in PAIRS]
        assert {column.packed.nullable for column in selected} == {not required}
        plain, grouped, whole = both(leader, address, selected, Span(None, 0, 5), step)
    assert plain.height < 400
    for packed in (grouped, whole):
        assert packed.schema == plain.schema
        assert [name for name in plain.columns if not packed[name].equals(plain[name])] == []


def selected_column(column: Column, use: object, name: str) -> Selected:
    """A column as the plan selects it for a use."""
    quoted = sql.Identifier(column.name)
    text = expression(column, use, source=quoted, timezone="Asia/Kolkata")  # type: ignore[arg-type]
    return Selected(text, packed_column(column, use, name))  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["infinity", "-infinity", "10000-01-01", "294276-12-31", "4714-11-24 BC"])
@pytest.mark.parametrize("use", [Type.DATETIME, Type.DATE])
def test_moments_outside_the_exported_years(database: str, value: str, use: Type) -> None:
    """Wherever a plain read shows that the fallback is needed, a packed one does."""
    make = datetime_property if use is Type.DATETIME else date_property
    table = Table("public.packed", "", Node("Packed", "public.packed", integer("id"), (make("at"),)), ())
    execute(database, f"create table packed (id int, at {'timestamptz' if use is Type.DATETIME else 'date'})")
    execute(database, f"insert into packed values (1, null), (2, '{value}'), (3, now())")
    with reader(database) as (leader, address):
        column = read_catalog(leader, ["public"])["public.packed"].columns["at"]
        selected = [selected_column(column, use, "at")]
        query = packed_whole(selected, TABLE).as_string(leader)
        packed = unpack(read(address, query, ALONE, "a test"), [column.packed for column in selected])
    assert holds_unrepresentable(packed, table) == ("BC" not in value)


# What a text may hold that packs others, and its neighbours.
LETTERS = st.text(st.sampled_from("\x01\x02\x03aé\n"), max_size=3)


@pytest.fixture(scope="module")
def texts_database(postgres: str) -> str:
    """A database with an empty table of texts and integers."""
    uri = create_database(postgres, "packed_texts")
    execute(uri, "create table packed (text text, required text not null, least int)")
    return uri


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.none() | LETTERS, LETTERS, st.none() | st.integers(-(2**31), 5 - 2**31)), max_size=6))
def test_texts_with_separators(texts_database: str, rows: list[tuple[str | None, str, int | None]]) -> None:
    """They are read exactly, or not at all: where a text holds the separator, or a text or integer looks like null."""
    with psycopg.connect(texts_database, autocommit=True) as connection:
        connection.execute("truncate packed")
        for row in rows:
            connection.execute("insert into packed values (%s, %s, %s)", row)
    selected = [
        Selected(sql.Identifier("text"), PackedColumn("text", Form.TEXT, nullable=True)),
        Selected(sql.Identifier("required"), PackedColumn("required", Form.TEXT, nullable=False)),
        Selected(sql.Identifier("least"), PackedColumn("least", Form.INT32, nullable=True)),
    ]
    impossible = any(
        "\x01" in (text or "") + required or text == "\x02" or least == -(2**31) for text, required, least in rows
    )
    with reader(texts_database) as (leader, address):
        try:
            plain, *packed = both(leader, address, selected, EVERYTHING, 1)
        except UnpackableError:
            assert impossible
        else:
            assert not impossible
            assert plain.rows() == rows
            assert [each.rows() for each in packed] == [rows, rows]


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "view" not in shape])
def test_tables_of_every_shape(source: str, shape: str) -> None:
    """The plan's packed reads have the rows of its plain reads in their order, also rows that came after measuring."""
    execute(source, SHAPES[shape][0] or "select")
    table = next(table for table in tables() if table.name == "guide.skills")
    with reader(source) as (leader, address):
        planner = planner_of(leader, chunk_bytes=20_000)
        execute(source, "insert into guide.skills select n, 'later', '' from generate_series(5001, 5999) n")
        reads = planner.queries_of(table).reads
        plain = [frame(address, how.plain) for how in reads]
        assert all(how.packed for how in reads)
        packed = [unpack(read(address, how.packed or "", ALONE, "a test"), how.columns) for how in reads]
    assert [part.rows() for part in packed] == [part.rows() for part in plain]
    assert pl.concat(packed).filter(pl.col("name") == "later").height == 999


def test_several_tables_in_one_query(source: str) -> None:
    """Each has its own columns of the one row; a table without rows has its dtypes."""
    execute(source, FILLED.replace("3000", "300"))
    with reader(source) as (leader, address):
        planner = planner_of(leader)
        reads = [planner.queries_of(table).reads[0] for table in tables() if table.name.startswith("guide.")]
        assert all(how.joinable for how in reads)
        joint = read(address, joint_read(reads).plain, ALONE, "a test")
        assert (joint.num_rows, joint.num_columns) == (1, sum(how.width for how in reads))
        first = 0
        for how in reads:
            part = joint.select(list(range(first, first + how.width)))
            first += how.width
            plain, packed = frame(address, how.plain), unpack(part, how.columns)
            assert packed.equals(plain) and packed.schema == plain.schema


def test_groups_are_found_by_their_rows_ids(source: str) -> None:
    """Whatever a role sets: a scan of the whole table for each group would take the square of the time."""
    execute(source, FILLED)
    for setting in ("enable_tidscan", "enable_nestloop"):
        execute(
            source, f"do $$ begin execute 'alter database ' || current_database() || ' set {setting} = off'; end $$"
        )
    with connect(source, "exporter test", lock_seconds=3) as leader:
        planner = planner_of(leader, chunk_bytes=20_000)
        table = planner.source(next(table for table in tables() if table.name == "guide.skills"))
        reads = planner.reads(table, planner.rows(table, fallback=False), planner.chunker.spans(table))
        plans = [leader.execute(f"explain {how.packed}".encode()).fetchall() for how in reads]
    assert len(plans) > 10
    for plan in plans:
        text = "\n".join(line for (line,) in plan)
        assert "Tid Range Scan on skills" in text and "Seq Scan" not in text


def test_group_sizes() -> None:
    """Many blocks of short rows, one of long texts out of line."""
    assert group_blocks(10_000, 10_000 * 8192) == 32
    assert group_blocks(100, 100 * 8192 + (25 << 20)) == 1
    assert group_blocks(0, 0) == 32


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "SQL_ASCII"])
def test_databases_in_other_encodings(postgres: str, encoding: str) -> None:
    """Their texts are packed as they are read plainly."""
    name = f"packed_{encoding.lower()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            f"create database {name} encoding '{encoding}' lc_collate 'C' lc_ctype 'C' template template0".encode()
        )
    uri = urlsplit(postgres)._replace(path=f"/{name}").geturl()
    execute(uri, "create table packed (text text, other text not null)")
    execute(
        uri,
        "insert into packed select case when n % 3 > 0 then 'Zoë ' || n end, 'ü' || chr(n % 90 + 33)"
        " from generate_series(1, 500) n",
    )
    selected = [
        Selected(sql.Identifier("text"), PackedColumn("text", Form.TEXT, nullable=True)),
        Selected(sql.Identifier("other"), PackedColumn("other", Form.TEXT, nullable=False)),
    ]
    with reader(uri) as (leader, address):
        plain, *packed = both(leader, address, selected, Span(None, 0, 9), 2)
    assert plain.height == 500
    assert [each.equals(plain) for each in packed] == [True, True]
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.mark.slow
def test_no_read_of_a_killed_backend_is_short(database: str) -> None:
    """A hundred times the backend is terminated at another moment of a packed read: all rows come, or an error."""
    execute(database, "create table packed as select n, repeat('x', n % 200) as text from generate_series(1, 200000) n")
    selected = [
        Selected(sql.Identifier("n"), PackedColumn("n", Form.INT32, nullable=True)),
        Selected(sql.Identifier("text"), PackedColumn("text", Form.TEXT, nullable=True)),
    ]
    end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'exporter test reader%'"
    complete = broken = 0
    with reader(database) as (leader, address), psycopg.connect(database, autocommit=True) as operator:
        query = packed_select(selected, TABLE, Span(None, 0, 9999), 32).as_string(leader)
        began = time.monotonic()
        assert unpack(read(address, query, ALONE, "a test"), [each.packed for each in selected]).height == 200_000
        whole = time.monotonic() - began
        for attempt in range(100):
            timer = threading.Timer(whole * attempt / 90, lambda: operator.execute(end.encode()))
            timer.start()
            began = time.monotonic()
            try:
                rows = unpack(read(address, query, ALONE, "a test"), [each.packed for each in selected])
                assert rows.height == 200_000
                complete += 1
                whole = min(whole, time.monotonic() - began)
            except RunError:
                broken += 1
            timer.cancel()
            timer.join()
    assert complete + broken == 100
    assert broken > 20

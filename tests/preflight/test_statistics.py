"""The source's own statistics of its tables, read without reading a row."""

import re

import psycopg
import pytest

from exporter.preflight.statistics import TableStatistics, read_statistics
from exporter.source.connection import connect


def execute(uri: str, statements: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements.split(";"):
            connection.execute(statement.encode())


def statistics(uri: str, *names: str) -> tuple[dict[str, TableStatistics], list[str]]:
    with connect(uri, "test", lock_seconds=3) as connection:
        return read_statistics(connection, list(names))


@pytest.fixture
def tables(database: str) -> str:
    """The URI of a database whose tables autovacuum leaves alone."""
    execute(
        database,
        """
        create schema app;
        create table app.analyzed (id bigint, name text) with (autovacuum_enabled = off);
        insert into app.analyzed select n, case when n % 4 > 0 then 'abcdefghi' end from generate_series(1, 10000) n;
        create table app.never (id bigint, flag boolean, name text) with (autovacuum_enabled = off);
        insert into app.never select n, true, 'abcdefghi' from generate_series(1, 10000) n;
        create table app.empty (id bigint);
        create table app.bare ();
        create table app.parts (id bigint, name text) partition by range (id);
        create table app.parts_1 partition of app.parts for values from (0) to (500) with (autovacuum_enabled = off);
        create table app.parts_2 partition of app.parts default with (autovacuum_enabled = off);
        insert into app.parts select n, 'abc' from generate_series(1, 1000) n;
        create view app.shown as select * from app.analyzed;
        analyze app.analyzed;
        analyze app.parts
        """,
    )
    return database


def test_rows_and_widths_are_those_of_analyze(tables: str) -> None:
    """A text of nine bytes is stored in ten. A table never analyzed is estimated by size, to within about 40 %."""
    found, locked = statistics(tables, "app.analyzed", "app.never", "app.empty", "app.bare", "app.parts", "app.shown")
    assert locked == {}
    analyzed = found.pop("app.analyzed")
    assert (analyzed.rows, analyzed.analyzed, analyzed.toast) == (10_000, True, 0)
    assert (analyzed.columns["name"].bytes, round(analyzed.columns["name"].nulls, 2)) == (10.0, 0.25)
    never = found.pop("app.never")
    assert (never.analyzed, never.columns, 6_000 < never.rows < 14_000) == (False, {}, True)
    parts = found.pop("app.parts")
    assert (parts.rows, parts.analyzed, parts.columns["name"].bytes) == (1000, True, 4.0)
    assert found == {"app.empty": TableStatistics(0, True, 0), "app.bare": TableStatistics(0, True, 0)}


def test_rows_follow_the_size(tables: str) -> None:
    """A table that has doubled since ANALYZE has twice the rows; one that was empty then is estimated by its size; one
    that was truncated has none."""
    execute(
        tables,
        """
        insert into app.analyzed select n, 'abcdefghi' from generate_series(1, 10000) n;
        create table app.grown (id bigint) with (autovacuum_enabled = off);
        insert into app.grown values (1);
        delete from app.grown;
        analyze app.grown;
        insert into app.grown select n from generate_series(1, 10000) n;
        truncate app.never
        """,
    )
    found, _ = statistics(tables, "app.analyzed", "app.grown", "app.never")
    assert 19_000 < found["app.analyzed"].rows < 21_000
    assert (found["app.grown"].analyzed, 6_000 < found["app.grown"].rows < 14_000) == (False, True)
    assert (found["app.never"].rows, found["app.never"].analyzed) == (0, True)


def test_a_locked_table_has_its_rows_of_the_last_analyze(tables: str) -> None:
    """If there was one. It is listed, a partition by the name of its table."""
    names = ("app.analyzed", "app.never", "app.parts", "app.empty")
    with psycopg.connect(tables) as migration:
        migration.execute("lock table app.analyzed, app.never, app.parts_2")
        found, locked = statistics(tables, *names)
        pid = migration.info.backend_pid
    who = rf"pid {pid} \(idle in transaction, LOCK TABLE, since [0-9]+ s\)"
    assert list(locked) == ["app.analyzed", "app.never", "app.parts"]
    assert [bool(re.fullmatch(who, session)) for session in locked.values()] == [True] * 3
    assert {name: found[name].rows for name in found} == {"app.analyzed": 10_000, "app.parts": 1000, "app.empty": 0}


def test_without_access_to_pg_stats_there_are_no_widths(tables: str) -> None:
    """An administrator may have closed the view; rows are known all the same."""
    execute(
        tables, "revoke select on pg_stats from public; create role blind login; grant usage on schema app to blind"
    )
    try:
        found, _ = statistics(tables.replace("postgres@", "blind@"), "app.analyzed")
        assert found == {"app.analyzed": TableStatistics(10_000, True, 0)}
    finally:
        execute(tables, "grant select on pg_stats to public; drop owned by blind; drop role blind")

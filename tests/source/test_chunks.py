"""Chunks: together they hold each row once, whatever the table holds."""

from collections import Counter

import psycopg
import pytest
from psycopg import sql

from exporter.model.tables import tables
from exporter.source.catalog import read_catalog, read_sizes
from exporter.source.chunks import Chunker
from exporter.source.connection import connect
from exporter.source.mapping import NameMapping
from exporter.source.select import SourceTable

TABLES = {table.name: table for table in tables()}
FILLED = "insert into guide.skills select n, repeat('x', n % 300), '' from generate_series(1, 3000) n"

# What to do to the empty table guide.skills, and into how many chunks at least it must fall then.
SHAPES = {
    "empty": ("", 1),
    "full": (FILLED, 40),
    "with a hole": (FILLED + "; delete from guide.skills where id between 500 and 2500", 40),
    "with rows only at its end": (FILLED + "; delete from guide.skills where id < 2990", 40),
    "with all rows moved": (FILLED + "; update guide.skills set name = name || 'y'", 80),
    "all deleted": (FILLED + "; delete from guide.skills", 40),
    "one block": ("insert into guide.skills values (1, '', ''), (2, '', '')", 1),
    "wide": (
        "alter table guide.skills alter description set storage external;"
        "insert into guide.skills select n, '', repeat('x', 5000 * (n % 7)) from generate_series(1, 200) n",
        2,
    ),
    "very wide where it is not read": (
        "alter table guide.skills add other text; alter table guide.skills alter other set storage external;"
        "insert into guide.skills select n, '', '', repeat('x', 10000) from generate_series(1, 400) n",
        2,
    ),
    "partitioned": (
        "drop table guide.skills cascade; create table guide.skills (id int, name text, description text)"
        " partition by range (id); create table guide.low partition of guide.skills for values from (0) to (100);"
        "create table guide.high partition of guide.skills default; " + FILLED,
        30,
    ),
    "with a child table": (
        "create table guide.child (extra int) inherits (guide.skills); " + FILLED + ";"
        "insert into guide.child select n, '', '', 1 from generate_series(2900, 9000) n",
        40,
    ),
    "a view with nulls and repeated keys": (
        "alter table guide.skills rename to skill; create view guide.skills as"
        " select case when n % 5 > 0 then n % 50 - 25 end as id, n::text as name, '' as description"
        " from generate_series(1, 3000) n",
        20,
    ),
    "a view with extreme keys": (
        "alter table guide.skills rename to skill; create view guide.skills as"
        " select (-1)^n::int * 9223372036854775807 as x, ((-1)^(n % 2) * 9e18)::bigint as id, n::text as name,"
        " '' as description from generate_series(1, 3000) n",
        2,
    ),
    "a view without any key": (
        "alter table guide.skills rename to skill; create view guide.skills as"
        " select null::int as id, n::text as name, '' as description from generate_series(1, 3000) n",
        1,
    ),
    "a view with text keys": (
        "alter table guide.skills rename to skill; create view guide.skills as"
        " select n::text as id, n::text as name, '' as description from generate_series(1, 3000) n",
        1,
    ),
}  # fmt: skip


def queries_of(chunker: Chunker, source: SourceTable, text: sql.SQL) -> list[str]:
    """A query for each chunk of a table."""
    return [chunker.query(sql.Composed([text]), span) for span in chunker.spans(source)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [1, 8])
def test_every_row_is_in_one_chunk(source: str, shape: str, factor: int) -> None:
    """The rows of all chunks are the rows of the table."""
    statements, fewest = SHAPES[shape]
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(statements.encode())
    with connect(source, "test", lock_seconds=3) as leader:
        relation = read_catalog(leader, ["guide"])["guide.skills"]
        query = sql.SQL("select id::text, name, length(description) from guide.skills")
        rows = Counter(leader.execute(query).fetchall())
        found = SourceTable(relation, TABLES["guide.skills"], NameMapping(), "UTC")
        counts = {"guide.skills": rows.total()}
        chunker = Chunker(leader, read_sizes(leader, ["guide.skills"]), counts, 8192)
        queries = [chunker.query(sql.Composed([query]), span) for span in chunker.spans(found, factor=factor)]
        chunks = [Counter(leader.execute(query.encode()).fetchall()) for query in queries]
    assert sum(chunks, Counter()) == rows
    assert len(chunks) >= fewest // factor


def test_wide_rows_are_spread_by_their_bytes(source: str) -> None:
    """A chunk holds about as much as it may, also where texts are out of line or unevenly spread."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table guide.skills alter description set storage external")
        connection.execute(
            "insert into guide.skills select n, repeat('n', 300),"
            " repeat('x', case when n % 500 < 50 then 9000 else 10 end) from generate_series(1, 2000) n"
        )
    with connect(source, "test", lock_seconds=3) as leader:
        relation = read_catalog(leader, ["guide"])["guide.skills"]
        found = SourceTable(relation, TABLES["guide.skills"], NameMapping(), "UTC")
        chunker = Chunker(leader, read_sizes(leader, ["guide.skills"]), {"guide.skills": 2000}, 500_000)
        text = sql.SQL("select coalesce(sum(length(name) + length(description)), 0) from guide.skills")
        sizes = [leader.execute(query.encode()).fetchone() for query in queries_of(chunker, found, text)]
    lengths = [size[0] for size in sizes if size]
    assert (len(lengths) > 3, max(lengths) < 600_000, sum(lengths)) == (True, True, 2000 * 300 + 200 * 9000 + 1800 * 10)


def test_a_table_that_fits_is_read_whole(source: str) -> None:
    """One chunk has no condition."""
    with connect(source, "test", lock_seconds=3) as leader:
        relation = read_catalog(leader, ["guide"])["guide.skills"]
        chunker = Chunker(leader, read_sizes(leader, ["guide.skills"]), {"guide.skills": 0}, 1 << 20)
        found = SourceTable(relation, TABLES["guide.skills"], NameMapping(), "UTC")
        assert queries_of(chunker, found, sql.SQL("select 1")) == ["select 1"]

"""Chunks: together they hold each row once, whatever the table holds."""

from collections import Counter

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from exporter.model.tables import tables
from exporter.source.catalog import Size, read_catalog, read_sizes
from exporter.source.chunks import Chunker, Piece, Span, block_of, chunks_of, long_texts, table_spans
from exporter.source.connection import Connection, connect
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


def skills(leader: Connection) -> SourceTable:
    """The table guide.skills."""
    return SourceTable(read_catalog(leader, ["guide"])["guide.skills"], TABLES["guide.skills"], NameMapping(), "UTC")


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
        found = skills(leader)
        query = sql.SQL("select id::text, name, length(description) from guide.skills")
        rows = Counter(leader.execute(query).fetchall())
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
        found = skills(leader)
        chunker = Chunker(leader, read_sizes(leader, ["guide.skills"]), {"guide.skills": 2000}, 500_000)
        text = sql.SQL("select coalesce(sum(length(name) + length(description)), 0) from guide.skills")
        sizes = [leader.execute(query.encode()).fetchone() for query in queries_of(chunker, found, text)]
    lengths = [size[0] for size in sizes if size]
    assert (len(lengths) > 3, max(lengths) < 600_000, sum(lengths)) == (True, True, 2000 * 300 + 200 * 9000 + 1800 * 10)


def test_rows_that_are_out_of_line_are_counted_one_by_one(source: str) -> None:
    """A block of them may hold many chunks."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table guide.skills alter description set storage external")
        connection.execute(
            "insert into guide.skills select n, '', repeat('x', 20000) from generate_series(1, 500) n; analyze"
        )
    with connect(source, "test", lock_seconds=3) as leader:
        found = skills(leader)
        sizes = read_sizes(leader, ["guide.skills"])
        assert sizes["guide.skills"].blocks > 2
        spans = Chunker(leader, sizes, {}, 64_000).spans(found)
    assert [span.bytes for span in spans] == [60_000] * 166 + [40_000]


def test_a_block_stands_for_others(source: str) -> None:
    """Where little is out of line, the texts of a piece are weighed in its first block, compressed or not."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(
            "insert into guide.skills select n, '', repeat('x', 60000 + n) from generate_series(1, 60) n"
        )
    with connect(source, "test", lock_seconds=3) as leader:
        sizes = read_sizes(leader, ["guide.skills"])
        assert (sizes["guide.skills"].blocks > 4, sizes["guide.skills"].toast) == (True, 0)
        found, limit = skills(leader), 2 * 192 * 8192
        texts = long_texts(found)
        pieces = Chunker(leader, sizes, {}, limit).pieces(found, limit, texts)
        query = "select (ctid::text::point)[0]::int, sum(length(description)) from guide.skills group by 1"
        of_blocks = dict(leader.execute(query).fetchall())
    assert pieces == [(f"({block},0)", 2 * of_blocks[block]) for block in range(0, sizes["guide.skills"].blocks, 2)]


@pytest.mark.parametrize(("length", "sizes"), [(0, [10, 10, 5]), (50, [8, 8, 8, 1])])
def test_a_view_is_cut_by_its_rows(source: str, length: int, sizes: list[int]) -> None:
    """Each is taken for 200 bytes and its texts; blocks and bytes of a chunk are not known."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("drop table guide.skills cascade")
        connection.execute(
            f"create view guide.skills as select n as id, repeat('x', {length}) as name, '' as description"
            " from generate_series(1, 25) n".encode()
        )
    with connect(source, "test", lock_seconds=3) as leader:
        chunker, found = Chunker(leader, {}, {"guide.skills": 25}, 2000), skills(leader)
        queries = queries_of(chunker, found, sql.SQL("select count(*) from guide.skills"))
        counts = [leader.execute(query.encode()).fetchone() for query in queries]
        assert {(span.first_block, span.last_block, span.bytes) for span in chunker.spans(found)} == {(0, 0, 0)}
        assert chunker.bytes(found) == 5000
    assert [count[0] for count in counts if count] == sizes


def test_a_table_that_fits_is_read_whole(source: str) -> None:
    """One chunk has no condition."""
    with connect(source, "test", lock_seconds=3) as leader:
        chunker = Chunker(leader, read_sizes(leader, ["guide.skills"]), {"guide.skills": 0}, 1 << 20)
        assert queries_of(chunker, skills(leader), sql.SQL("select 1")) == ["select 1"]


def test_texts_are_weighed(source: str) -> None:
    """Those that are read, of whatever type; not numbers, dates and UUIDs, whose length is known."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table guide.guide_skills drop constraint guide_skills_skill_id_fkey")
        connection.execute("alter table guide.skills alter name type char(9), alter id type uuid using null")
    with connect(source, "test", lock_seconds=3) as leader:
        texts = long_texts(skills(leader))
        assert texts is not None
        assert texts.as_string(leader) == (
            'coalesce(octet_length("name"::text), 0) + coalesce(octet_length("description"::text), 0)'
        )
        relation = read_catalog(leader, ["guide"])["guide.guide_skills"]
        assert long_texts(SourceTable(relation, TABLES["guide.guide_skills"], NameMapping(), "UTC")) is None


def test_a_view_with_other_keys_is_one_chunk(source: str) -> None:
    """Only integers are cut into ranges."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table guide.skills rename to skill")
        connection.execute("create view guide.skills as select id::text as id, name, description from guide.skill")
        connection.execute("insert into guide.skill select n, 'x', '' from generate_series(1, 100) n")
    with connect(source, "test", lock_seconds=3) as leader:
        chunker = Chunker(leader, {}, {"guide.skills": 10_000}, 2000)
        assert [chunker.spans(skills(leader), factor=factor) for factor in (1, 4)] == [[Span(None)]] * 2


# How pieces become chunks ---------------------------------------------------------------------------------------------


def in_blocks(*weights: int) -> list[Piece]:
    """Pieces of these weights, each of one block."""
    return [(f"({block},0)", weight) for block, weight in enumerate(weights)]


@pytest.mark.parametrize(
    ("pieces", "chunks"),
    [
        ([], []),
        ([4] * 18, [(0, 24), (6, 24), (12, 24)]),  # about equal, and not 32, 32 and 8
        ([5] * 20, [(0, 35), (7, 35), (14, 30)]),
        ([10] * 4, [(0, 20), (2, 20)]),
        ([35], [(0, 35)]),
        ([35, 35], [(0, 35), (1, 35)]),
        ([35, 1], [(0, 35), (1, 1)]),
        ([10, 50, 10], [(0, 10), (1, 50), (2, 10)]),  # one that is too large is alone
        ([0, 0, 50, 0, 0, 10], [(0, 50), (3, 10)]),  # what weighs nothing is no chunk
    ],
)
def test_pieces_are_put_together(pieces: list[int], chunks: list[tuple[int, int]]) -> None:
    """To chunks of at most 35, and about equal."""
    assert chunks_of(in_blocks(*pieces), 35) == [(f"({block},0)", weight) for block, weight in chunks]


@given(st.lists(st.integers(0, 30), min_size=1), st.integers(30, 100))
def test_chunks_are_no_larger_than_they_may_be(pieces: list[int], limit: int) -> None:
    """And hold everything, in its order."""
    chunks = chunks_of(in_blocks(*pieces), limit)
    assert [weight for _, weight in chunks if weight > limit] == []
    firsts = [block_of(row_id) for row_id, _ in chunks]
    assert firsts[0] == 0
    parts = zip(firsts, [*firsts[1:], len(pieces)], strict=True)
    assert [weight for _, weight in chunks] == [sum(pieces[first:end]) for first, end in parts]


@pytest.mark.parametrize(
    ("chunks", "blocks", "spans"),
    [
        ([], 0, [(0, 0, 0)]),
        ([("(0,0)", 5)], 1, [(0, 0, 5)]),
        ([("(0,0)", 5)], 9, [(0, 8, 5)]),
        ([("(0,0)", 5), ("(3,2)", 6), ("(7,0)", 7)], 9, [(0, 3, 5), (3, 7, 6), (7, 8, 7)]),
        # A table may be longer than it was when it was measured.
        ([("(0,0)", 5), ("(12,1)", 6)], 9, [(0, 12, 5), (12, 12, 6)]),
    ],
)
def test_a_chunk_knows_its_blocks(chunks: list[Piece], blocks: int, spans: list[tuple[int, int, int]]) -> None:
    """The last block of one may be the first of the next."""
    found = table_spans(chunks, blocks)
    assert [(span.first_block, span.last_block, span.bytes) for span in found] == spans
    assert [span.condition is None for span in found] == [len(spans) < 2] * len(spans)


@pytest.mark.parametrize(
    ("size", "limit", "pieces"),
    [
        ((0, 0, 0), 1 << 20, []),
        ((1, 8192, 0), 1 << 20, [(0, 8192)]),
        ((3, 30_000, 5_424), 1 << 20, [(0, 8192), (1, 8192), (2, 8192)]),
        ((12, 12 * 8192, 0), 5 * 192 * 8192, [(0, 40960), (5, 40960), (10, 40960)]),
        ((3, 3 * 8192, 0), 5 * 192 * 8192, [(0, 3 * 8192)]),
    ],
)
def test_pieces_have_equally_many_blocks(
    source: str, size: tuple[int, int, int], limit: int, pieces: list[tuple[int, int]]
) -> None:
    """So many that one of 96 times what is on the disk is half a chunk."""
    with connect(source, "test", lock_seconds=3) as leader:
        found = skills(leader)
        chunker = Chunker(leader, {"guide.skills": Size(*size)}, {}, limit)
        assert chunker.pieces(found, limit, None) == [(f"({block},0)", weight) for block, weight in pieces]
        largest = Chunker(leader, {"guide.skills": Size(3 << 16, 0, 0)}, {}, 1).pieces(found, 1, None)
        assert len(largest) == 1 << 16

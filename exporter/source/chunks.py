"""Chunks: conditions that cut a table or view into parts that fit in memory and together hold each row once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from psycopg import sql

from exporter.source.catalog import Size
from exporter.source.columns import INTEGERS
from exporter.source.connection import Connection
from exporter.source.select import SourceTable

# A view has no size: this stands for the average width of its rows, without their texts.
VIEW_ROW_BYTES = 200
# PostgreSQL compresses a text to a ninetieth at best, so a piece of 1/192 of a chunk holds at most half a chunk.
# Measured: weighing one block of each costs 0.03 s per million rows, weighing all blocks 0.25 s, as much as a count.
SHRINKAGE = 96
BLOCK = 8192
# A table is weighed in at most this many pieces.
PIECES = 1 << 16

# The row id (ctid) at which a piece of a table begins, and its bytes.
Piece = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Span:
    """A chunk: the condition that its rows meet, None if those are all; the blocks they are in, of which a table's last
    is the last one that it had when it was measured; and its bytes. Of a view, blocks and bytes are unknown."""

    condition: sql.Composable | None
    first_block: int = 0
    last_block: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts tables into chunks of about `chunk_bytes`, querying the leader's snapshot. `sizes` has the tables by their
    real names, `view_counts` the rows of views by the model's names. Its methods raise psycopg's errors."""

    connection: Connection
    sizes: dict[str, Size]
    view_counts: dict[str, int]
    chunk_bytes: int

    def bytes(self, source: SourceTable) -> int:
        """The size of a table with its out-of-line values; for a view, an estimate."""
        size = self.sizes.get(source.relation.full_name)
        return size.bytes if size else self.view_counts[source.table.name] * VIEW_ROW_BYTES

    def query(self, text: sql.Composed, span: Span) -> str:
        """The query `text` for the rows of a chunk."""
        limited = text + sql.SQL(" where ") + span.condition if span.condition else text
        return limited.as_string(self.connection)

    def spans(self, source: SourceTable, *, factor: int = 1) -> list[Span]:
        """The chunks of a table or view. Those for a query of few columns and no long texts may span `factor` times the
        bytes of whole rows."""
        if source.relation.is_table:
            return table_spans(self.chunks(source, factor=factor), self.blocks(source))
        texts, limit = long_texts(source) if factor == 1 else None, self.chunk_bytes * factor
        key = source.table.key_columns[0]
        conditions = ranges(source.quoted(key), self.key_bounds(source, limit, texts), source.column(key).base)
        return [Span(condition) for condition in conditions] or [Span(None)]

    def chunks(self, source: SourceTable, *, factor: int = 1) -> list[Piece]:
        """Where each chunk of a table begins, and its bytes; none if the table has no blocks."""
        texts, limit = long_texts(source) if factor == 1 else None, self.chunk_bytes * factor
        return chunks_of(self.pieces(source, limit, texts), limit)

    def blocks(self, source: SourceTable) -> int:
        """The blocks of a table's largest leaf."""
        return self.sizes[source.relation.full_name].blocks

    def pieces(self, source: SourceTable, limit: int, texts: sql.Composable | None) -> list[Piece]:
        """A table in pieces of equally many blocks. With `texts` (the length of a row's long texts), they are weighed
        if there is more than one."""
        size = self.sizes[source.relation.full_name]
        step = max(1, min(size.blocks, max(limit // BLOCK // (2 * SHRINKAGE), size.blocks // PIECES)))
        heap = (size.bytes - size.toast) * step // max(1, size.blocks)
        if texts and size.blocks > step:
            return list(self.weighed(source, size, step, heap, texts))
        return [(f"({block},0)", heap) for block in range(0, size.blocks, step)]

    def weighed(self, source: SourceTable, size: Size, step: int, heap: int, texts: sql.Composable) -> Iterator[Piece]:
        """Pieces of a table, `step` blocks each, with the length of their texts, or their own bytes (`heap`) if those
        are more. `octet_length` does not fetch a text that is compressed or out of line.

        If much is out of line, all blocks are weighed, since a few may hold all of it, and a piece larger than a chunk
        is cut into rows; otherwise the first block of a piece stands for all of its blocks.
        """
        span = step if self.is_weighed_wholly(source) else 1
        pieces = sql.SQL(
            "select block, (select sum({texts})::bigint from {name} where ctid >= ('(' || block || ',0)')::tid"
            " and ctid < ('(' || block + {span} || ',0)')::tid) from generate_series(0, {last}, {step}) block"
        ).format(texts=texts, name=source.name, span=span, last=size.blocks - 1, step=step)
        rows = sql.SQL("select ctid::text as row_id, {} from {} where ctid >= {}::tid and ctid < {}::tid order by ctid")
        for block, length in self.connection.execute(pieces).fetchall():
            weight = (length or 0) * (step // span)
            if span == step and weight > self.chunk_bytes:
                first, end = f"({block},0)", f"({block + step},0)"
                yield from self.connection.execute(rows.format(texts, source.name, first, end)).fetchall()
            else:
                yield f"({block},0)", max(heap, weight)

    def is_weighed_wholly(self, source: SourceTable) -> bool:
        """Whether so much of a table is out of line that a few of its rows may hold more than a chunk."""
        return self.sizes[source.relation.full_name].toast * SHRINKAGE > self.chunk_bytes

    def key_bounds(self, source: SourceTable, limit: int, texts: sql.Composable | None) -> list[sql.Literal]:
        """The keys at which chunks of a view begin, except the first; all rows with the same key are in one chunk. None
        if the key is not an integer."""
        key = source.table.key_columns[0]
        if source.column(key).base not in INTEGERS or not (texts or self.bytes(source) > limit):
            return []
        query = sql.SQL(
            "with keys as (select {key} as key, sum({row} + {texts}) as weight from {name} where {key} is not null"
            " group by 1),"
            " numbered as (select key, div(sum(weight) over (order by key) - weight, {limit}) as chunk from keys)"
            " select min(key) from numbered group by chunk order by chunk offset 1"
        ).format(key=source.quoted(key), row=VIEW_ROW_BYTES, texts=texts or sql.SQL("0"), name=source.name, limit=limit)
        return [sql.Literal(first) for (first,) in self.connection.execute(query)]


def long_texts(source: SourceTable) -> sql.Composable | None:
    """The total length of a row's values that are read and may be long; None if there are none."""
    columns = {name: source.column(name) for name in source.table.uses()}
    texts = [
        sql.SQL("coalesce(octet_length({}::text), 0)").format(source.quoted(name))
        for name, column in columns.items()
        if column.category in {"S", "U"} and column.base != "uuid"
    ]
    return sql.SQL(" + ").join(texts) if texts else None


def chunks_of(pieces: list[Piece], limit: int) -> list[Piece]:
    """Pieces put together to chunks, which are about equal and hold at most `limit` bytes unless a single piece holds
    more."""
    total = sum(weight for _, weight in pieces)
    target = total / max(1, -(-total // limit))
    chunks = list[Piece]()
    for row_id, weight in pieces:
        filled = chunks[-1][1] if chunks else 0
        if chunks and not (filled and (filled + weight > limit or filled >= target)):
            chunks[-1] = (chunks[-1][0], filled + weight)
        else:
            chunks.append((row_id, weight))
    return chunks


def table_spans(chunks: list[Piece], blocks: int) -> list[Span]:
    """The chunks of a table of so many blocks; a table without blocks is one, too."""
    row_ids, weights = zip(*chunks, strict=True) if chunks else (["(0,0)"], [0])
    bounds = [sql.Literal(row_id) for row_id in row_ids[1:]]
    conditions: list[sql.Composable | None] = [*ranges(sql.SQL("ctid"), bounds, "tid")]
    firsts = [block_of(row_id) for row_id in row_ids]
    lasts = [*firsts[1:], max(blocks - 1, firsts[-1])]
    return [Span(*span) for span in zip(conditions or [None], firsts, lasts, weights, strict=True)]


def block_of(row_id: str) -> int:
    """The number of the block that holds a row."""
    return int(row_id[1:].partition(",")[0])


def ranges(column: sql.Composable, bounds: list[sql.Literal], cast: str) -> list[sql.Composable]:
    """Conditions on a column that together cover each row once: the first and last ranges are open, nulls are in the
    first. `cast` is the type of the bounds."""
    if not bounds:
        return []
    typed = [sql.SQL("{}::{}").format(bound, sql.SQL(cast)) for bound in bounds]
    first = sql.SQL("({0} < {1} or {0} is null)" if cast != "tid" else "{0} < {1}").format(column, typed[0])
    middle = [sql.SQL("{0} >= {1} and {0} < {2}").format(column, low, high) for low, high in pairwise(typed)]
    return [first, *middle, sql.SQL("{} >= {}").format(column, typed[-1])]

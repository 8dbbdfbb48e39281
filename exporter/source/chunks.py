"""Chunks: conditions that cut a table or view into reads that fit in memory and together hold each row once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from psycopg import sql

from exporter.source.catalog import Size
from exporter.source.columns import INTEGERS
from exporter.source.connection import Connection
from exporter.source.select import SourceTable

# A view has no size of its own: a middling width of its rows, besides their texts.
VIEW_ROW_BYTES = 200
# PostgreSQL makes a text no smaller than about a ninetieth, so a piece of a chunk's 192nd holds at most half a chunk.
# Measured: weighing one block of each costs 0.03 s per million rows, weighing all blocks 0.25 s, as much as a count.
SHRINKAGE = 96
BLOCK = 8192
# In how many pieces at most a table is weighed.
PIECES = 1 << 16

# A place where a table can be cut, and the bytes from there to the next.
Piece = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts what is read into chunks of about `chunk_bytes`; asks the leader's snapshot where to cut. `sizes` are those
    of tables by their real names, `counts` the rows of views by the model's."""

    connection: Connection
    sizes: dict[str, Size]
    counts: dict[str, int]
    chunk_bytes: int

    def bytes(self, source: SourceTable) -> int:
        """The size of a table with its out-of-line values, or about that of a view."""
        size = self.sizes.get(source.relation.full_name)
        return size.bytes if size else self.counts[source.table.name] * VIEW_ROW_BYTES

    def queries(self, source: SourceTable, text: sql.Composed, *, factor: int = 1) -> tuple[str, ...]:
        """The query `text` once for each chunk; `factor`: how many times the bytes of whole rows a chunk may span, for
        a query that reads few of a row's columns and no long texts."""
        return self.once_each(text, self.conditions(source, factor=factor))

    def once_each(self, text: sql.Composed, conditions: list[sql.Composable]) -> tuple[str, ...]:
        """The query `text` once for each condition; as it is where there is none."""
        queries = [text + sql.SQL(" where ") + condition for condition in conditions] or [text]
        return tuple(query.as_string(self.connection) for query in queries)

    def conditions(self, source: SourceTable, *, factor: int = 1) -> list[sql.Composable]:
        """The conditions of the chunks; none where one read takes all."""
        texts = long_texts(source) if factor == 1 else None
        limit = self.chunk_bytes * factor
        if source.relation.is_table:
            places = cuts(self.pieces(source, limit, texts), limit)
            return ranges(sql.SQL("ctid"), [sql.Literal(place) for place in places], "tid")
        key = source.table.key_columns[0]
        return ranges(source.quoted(key), self.key_bounds(source, limit, texts), source.column(key).base)

    def pieces(self, source: SourceTable, limit: int, texts: sql.Composable | None) -> list[Piece]:
        """A table in pieces of equally many blocks; weighed where `texts`, the length of its rows' texts, are to be
        read and there is more than one."""
        size = self.sizes[source.relation.full_name]
        step = max(1, limit // BLOCK // (2 * SHRINKAGE), size.blocks // PIECES)
        heap = (size.bytes - size.toast) * step // max(1, size.blocks)
        if texts and size.blocks > step:
            return list(self.weighed(source, size, step, heap, texts))
        return [(f"({block},0)", heap) for block in range(0, size.blocks, step)]

    def weighed(self, source: SourceTable, size: Size, step: int, heap: int, texts: sql.Composable) -> Iterator[Piece]:
        """Pieces of a table with the length of their texts, at least their own bytes (`heap`). `octet_length` fetches
        no text that is compressed or lies out of line.

        Where much lies out of line all blocks are weighed, since few may hold it all, and what is more than a chunk
        falls into rows; elsewhere the first block of each piece stands for all.
        """
        span = step if size.toast * SHRINKAGE > self.chunk_bytes else 1
        pieces = sql.SQL(
            "select block, (select sum({texts})::bigint from {name} where ctid >= ('(' || block || ',0)')::tid"
            " and ctid < ('(' || block + {span} || ',0)')::tid) from generate_series(0, {last}, {step}) block"
        ).format(texts=texts, name=source.name, span=span, last=size.blocks - 1, step=step)
        rows = sql.SQL("select ctid::text as place, {} from {} where ctid >= {}::tid and ctid < {}::tid order by ctid")
        for block, length in self.connection.execute(pieces).fetchall():
            weight = (length or 0) * (step // span)
            if span == step and weight > self.chunk_bytes:
                first, end = f"({block},0)", f"({block + step},0)"
                yield from self.connection.execute(rows.format(texts, source.name, first, end)).fetchall()
            else:
                yield f"({block},0)", max(heap, weight)

    def key_bounds(self, source: SourceTable, limit: int, texts: sql.Composable | None) -> list[sql.Literal]:
        """The keys of a view with which chunks begin but the first, so that all rows of a key are in one; none where
        the key is no integer."""
        key = source.table.key_columns[0]
        if source.column(key).base not in INTEGERS or not (texts or self.bytes(source) > limit):
            return []
        query = sql.SQL(
            "with keys as (select {key} as key, sum({row} + {texts}) as weight from {name} where {key} is not null"
            " group by 1),"
            " placed as (select key, div(sum(weight) over (order by key) - weight, {limit}) as chunk from keys)"
            " select min(key) from placed group by chunk order by chunk offset 1"
        ).format(key=source.quoted(key), row=VIEW_ROW_BYTES, texts=texts or sql.SQL("0"), name=source.name, limit=limit)
        return [sql.Literal(first) for (first,) in self.connection.execute(query)]


def long_texts(source: SourceTable) -> sql.Composable | None:
    """The length of a row's values that may be long, of those that are read; None where there are none."""
    columns = {name: source.column(name) for name in source.table.uses()}
    texts = [
        sql.SQL("coalesce(octet_length({}::text), 0)").format(source.quoted(name))
        for name, column in columns.items()
        if column.category in {"S", "U"} and column.base != "uuid"
    ]
    return sql.SQL(" + ").join(texts) if texts else None


def cuts(pieces: list[Piece], limit: int) -> list[str]:
    """Where chunks begin but the first: about equal ones of at most `limit` bytes, unless one piece has more."""
    total = sum(weight for _, weight in pieces)
    target = total / max(1, -(-total // limit))
    starts, filled = list[str](), 0
    for place, weight in pieces:
        if filled and (filled + weight > limit or filled >= target):
            starts.append(place)
            filled = 0
        filled += weight
    return starts


def ranges(place: sql.Composable, bounds: list[sql.Literal], cast: str) -> list[sql.Composable]:
    """Conditions that together hold each row once: the first and the last range are open, nulls are in the first."""
    if not bounds:
        return []
    typed = [sql.SQL("{}::{}").format(bound, sql.SQL(cast)) for bound in bounds]
    first = sql.SQL("({0} < {1} or {0} is null)" if cast != "tid" else "{0} < {1}").format(place, typed[0])
    middle = [sql.SQL("{0} >= {1} and {0} < {2}").format(place, low, high) for low, high in pairwise(typed)]
    return [first, *middle, sql.SQL("{} >= {}").format(place, typed[-1])]

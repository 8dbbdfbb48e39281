"""Chunks: conditions that cut a table or view into reads that fit in memory and together hold each row once."""

from dataclasses import dataclass
from itertools import pairwise

from psycopg import sql

from exporter.model.vocabulary import Type
from exporter.source.catalog import Size
from exporter.source.columns import INTEGERS, TEXTS
from exporter.source.connection import Connection
from exporter.source.select import From

# A view has no size of its own: a middling width of its rows.
VIEW_ROW_BYTES = 200
# Into how many pieces at most a table with out-of-line texts is weighed.
PIECES = 1 << 16


@dataclass(frozen=True, slots=True)
class Chunker:
    """Cuts what is read into chunks of about `chunk_bytes`; asks the leader's snapshot where to cut."""

    connection: Connection
    sizes: dict[str, Size]
    counts: dict[str, int]
    chunk_bytes: int

    def bytes(self, source: From) -> int:
        """The size of a table with its out-of-line values, or about that of a view."""
        size = self.sizes.get(source.relation.full_name)
        return size.bytes if size else self.counts[source.table.name] * VIEW_ROW_BYTES

    def queries(self, source: From, text: sql.Composed, *, factor: int = 1) -> tuple[str, ...]:
        """The query `text` once for each chunk; `factor`: how much more than a whole row's bytes a chunk may span."""
        number = -(-self.bytes(source) // (self.chunk_bytes * factor))
        if number <= 1:
            conditions: list[sql.Composable] = []
        elif source.relation.is_table:
            conditions = ranges(sql.SQL("ctid"), self.blocks(source, number, weigh=factor == 1), "tid")
        else:
            conditions = self.key_ranges(source, number)
        if not conditions:
            return (text.as_string(self.connection),)
        return tuple((text + sql.SQL(" where ") + condition).as_string(self.connection) for condition in conditions)

    def blocks(self, source: From, number: int, *, weigh: bool) -> list[sql.Literal]:
        """The first ctid of each chunk but the first: equal numbers of blocks, or where texts lie out of line, and are
        to be read, of bytes."""
        size = self.sizes[source.relation.full_name]
        step = max(1, -(-size.blocks // number))
        starts = list(range(step, size.blocks, step))
        if weigh and size.toast > self.chunk_bytes:
            starts = self.weighed_blocks(source, size)
        return [sql.Literal(f"({block},0)") for block in starts]

    def weighed_blocks(self, source: From, size: Size) -> list[int]:
        """Block numbers that cut a table by the true length of its texts. `octet_length` reads it from where a text
        lies out of line without fetching it, so this costs one pass over the heap alone."""
        texts = [
            sql.SQL("coalesce(octet_length({}::text), 0)").format(source.quoted(name))
            for name, use in source.table.uses().items()
            if use is Type.STRING and source.column(name).base in TEXTS
        ]
        step = max(1, size.blocks // PIECES)
        query = sql.SQL(
            "select (ctid::text::point)[0]::bigint / {step} * {step} as piece, sum({texts} + 100)::bigint from {name}"
            " group by 1 order by 1"
        ).format(step=sql.Literal(step), texts=sql.SQL(" + ").join(texts), name=source.name)
        starts, filled = [], 0
        for piece, length in self.connection.execute(query):
            if filled and filled + length > self.chunk_bytes:
                starts.append(piece)
                filled = 0
            filled += length
        return starts

    def key_ranges(self, source: From, number: int) -> list[sql.Composable]:
        """Ranges of a view's integer key with about equal numbers of rows; none where the key is no integer."""
        name = source.table.key_columns[0]
        if source.column(name).base not in INTEGERS:
            return []
        query = sql.SQL(
            "select percentile_disc(array(select n / {number}::float8 from generate_series(1, {last}) n))"
            " within group (order by {column}) from {name}"
        ).format(number=sql.Literal(number), last=sql.Literal(number - 1), column=source.quoted(name), name=source.name)
        row = self.connection.execute(query).fetchone()
        bounds = [sql.Literal(key) for key in sorted(set(row[0]))] if row and row[0] else []
        return ranges(source.quoted(name), bounds, source.column(name).base)


def ranges(place: sql.Composable, bounds: list[sql.Literal], cast: str) -> list[sql.Composable]:
    """Conditions that together hold each row once: the first and the last range are open, nulls are in the first."""
    if not bounds:
        return []
    typed = [sql.SQL("{}::{}").format(bound, sql.SQL(cast)) for bound in bounds]
    first = sql.SQL("({0} < {1} or {0} is null)" if cast != "tid" else "{0} < {1}").format(place, typed[0])
    middle = [sql.SQL("{0} >= {1} and {0} < {2}").format(place, low, high) for low, high in pairwise(typed)]
    return [first, *middle, sql.SQL("{} >= {}").format(place, typed[-1])]

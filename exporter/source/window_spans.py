"""Which chunks of a table a window reads: those that hold a row that is in, put together until they fill a chunk."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from exporter.source.chunks import Chunker, Span
from exporter.source.select import SourceTable


def limited_to(spans: Sequence[Span], only: sql.Composable | None) -> list[Span]:
    """The same chunks with only those of their rows that meet a condition."""
    if only is None:
        return list(spans)
    both = sql.SQL("{} and {}")
    return [replace(span, condition=both.format(span.condition, only) if span.condition else only) for span in spans]


def spans_of_rows_in(
    chunker: Chunker, source: SourceTable, links: Sequence[Span], counts: Sequence[tuple[int, int]]
) -> list[Span]:
    """The chunks of a table that hold all rows that are in. `links` are the chunks of which it is known how many rows
    there are and how many are in (`counts`)."""
    filled = [link for link, (_, inside) in zip(links, counts, strict=True) if inside]
    spans = chunker.spans(source)
    return [span for span in spans if any(overlap(span, link) for link in filled)]


def overlap(first: Span, second: Span) -> bool:
    """Whether two chunks may have a block in common."""
    return first.first_block <= second.last_block and second.first_block <= first.last_block

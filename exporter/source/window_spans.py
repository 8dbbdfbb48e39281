"""Which chunks of a table a window reads: those that hold a row that is in, put together while these rows are few."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from exporter.source.chunks import Chunker, Piece, Span, block_of, table_spans
from exporter.source.select import SourceTable

# At most so many times the bytes of a chunk are read by one query, since several workers share the work.
JOINED_FACTOR = 4


def limited_to(spans: Sequence[Span], only: sql.Composable | None) -> list[Span]:
    """The same chunks with only those of their rows that meet a condition."""
    if only is None:
        return list(spans)
    both = sql.SQL("{} and {}")
    return [replace(span, condition=both.format(span.condition, only) if span.condition else only) for span in spans]


def spans_of_rows_in(
    chunker: Chunker, source: SourceTable, links: Sequence[Span], counts: Sequence[tuple[int, int]]
) -> list[Span]:
    """The chunks of a table that together hold all rows that are in. `links` are the chunks of which it is known how
    many rows there are and how many are in (`counts`)."""
    chunks = chunker.chunks(source)
    if not chunks:  # there were none when the table was measured
        return chunker.spans(source)
    touched = links_of(chunks, [link.first_block for link in links])
    weights = [0.0] * len(links)
    for (_, weight), numbers in zip(chunks, touched, strict=True):
        for number in numbers:
            weights[number] += weight
    inside = [weight * (found / read if read else 0) for weight, (read, found) in zip(weights, counts, strict=True)]
    # Where much is out of line, few rows may hold all of it.
    limit = 0 if chunker.is_weighed_wholly(source) else chunker.chunk_bytes
    parts = [
        Part(chunk, numbers, any(counts[number][1] for number in numbers))
        for chunk, numbers in zip(chunks, touched, strict=True)
    ]
    joined = joined_parts(parts, inside, limit)
    spans = table_spans([part.chunk for part in joined], chunker.blocks(source))
    return [span for span, part in zip(spans, joined, strict=True) if part.wanted]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table: where it begins and its bytes, the numbers of the chunks of links that it touches, and whether
    one of these has a row that is in."""

    chunk: Piece
    links: range
    wanted: bool


def links_of(chunks: Sequence[Piece], firsts: Sequence[int]) -> list[range]:
    """The numbers of the chunks of links (`firsts` has their first blocks) that each chunk of a table touches."""
    begins = [block_of(row_id) for row_id, _ in chunks]
    # A chunk that begins within a block shares it with the chunk before.
    lasts = [block - row_id.endswith(",0)") for (row_id, _), block in zip(chunks, begins, strict=True)]
    ends = [bisect_right(firsts, max(last, begin)) for begin, last in zip(begins, lasts[1:], strict=False)]
    return [
        range(max(0, bisect_right(firsts, begin) - 1), end)
        for begin, end in zip(begins, [*ends, len(firsts)], strict=True)
    ]


def joined_parts(parts: Sequence[Part], inside: Sequence[float], limit: int) -> list[Part]:
    """Neighbours put together: those without a row that is in, and those whose rows that are in have at most `limit`
    bytes, of which each chunk of links has as many as `inside` says, wherever these lie in it."""
    joined = list[Part]()
    for part in parts:
        before = joined[-1] if joined else None
        if before and before.wanted == part.wanted:
            links = range(before.links.start, part.links.stop)
            weight = before.chunk[1] + part.chunk[1]
            few = sum(inside[number] for number in links) <= limit and weight <= JOINED_FACTOR * limit
            if few or not part.wanted:
                joined[-1] = Part((before.chunk[0], weight), links, part.wanted)
                continue
        joined.append(part)
    return joined

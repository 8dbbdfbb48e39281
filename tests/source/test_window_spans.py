"""Which chunks a window reads: every one with a row that is in, few together, never one without."""

from hypothesis import given
from hypothesis import strategies as st

from exporter.source.window_spans import JOINED_FACTOR, Part, joined_parts, links_of


def test_chunks_touch_the_links_of_their_blocks() -> None:
    """A chunk that begins within a block shares that block with the one before."""
    chunks = [("(0,0)", 1), ("(4,0)", 1), ("(9,3)", 1), ("(12,0)", 1)]
    assert links_of(chunks, [0, 9, 12]) == [range(0, 1), range(0, 2), range(1, 2), range(2, 3)]
    assert links_of([("(0,0)", 1)], [0, 8, 16]) == [range(0, 3)]
    assert links_of([("(0,0)", 1), ("(0,7)", 1)], [0]) == [range(0, 1), range(0, 1)]


def test_few_rows_are_read_together_and_none_not_at_all() -> None:
    """Chunks are put together while what is in of all links that they touch fits, and while they are not too many."""
    parts = [Part((f"({n},0)", 10), range(n, n + 1), n not in (3, 4)) for n in range(8)]
    joined = joined_parts(parts, [1, 2, 9, 0, 0, 1, 1, 1], 10)
    assert [(part.chunk, part.wanted) for part in joined] == [
        (("(0,0)", 20), True),
        (("(2,0)", 10), True),
        (("(3,0)", 20), False),
        (("(5,0)", 30), True),
    ]
    assert len(joined_parts([Part((f"({n},0)", 10), range(n, n + 1), True) for n in range(9)], [0.1] * 9, 10)) == 3
    assert joined_parts(parts, [0.0] * 8, 0) == [*parts[:3], Part(("(3,0)", 20), range(3, 5), False), *parts[5:]]


@given(
    cuts=st.lists(st.integers(1, 40), max_size=6, unique=True),
    links=st.lists(st.integers(1, 40), max_size=4, unique=True),
    filled=st.lists(st.booleans(), min_size=5, max_size=5),
    limit=st.integers(0, 30),
)
def test_every_block_with_a_row_that_is_in_is_read(
    cuts: list[int], links: list[int], filled: list[bool], limit: int
) -> None:
    """Whatever the cuts: the chunks that are left cover each block of links with a row that is in, in their order."""
    chunks = [(f"({first},0)", 5) for first in (0, *sorted(cuts))]
    firsts = [0, *sorted(links)]
    parts = [
        Part(chunk, numbers, any(filled[number] for number in numbers))
        for chunk, numbers in zip(chunks, links_of(chunks, firsts), strict=True)
    ]
    joined = joined_parts(parts, [1.0] * len(firsts), limit)
    begins = [int(part.chunk[0][1:].partition(",")[0]) for part in joined]
    read = set[int]()
    for part, begin, end in zip(joined, begins, [*begins[1:], 50], strict=True):
        read |= set(range(begin, end)) if part.wanted else set()
        assert part.chunk[1] <= max(5, JOINED_FACTOR * limit) or not part.wanted
    inside = {
        block
        for first, end, full in zip(firsts, [*firsts[1:], 50], filled, strict=False)
        for block in (range(first, end) if full else ())
    }
    assert inside <= read
    assert sum(part.chunk[1] for part in joined) == 5 * len(chunks)

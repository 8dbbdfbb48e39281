"""Growing sets of ids: what was added is in, with what added it first, in the closure and for the workers."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.shape import kept
from exporter.shape.kept import Bounds, GrowingIds, Kept, bits, bounds_of, ids_of

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
Ids = list[int | None]
IDS = st.lists(st.none() | st.integers(-40, 40) | st.sampled_from([SMALLEST, LARGEST, 10**12]), max_size=20)
BOUNDS = st.sampled_from([None, Bounds(-5, 5, 3), Bounds(0, 30, 1), Bounds(SMALLEST, LARGEST, 10)])


def numbers(ids: list[int | None]) -> pl.Series:
    return pl.Series("id", ids, dtype=pl.Int64)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(IDS, st.integers(1, 255)), max_size=5), BOUNDS, st.booleans())
def test_ids_keep_their_first_mark(
    added: list[tuple[list[int | None], int]], bounds: Bounds | None, tiny: bool
) -> None:
    """Whatever the bounds say and however small windows and runs are; null is never in."""
    expected: dict[int | None, int] = {}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        if tiny:
            patch.setattr(kept, "WINDOW", 3)
            patch.setattr(kept, "BYTES_PER_ROW", 8)
            patch.setattr(kept, "FEW", 1)
            patch.setattr(kept, "MERGED", 4)
        below = Path(directory)
        growing = GrowingIds(below / "kept" / "Customer", bounds)
        for ids, mark in added:
            new = dict.fromkeys(number for number in ids if number is not None and number not in expected)
            assert growing.missing(numbers(ids)).to_list() == sorted(new)
            growing.add(numbers(ids), mark)
            expected |= dict.fromkeys(new, mark)
        asked = [*range(-45, 45), SMALLEST, LARGEST, 10**12, None]
        assert growing.count == len(expected)
        assert growing.marks(numbers(asked)).to_list() == [expected.get(number, 0) for number in asked]
        assert Kept(below).contains("kept/Customer", numbers(asked)).to_list() == [
            number in expected for number in asked
        ]
        assert ids_of(below, "kept/Customer").to_list() == sorted(number for number in expected if number is not None)
        assert ids_of(below, "kept/AuthUser").to_list() == []  # of which no file was written


def test_bounds() -> None:
    """Of all chunks together; of no keys there are none."""
    assert bounds_of([numbers([]), numbers([None])]) is None
    assert bounds_of([numbers([3, None]), numbers([]), numbers([-2, 9])]) == Bounds(-2, 9, 4)
    assert [Bounds(0, high, 10**6).dense for high in (31_999_999, 32_000_000)] == [True, False]


def test_bits() -> None:
    """As PostgreSQL's get_bit counts them: from the right within each byte."""
    ids = numbers([-3, -2, 5, 13])
    packed = bits(ids)
    assert packed == bytes([0b00000011, 0b00000001, 0b00000001])
    assert [packed[offset // 8] >> offset % 8 & 1 for offset in range(17)] \
        == [number in (-3, -2, 5, 13) for number in range(-3, 14)]  # fmt: skip

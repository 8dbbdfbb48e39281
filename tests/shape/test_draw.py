"""The draw: known values, the same in plain Python for any id and seed, shares as asked, and smaller within larger."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.shape.draw import draw, is_drawn, number_of
from tests.oracle import closure as oracle

INT64 = st.integers(-(2**63), 2**63 - 1)
KNOWN = [0x5E41AB087439611E, 0xE9FD6049D65AF21E, 0x7EB3B394AC9EFC29, 0xA562DF66C82C649A, 0x82BC1A1106468EB5, None]
SHARES = [Fraction(1, 10**6), Fraction(1, 100), Fraction(1, 3), Fraction(1, 2)]


def test_known_draws() -> None:
    """They never change: a sample is the same people in every version. The first is splitmix64's own test vector, put
    through it once more."""
    ids = pl.Series("id", [0, 1, 42, -1, 2**63 - 1, None], dtype=pl.Int64)
    assert oracle.splitmix64(0) == 0xE220A8397B1DCDAF
    assert draw(ids, seed=0, kind=1).to_list() == KNOWN
    assert draw(ids, seed=2**64, kind=1).to_list() == KNOWN


@given(st.lists(st.none() | INT64, max_size=20), st.integers(-(2**70), 2**70), st.integers(1, 135))
def test_draws_are_those_of_plain_python(ids: list[int | None], seed: int, kind: int) -> None:
    """Bit by bit."""
    found = draw(pl.Series("id", ids, dtype=pl.Int64), seed=seed, kind=kind).to_list()
    assert found == [None if number is None else oracle.draw(kind, number, seed) for number in ids]


@given(st.lists(st.none() | INT64, max_size=50), st.integers(0, 100), st.sampled_from(SHARES), st.sampled_from(SHARES))
def test_a_smaller_sample_is_within_a_larger(ids: list[int | None], seed: int, one: Fraction, other: Fraction) -> None:
    """And null is in none."""
    small, large = sorted((one, other))
    numbers = pl.Series("id", ids, dtype=pl.Int64)
    within, found = (is_drawn(numbers, share, seed=seed, kind=1) for share in (small, large))
    assert (within & ~found).sum() == 0
    assert found.filter(numbers.is_null()).sum() == found.null_count() == 0


@pytest.mark.parametrize("share", SHARES[1:])
def test_a_sample_is_as_large_as_its_share(share: Fraction) -> None:
    """Of ids in a row and of ids far apart, within five standard deviations."""
    for step in (1, 1 << 40):
        ids = pl.int_range(0, 100_000 * step, step, eager=True).alias("id")
        found = int(is_drawn(ids, share, seed=7, kind=2).sum())
        assert abs(found - 100_000 * share) < 5 * (100_000 * share * (1 - share)) ** 0.5


def test_number_of_a_uuid() -> None:
    """Its first fifteen digits."""
    uuids = pl.Series("id", ["01234567-89ab-cdef-0123-456789abcdef", None, "ffffffff-ffff-ffff-ffff-ffffffffffff"])
    assert number_of(uuids).to_list() == [0x0123456789ABCDE, None, 16**15 - 1]

"""Runs of keys: a key that occurs twice is found, in one run or in several, however they overlap."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.shape import uniqueness
from exporter.shape.uniqueness import may_repeat, write_run

IN_DIRECTORY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
INTEGERS = st.one_of(st.none(), st.integers(-20, 20), st.sampled_from([-(2**63), 2**63 - 1]))
TEXTS = st.one_of(st.none(), st.sampled_from("abcdefghijklmnopqrstuvwxyz"))


def repeated(below: Path, chunks: list[list[int | None]] | list[list[str | None]], dtype: type[pl.DataType]) -> bool:
    """Whether a key occurs twice in chunks, by their runs."""
    directory = Path(tempfile.mkdtemp(dir=below))
    for number, chunk in enumerate(chunks):
        write_run(directory / f"run-{number}.arrow", pl.Series(chunk, dtype=dtype))
    return may_repeat(directory)


@pytest.mark.parametrize(
    ("chunks", "found"),
    [
        ([], False),
        ([[], [None, None]], False),
        ([[1, 2], [3, 4]], False),
        ([[3, 4], [1, 2]], False),
        ([[1, 3], [2, 4]], False),
        ([[1, 2, 1]], True),
        ([[1, 2], [2, 3]], True),
        ([[1, 9], [5], [9]], True),
    ],
)
def test_repeated_integers(tmp_path: Path, chunks: list[list[int | None]], found: bool) -> None:
    """Within a run, at the border of two, and across others; nulls are no keys."""
    assert repeated(tmp_path, chunks, pl.Int64) is found


@IN_DIRECTORY
@given(chunks=st.lists(st.lists(INTEGERS, max_size=8), max_size=6))
def test_any_integers(tmp_path: Path, chunks: list[list[int | None]]) -> None:
    """Exactly when there are fewer different keys than keys."""
    keys = [key for chunk in chunks for key in chunk if key is not None]
    assert repeated(tmp_path, chunks, pl.Int64) is (len(set(keys)) < len(keys))


@IN_DIRECTORY
@given(chunks=st.lists(st.lists(TEXTS, max_size=6), max_size=6))
def test_any_texts(tmp_path: Path, chunks: list[list[str | None]]) -> None:
    """By their hashes, which do not collide here."""
    keys = [key for chunk in chunks for key in chunk if key is not None]
    assert repeated(tmp_path, chunks, pl.String) is (len(set(keys)) < len(keys))


@IN_DIRECTORY
@given(chunks=st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=6))
def test_slices(tmp_path: Path, chunks: list[list[int | None]]) -> None:
    """Runs too large to be compared at once are compared slice by slice, with the same result."""
    keys = [key for chunk in chunks for key in chunk]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uniqueness, "SAMPLE", 2)
        patch.setattr(uniqueness, "SLICE", 4)
        assert repeated(tmp_path, chunks, pl.Int64) is (len(set(keys)) < len(keys))

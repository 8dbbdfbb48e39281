"""The key index: what is in a key set, an index or among the duplicates is found, and nothing else, however large."""

import tempfile
from collections import Counter
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.model.vocabulary import IdRule, Key, Type, integer, pair, uuid
from exporter.shape import key_index, text_index
from exporter.shape.key_index import (
    DenseKeys,
    KeyIndex,
    KeySet,
    SortedKeys,
    open_keys,
    write_duplicates,
    write_keys,
)
from exporter.shape.text_index import TextIndex, open_index, write_index
from tests.support import reference_rules as obvious

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
INT64 = st.integers(SMALLEST, LARGEST)
# Each example has a directory of its own below the test's.
IN_DIRECTORY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


def new_directory(below: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=below)) / "keys"


def frames(key: Key, chunks: list[list[int | None]]) -> list[pl.DataFrame]:
    """The raw frames of an integer key."""
    return [pl.DataFrame({key.columns[0]: pl.Series(chunk, dtype=pl.Int64)}) for chunk in chunks]


def integers(directory: Path, chunks: list[list[int | None]], *, bounds: bool = True) -> KeySet:
    """The key set of integers that come in chunks."""
    known = [number for chunk in chunks for number in chunk if number is not None]
    low, high = (min(known), max(known)) if known and bounds else (None, None)
    key = integer("id")
    write_keys(directory, key, frames(key, chunks), low=low, high=high, bytes=100 * sum(map(len, chunks)))
    return open_keys(directory)


def unbounded(directory: Path, key: Key, raw: pl.DataFrame) -> KeySet:
    """The key set of one raw frame, of which the server could tell no bounds."""
    write_keys(directory, key, [raw], low=None, high=None, bytes=100 * raw.height)
    return open_keys(directory)


def indexed(directory: Path, frames: list[pl.DataFrame], *, bytes: int) -> TextIndex:
    """The text index of frames, of a table of so many bytes."""
    write_index(directory, frames, bytes=bytes)
    return open_index(directory)


def found(keys: KeySet, asked: list[int | None]) -> list[bool]:
    return keys.contains(pl.Series(asked, dtype=pl.Int64)).to_list()


def neighbours(chunks: list[list[int | None]]) -> list[int | None]:
    """Every key, what lies beside it, the extremes and null."""
    near = {n + step for chunk in chunks for n in chunk if n is not None for step in (-1, 0, 1)}
    return [*sorted(n for n in near | {0, SMALLEST, LARGEST} if SMALLEST <= n <= LARGEST), None]


def members(chunks: list[list[int | None]], asked: list[int | None]) -> list[bool]:
    known = {n for chunk in chunks for n in chunk} - {None}
    return [n in known for n in asked]


@pytest.mark.parametrize(
    ("chunks", "kind"),
    [
        ([[1, 2, 3], [5, None]], DenseKeys),
        ([[-3, 0, 3]], DenseKeys),
        ([[LARGEST - 5, LARGEST]], DenseKeys),
        ([[SMALLEST], [SMALLEST + 5]], DenseKeys),
        ([[1, LARGEST]], SortedKeys),
        ([[SMALLEST, None], [LARGEST], []], SortedKeys),
        ([[0, SMALLEST, LARGEST, -1, 1]], SortedKeys),
        ([[], [None]], SortedKeys),
        ([], SortedKeys),
    ],
)
def test_integer_keys(tmp_path: Path, chunks: list[list[int | None]], kind: type[KeySet]) -> None:
    """Near ones as a byte map, far ones sorted; the ends of 64 bits are keys like any other."""
    keys = integers(tmp_path / "keys", chunks)
    asked = neighbours(chunks)
    assert (type(keys), found(keys, asked)) == (kind, members(chunks, asked))


def test_integer_keys_without_bounds(tmp_path: Path) -> None:
    """Text columns have none that the server could tell; malformed keys are in no set."""
    raw = pl.DataFrame({"id": [" 7 ", "007", "-0", "x", None, str(LARGEST), str(LARGEST + 1)]})
    keys = unbounded(tmp_path / "keys", integer("id"), raw)
    assert found(keys, [7, 0, LARGEST, SMALLEST, 1, None]) == [True, True, True, False, False, False]


@IN_DIRECTORY
@given(st.lists(st.lists(st.one_of(st.none(), st.integers(-300, 300)), max_size=20), max_size=4))
def test_dense_keys_are_as_a_set_says(tmp_path: Path, chunks: list[list[int | None]]) -> None:
    """However the windows in which the map is written cut the keys."""
    asked = neighbours(chunks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_index, "WINDOW", 7)
        keys = integers(new_directory(tmp_path), chunks)
    assert found(keys, asked) == members(chunks, asked)


@IN_DIRECTORY
@given(
    chunks=st.lists(st.lists(st.one_of(st.none(), st.integers(-300, 300)), max_size=20), max_size=4),
    low=st.integers(-300, 300),
    length=st.integers(0, 300),
)
def test_bounds_that_are_not_true(tmp_path: Path, chunks: list[list[int | None]], low: int, length: int) -> None:
    """Keys out of bounds, which an index that is no longer true may have hidden, are in the set all the same; and
    whether one occurs twice is told."""
    directory, key = new_directory(tmp_path), integer("id")
    known = [number for chunk in chunks for number in chunk if number is not None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_index, "WINDOW", 400)
        repeated = write_keys(directory, key, frames(key, chunks), low=low, high=low + length, bytes=0)
    asked = neighbours(chunks)
    assert (repeated, type(open_keys(directory))) == (len(set(known)) < len(known), DenseKeys)
    assert found(open_keys(directory), asked) == members(chunks, asked)


@IN_DIRECTORY
@given(st.lists(st.lists(st.one_of(st.none(), INT64), max_size=20), min_size=1, max_size=4), st.booleans())
def test_repeated_keys_are_told(tmp_path: Path, chunks: list[list[int | None]], texts: bool) -> None:
    """Of sorted runs, and of UUIDs."""
    known = [number for chunk in chunks for number in chunk if number is not None]
    key = uuid("id") if texts else integer("id")
    raw = frames(key, chunks)
    if texts:
        raw = [frame.select(pl.col("id").map_elements(as_uuid, pl.String)) for frame in raw]
    repeated = write_keys(new_directory(tmp_path), key, raw, low=None, high=None, bytes=1)
    assert repeated is (len(set(known)) < len(known))


def as_uuid(number: int) -> str:
    """A UUID for an integer, another one for each."""
    return str(UUID(int=number - SMALLEST))


@IN_DIRECTORY
@given(st.lists(st.lists(st.one_of(st.none(), INT64), max_size=20), max_size=4), st.booleans())
def test_sorted_keys_are_as_a_set_says(tmp_path: Path, chunks: list[list[int | None]], bounds: bool) -> None:
    """However the runs lie to each other, with bounds or without."""
    asked = neighbours(chunks)
    assert found(integers(new_directory(tmp_path), chunks, bounds=bounds), asked) == members(chunks, asked)


def test_uuid_keys(tmp_path: Path) -> None:
    """Both cases of a UUID are one key; malformed ones are in no set."""
    small = "01234567-89ab-cdef-0123-456789abcdef"
    raw = pl.DataFrame({"id": [small.upper(), "x", None]})
    keys = unbounded(tmp_path / "keys", uuid("id"), raw)
    assert keys.contains(pl.Series([small, small.upper(), "x", None])).to_list() == [True, False, False, False]


@pytest.mark.parametrize("raw", [["7", " IN\t", "IN", " ", None], [7, None]])
def test_text_keys(tmp_path: Path, raw: list[str | int | None]) -> None:
    """White space around a code is not part of it, a blank one is in no set; the digits of a number are a code."""
    keys = unbounded(tmp_path / "keys", Key(("id",), IdRule.CODE), pl.DataFrame({"id": raw}))
    asked = ["7", "IN", " IN", "in", "", None]
    assert keys.contains(pl.Series(asked)).to_list() == [
        text == "7" or (text == "IN" and "IN" in raw) for text in asked
    ]


@pytest.mark.parametrize("key", [integer("id"), uuid("id"), pair("id", "device_id"), Key(("id",), IdRule.CODE)])
@pytest.mark.parametrize("ids", [[], [None]])
def test_a_label_without_keys(tmp_path: Path, key: Key, ids: list[None]) -> None:
    """It can be asked, and has none."""
    raw = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String), "device_id": pl.Series(ids, dtype=pl.String)})
    keys = unbounded(tmp_path / "keys", key, raw)
    asked = pl.Series([7, None]) if key.type is Type.LONG else pl.Series(["a", None])
    assert keys.contains(asked).to_list() == [False, False]


def test_pair_keys(tmp_path: Path) -> None:
    """The number in its canonical form, a colon, the text as it is; a null in either part is no key."""
    raw = pl.DataFrame(
        {"auth_user_id": ["07", "7", None, "x", "7", "8"], "device_id": ["a:b", "", "c", "d", None, "é\n"]}
    )
    keys = unbounded(tmp_path / "keys", pair("auth_user_id", "device_id"), raw)
    asked = ["7:a:b", "7:", "8:é\n", "07:a:b", ":c", "x:d", "7", None]
    assert keys.contains(pl.Series(asked, dtype=pl.String)).to_list() == [True] * 3 + [False] * 5


TEXTS = st.one_of(st.none(), st.text("ab\x00é😀 ", max_size=3))


@IN_DIRECTORY
@given(
    st.lists(st.lists(st.tuples(TEXTS, st.one_of(st.none(), INT64)), max_size=15), min_size=1, max_size=4),
    st.lists(TEXTS, max_size=15),
    st.sampled_from([1, 3, 1000]),
    st.sampled_from([1, 3, 2**64 - 1]),
)
def test_a_text_index_is_as_a_dict_says(
    tmp_path: Path, chunks: list[list[tuple[str | None, int | None]]], asked: list[str | None], size: int, hashes: int
) -> None:
    """How often each text occurs and the smallest id beside it, in as many buckets as it takes, however many texts have
    the same hash."""
    true_hash = text_index.hash_of
    pairs = [(text, id) for chunk in chunks for text, id in chunk if text is not None]
    times = Counter(text for text, _ in pairs)
    smallest = {
        text: min((id for other, id in pairs if other == text and id is not None), default=None) for text in times
    }
    written = [pl.DataFrame(chunk, {"text": pl.String, "id": pl.Int64}, orient="row") for chunk in chunks]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_index, "BUCKET_BYTES", size)
        patch.setattr(text_index, "hash_of", lambda text: true_hash(text) % hashes)
        index = indexed(new_directory(tmp_path), written, bytes=sum(map(len, chunks)))
        asked += [text for chunk in chunks for text, _ in chunk]
        answer = index.find(pl.Series(asked, dtype=pl.String))
        known = index.contains(pl.Series(asked, dtype=pl.String)).to_list()
    assert answer.schema == {"id": pl.Int64, "count": pl.UInt32}
    assert answer.rows() == [
        (smallest.get(text or ""), times[text or ""]) if text is not None else (None, 0) for text in asked
    ]
    assert known == [text in times for text in asked]


def test_an_index_of_several_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that are expected decide how many there are; each text is in one of them."""
    monkeypatch.setattr(text_index, "BUCKET_BYTES", 10)
    index = indexed(tmp_path / "index", [pl.DataFrame({"text": list("abcdefghij"), "id": range(10)})], bytes=41)
    assert len(index.paths) == 5
    assert index.find(pl.Series(["j", None, "a", "z"])).rows() == [(9, 1), (None, 0), (0, 1), (None, 0)]


def test_a_directory_that_looks_like_a_pattern(tmp_path: Path) -> None:
    """Its name is taken literally."""
    (tmp_path / "ab").mkdir()
    for name, number in (("ab", 1), ("a*", 2), ("a[b]", 3)):
        index = indexed(tmp_path / name / "index", [pl.DataFrame({"text": ["x"], "id": [number]})], bytes=1)
        assert index.find(pl.Series(["x"])).rows() == [(number, 1)]


def test_a_key_index(tmp_path: Path) -> None:
    """Those who ask it need to know its directory alone."""
    writing, asking = KeyIndex(tmp_path), KeyIndex(tmp_path)
    write_keys(writing.keys_directory("Skill"), integer("id"), [pl.DataFrame({"id": [1]})], low=1, high=1, bytes=1)
    write_index(writing.values_directory("Guide", "code"), [pl.DataFrame({"text": ["A"], "id": [7]})], bytes=1)
    rows = pl.DataFrame({"row_id": ["(0,1)", "(7,3)"]})
    write_duplicates(writing.duplicates_file("guide.skills"), rows)
    write_duplicates(writing.duplicates_file("guide.languages"), rows.clear())
    asked = pl.Series(["(0,1)", "(0,10)", "(7,3)"])
    assert found(asking.keys("Skill"), [0, 1]) == [False, True]
    assert asking.values("Guide", "code").find(pl.Series(["A", "B"])).rows() == [(7, 1), (None, 0)]
    assert asking.is_duplicate("guide.skills", asked).to_list() == [True, False, True]
    assert asking.is_duplicate("guide.languages", asked).to_list() == [False, False, False]


def test_directories_are_the_owners_alone(tmp_path: Path) -> None:
    """They are 0700: their files hold personal data."""
    integers(tmp_path / "keys", [[1]])
    indexed(tmp_path / "index", [pl.DataFrame({"text": ["a"], "id": [1]})], bytes=1)
    write_duplicates(tmp_path / "duplicates" / "a.arrow", pl.DataFrame({"row_id": ["(0,1)"]}))
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} \
        == {"keys": 0o700, "index": 0o700, "duplicates": 0o700}  # fmt: skip


def test_a_text_that_only_hashes_alike_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash chooses bucket and place, and decides nothing else."""
    monkeypatch.setattr(text_index, "hash_of", lambda text: pl.when(text.is_not_null()).then(pl.lit(0, pl.UInt64)))
    index = indexed(tmp_path / "index", [pl.DataFrame({"text": ["a", "b"], "id": [1, 2]})], bytes=2)
    assert index.find(pl.Series(["c", "b"])).rows() == [(None, 0), (2, 1)]


def test_the_obvious_rule_agrees_on_what_a_key_is(tmp_path: Path) -> None:
    """The key index reads raw keys by the rule by which references are read."""
    raw = ["1", "01", " 2", "3.0", "4.5", "-5", "six", None]
    keys = unbounded(tmp_path / "keys", integer("id"), pl.DataFrame({"id": raw}))
    expected = {obvious.integer_id(text) for text in raw} - {None}
    assert [n for n in range(-9, 9) if found(keys, [n]) == [True]] == sorted(expected)  # type: ignore[type-var]


@pytest.mark.parametrize(("high", "bytes", "mapped"), [
    ((1 << 24) - 1, 0, True), (1 << 24, 0, False), (1 << 24, (1 << 24) + 1, True), (1 << 25, 1 << 25, False),
])  # fmt: skip
def test_keys_are_mapped_if_that_takes_no_more_than_their_table(
    tmp_path: Path, high: int, bytes: int, mapped: bool
) -> None:
    """A byte for each number between the first and the last; or 16 MB."""
    directory, key = new_directory(tmp_path), integer("id")
    write_keys(directory, key, frames(key, [[0, high]]), low=0, high=high, bytes=bytes)
    assert isinstance(open_keys(directory), DenseKeys) is mapped
    assert open_keys(directory).contains(pl.Series([0, 1, high, high + 1])).to_list() == [True, False, True, False]


@pytest.mark.parametrize(("bytes", "buckets"), [(0, 1), (24 << 20, 1), ((24 << 20) + 1, 2), (100 << 20, 5)])
def test_texts_are_in_buckets_of_equal_size(tmp_path: Path, bytes: int, buckets: int) -> None:
    """One for each 24 MB of their table."""
    directory = new_directory(tmp_path)
    write_index(directory, [pl.DataFrame({"text": ["a", "b"], "id": [1, 2]})], bytes=bytes)
    assert len(list(directory.iterdir())) == buckets
    assert open_index(directory).find(pl.Series(["b", "c"]))["id"].to_list() == [2, None]

"""What exists in this export, read before everything else: keys, linked values and duplicates, on disk for all workers.

The files are in the partial directory and memory-mapped, so memory does not grow with the number of workers. Every
answer is exact: keys are compared, not hashes of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import polars as pl

from exporter.model.vocabulary import IdRule, Key
from exporter.shape.ids import canonical
from exporter.shape.mapped import as_series, make_directory, mapped_bytes, mapped_frame, write_frame
from exporter.shape.text_index import TextIndex, open_index, write_index
from exporter.shape.uniqueness import RUNS, may_repeat, write_run

# A byte map may be as large as the table whose keys it holds (a sparse file takes no disk space for empty pages), or as
# this, which is also the size of the windows in which it is written.
WINDOW = 1 << 24
MAP_FROM = "map-from-"
NO_ID = pl.lit(None, pl.Int64)


@dataclass(frozen=True, slots=True)
class DenseKeys:
    """Integer keys as a byte map: the byte at `key - low` is not 0 (16 times cheaper than `is_in`). `outside` has those
    beyond the bounds that the server told, which an index that is no longer true may have misled."""

    path: Path
    low: int
    length: int
    outside: "SortedKeys"

    def contains(self, keys: pl.Series) -> pl.Series:
        """Whether each key (Int64; null: no) is in the set."""
        inside = keys.is_between(self.low, self.low + self.length - 1)
        offsets = (keys if inside.all() else keys.set(~inside, None)) - self.low
        found = (mapped_bytes(self.path).gather(offsets) > 0).fill_null(False)
        return found | self.outside.contains(keys) if self.outside.paths else found


@dataclass(frozen=True, slots=True)
class SortedKeys:
    """Integer keys as sorted runs, for keys too sparse for a byte map."""

    paths: tuple[Path, ...]

    def contains(self, keys: pl.Series) -> pl.Series:
        """Whether each key (Int64; null: no) is in the set."""
        found = pl.repeat(False, len(keys), eager=True)
        for path in self.paths:
            run = mapped_frame(path).to_series()
            offsets = run.search_sorted(keys.fill_null(0)).clip(0, len(run) - 1)
            found |= (run.gather(offsets) == keys).fill_null(False)
        return found


KeySet = DenseKeys | SortedKeys | TextIndex


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """The key index below a directory: all that the workers that write it share with those that read it. `tokens` are
    the columns (`Label.column`) whose linked values are tokens."""

    directory: Path
    tokens: frozenset[str] = frozenset()

    def keys_directory(self, label: str) -> Path:
        return self.directory / "keys" / label

    def values_directory(self, label: str, column: str) -> Path:
        return self.directory / "values" / f"{label}.{column}"

    def duplicates_file(self, table: str) -> Path:
        return self.directory / "duplicates" / f"{table}.arrow"

    def runs_directory(self, table: str) -> Path:
        """Where the keys of a table are gathered, to prove that they are unique."""
        return self.directory / "runs" / table

    def keys(self, label: str) -> KeySet:
        """The key set of a label."""
        return open_keys(self.keys_directory(label))

    def values(self, label: str, column: str) -> TextIndex:
        """The values of a column, with the keys of the exported nodes of the label that own them."""
        return open_index(self.values_directory(label, column))

    def linked_value(self, raw: pl.Series, label: str, column: str, id_rule: IdRule) -> pl.Series:
        """What the values of a column are compared by, from the raw column of rows that link to it: the canonical form
        (String), or the token itself."""
        return raw if f"{label}.{column}" in self.tokens else canonical(raw, id_rule)

    def is_duplicate(self, table: str, row_ids: pl.Series) -> pl.Series:
        """Whether each row (by its row id) is a duplicate: another row has its key."""
        duplicates = mapped_frame(self.duplicates_file(table)).to_series()
        return row_ids.is_in(duplicates.implode()) if len(duplicates) else pl.repeat(False, len(row_ids), eager=True)


@lru_cache
def open_keys(directory: Path) -> KeySet:
    """The key set that `write_keys` wrote there."""
    runs = SortedKeys(tuple(sorted(directory.glob(RUNS))))
    for path in directory.glob(f"{MAP_FROM}*"):
        return DenseKeys(path, int(path.name.removeprefix(MAP_FROM)), path.stat().st_size, runs)
    return open_index(directory) if not runs.paths and any(directory.glob("bucket-*")) else runs


def write_keys(
    directory: Path, key: Key, frames: Iterable[pl.DataFrame], *, low: int | None, high: int | None, bytes: int
) -> bool:
    """Writes a label's key set from its raw key columns, and returns whether a key occurs twice.

    `low` and `high` are the bounds of integer keys if the server could tell; `bytes` is the size of the table.
    """
    make_directory(directory)
    if key.id_rule is not IdRule.INTEGER:
        texts = (key_of(frame, key).alias("text").to_frame() for frame in frames)
        return write_index(directory, (frame.with_columns(id=NO_ID) for frame in texts), bytes=bytes)
    keys = (key_of(frame, key).drop_nulls() for frame in frames)
    if low is not None and high is not None and high - low < max(WINDOW, bytes):
        return write_map(directory / f"{MAP_FROM}{low}", keys, low=low, length=high - low + 1)
    for number, run in enumerate(keys):
        write_run(directory / f"run-{number}.arrow", run)
    return may_repeat(directory)


def write_map(path: Path, keys: Iterable[pl.Series], *, low: int, length: int) -> bool:
    """Writes a byte map window by window: memory is bounded by the window, not by the keys. Keys out of bounds become
    runs beside it. Returns whether a key occurs twice."""
    repeated = False
    with path.open("xb+") as file:
        file.truncate(length)
        for number, chunk in enumerate(keys):
            inside = chunk.is_between(low, low + length - 1)
            if not inside.all():
                write_run(path.with_name(f"run-{number}.arrow"), chunk.filter(~inside))
                chunk = chunk.filter(inside)
            repeated |= add_to_map(file, chunk - low)
    return may_repeat(path.parent) or repeated


def add_to_map(file: BinaryIO, offsets: pl.Series) -> bool:
    """Sets the bytes at some offsets of a byte map, and returns whether one was set before or occurs twice."""
    repeated = False
    while len(offsets):
        first = int(offsets.min())  # type: ignore[arg-type]
        window = min(WINDOW, int(offsets.max()) + 1 - first)  # type: ignore[arg-type]
        inside = offsets < first + window
        file.seek(first)
        known = as_series(file.read(window))
        file.seek(first)
        before, added = int(known.sum()), offsets.filter(inside) - first
        known = known.scatter(added, 1)
        repeated |= int(known.sum()) - before != len(added)
        file.write(known.to_arrow().buffers()[1].slice(0, window))
        offsets = offsets.filter(~inside)
    return repeated


def write_duplicates(path: Path, row_ids: pl.DataFrame) -> None:
    """Writes the row ids of a table's duplicates."""
    make_directory(path.parent)
    write_frame(path, row_ids.select(pl.first().cast(pl.String)))


def key_of(frame: pl.DataFrame, key: Key) -> pl.Series:
    """The canonical key of each row (Int64 or String), null if one of its columns is null or malformed."""
    if key.id_rule is not IdRule.PAIR:
        return canonical(frame[key.columns[0]], key.id_rule)
    first = canonical(frame[key.columns[0]], IdRule.INTEGER).cast(pl.String)
    return frame.select(pl.concat_str(first, frame[key.columns[1]], separator=":").alias("key")).to_series()

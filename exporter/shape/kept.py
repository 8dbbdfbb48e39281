"""Sets of ids on disk: while the closure makes them grow, and afterwards for all workers.

In a growing set each id has a mark, the number of what added it first (1 to 255). Its files are those of the key index,
whose `open_keys` reads them: a byte map where ids are dense, and sorted runs for all others.
"""

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from exporter.shape.key_index import MAP_FROM, WINDOW, open_keys
from exporter.shape.mapped import as_series, make_directory, open_frame, write_frame
from exporter.shape.text_index import TextIndex

# A byte map may have this many bytes for each row of the table whose keys it holds: about the size of the table.
BYTES_PER_ROW = 32
# So many bytes of a window of a map are set one by one; of more, the window is copied.
FEW = 1 << 12
# Runs are merged as long as they have at most so many ids together. Measured: 4 million take 110 MB.
MERGED = 1 << 21


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and greatest key of a table, and its number of rows."""

    low: int
    high: int
    rows: int

    @property
    def dense(self) -> bool:
        """Whether a byte map may hold the keys."""
        return self.high - self.low < max(WINDOW, BYTES_PER_ROW * self.rows)


class GrowingIds:
    """A set of ids (Int64), each with its mark, in the files of a new directory."""

    def __init__(self, directory: Path, bounds: Bounds | None) -> None:
        make_directory(directory)
        self.directory = directory
        self.count = 0
        self.low = self.length = self.written = 0
        self.runs: list[tuple[Path, int]] = []
        if bounds and bounds.dense:
            self.low, self.length = bounds.low, bounds.high - bounds.low + 1
            self.path = directory / f"{MAP_FROM}{self.low}"
            with self.path.open("xb+") as file:
                file.truncate(self.length)
                self.map = mmap.mmap(file.fileno(), self.length, access=mmap.ACCESS_READ)

    def marks(self, ids: pl.Series) -> pl.Series:
        """The mark of each id (Int64), 0 for those that are not in the set and for null (UInt8)."""
        if not self.length:
            found = pl.zeros(len(ids), dtype=pl.UInt8, eager=True)
        else:
            offsets = self.offsets(ids)
            found = as_series(self.map).gather(offsets)
            found = found.fill_null(0) if offsets.null_count() else found
        for path, _ in self.runs:
            run = open_frame(path)
            keys, marks = run.get_columns()
            places = keys.search_sorted(ids.fill_null(0)).clip(0, len(keys) - 1)
            here = (keys.gather(places) == ids).fill_null(False)
            found = marks.gather(places).zip_with(here, found)
        return found

    def offsets(self, ids: pl.Series) -> pl.Series:
        """The offset of each id (Int64) in the map; null for null and for those that it has no room for."""
        least, greatest = ids.min(), ids.max()
        if least is None or (least >= self.low and greatest < self.low + self.length):  # type: ignore[operator]
            return ids - self.low
        return ids.set(~ids.is_between(self.low, self.low + self.length - 1), None) - self.low

    def contains(self, ids: pl.Series) -> pl.Series:
        """Whether each id (Int64; null: no) is in the set."""
        return self.marks(ids) > 0

    def missing(self, ids: pl.Series) -> pl.Series:
        """Those of the ids (Int64) that are not in the set, once each, sorted, without null."""
        new = ids.filter(self.marks(ids) == 0)
        return new.drop_nulls().unique().sort() if len(new) else new

    def add(self, ids: pl.Series, mark: int) -> None:
        """Adds ids (Int64, any); those that are in the set keep their mark."""
        new = self.missing(ids)
        if not len(new):
            return
        self.count += len(new)
        inside = new.is_between(self.low, self.low + self.length - 1)
        self.add_to_map(new.filter(inside) - self.low, mark)
        outside = new.filter(~inside)
        if len(outside):
            self.write_run(outside.to_frame("key").with_columns(mark=pl.lit(mark, pl.UInt8)))

    def add_to_map(self, offsets: pl.Series, mark: int) -> None:
        """Sets the bytes at sorted offsets, window by window: memory is bounded by the window."""
        if not len(offsets):
            return
        with self.path.open("rb+") as file:  # a full disk is an error here, and death in a mapping
            while len(offsets):
                first = int(offsets[0])
                inside = offsets < first + WINDOW
                added, offsets = offsets.filter(inside), offsets.filter(~inside)
                if len(added) <= FEW:
                    for offset in added.to_list():
                        file.seek(offset)
                        file.write(bytes((mark,)))
                    continue
                last = int(added[-1]) + 1
                marks = as_series(self.map[first:last]).scatter(added - first, mark)
                file.seek(first)
                file.write(marks.to_arrow().buffers()[1].slice(0, last - first))

    def write_run(self, run: pl.DataFrame) -> None:
        """Writes a run of new ids (`key`, `mark`), together with the last ones as long as they are small."""
        parts = [run]
        while self.runs and sum(part.height for part in parts) + self.runs[-1][1] <= MERGED:
            path, _ = self.runs.pop()
            parts.append(open_frame(path))
            path.unlink()
        merged = pl.concat(parts).sort("key") if len(parts) > 1 else run
        path = self.directory / f"run-{self.written}.arrow"
        write_frame(path, merged)
        self.written += 1
        self.runs.append((path, merged.height))


def bounds_of(keys: Iterable[pl.Series]) -> Bounds | None:
    """The bounds of keys (Int64) that come in chunks; None if there are none."""
    chunks = [(keys.min(), keys.max(), len(keys)) for keys in keys if keys.null_count() < len(keys)]
    if not chunks:
        return None
    lows, highs, rows = zip(*chunks, strict=True)
    return Bounds(min(lows), max(highs), sum(rows))


def offsets_of(path: Path) -> Iterator[pl.Series]:
    """The offsets of the bytes of a map that are not 0 (Int64), window by window."""
    with path.open("rb") as file:
        start = 0
        while window := file.read(WINDOW):
            yield (as_series(window) > 0).arg_true().cast(pl.Int64) + start
            start += len(window)


def ids_of(directory: Path, name: str) -> pl.Series:
    """The ids of a set that has been written (Int64), sorted. One without ids has no file."""
    parts = [pl.Series([], dtype=pl.Int64)]
    for path in (directory / name).glob("*"):
        if path.name.startswith(MAP_FROM):
            low = int(path.name.removeprefix(MAP_FROM))
            parts += [offsets + low for offsets in offsets_of(path)]
        else:
            parts.append(open_frame(path).to_series())
    return pl.concat(parts).sort()


def bits(ids: pl.Series) -> bytes:
    """Sorted ids (Int64) as bits, from the least to the greatest: the bit at `id - low` is set, counted as PostgreSQL's
    `get_bit` does, from the least significant bit of each byte."""
    low = int(ids[0])
    length = int(ids[-1]) - low + 1
    marks = pl.zeros(length, dtype=pl.UInt8, eager=True).scatter(ids - low, 1) > 0
    packed: bytes = marks.to_arrow().buffers()[1].to_pybytes()
    return packed[: -(-length // 8)]


@dataclass(frozen=True, slots=True)
class Kept:
    """The sets below a directory, as they were written."""

    directory: Path

    def contains(self, name: str, ids: pl.Series) -> pl.Series:
        """Whether each id (Int64; null: no) is in the set of that name."""
        keys = open_keys(self.directory / name)
        assert not isinstance(keys, TextIndex)
        return keys.contains(ids)

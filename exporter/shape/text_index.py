"""Texts on disk for all workers, in buckets by their hash: keys that are texts, and values by which rows are linked.

The files are in the key index (key_index.py), memory-mapped. Every answer is exact: texts are compared, not hashes of
them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from exporter.shape.mapped import append_frame, appended_frames, make_directory, mapped_frame, write_frame

# Bytes of the table for each bucket. Measured: one of 250,000 texts takes 90 MB while it is written, one of a million
# 190 MB, in the same time; a row with such a text takes a hundred bytes or more.
BUCKET_BYTES = 24 << 20
NO_TEXTS = pl.DataFrame(schema={"text": pl.String, "id": pl.Int64, "hash": pl.UInt64})


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Texts, how often each occurs, and the smallest id that has it, in buckets that fit in memory one at a time.

    A hash selects the bucket and the place within it, where the texts themselves are compared: what a lookup costs
    hardly depends on how many texts there are (measured: of ten times as many, twice as much).
    """

    paths: tuple[Path, ...]

    def find(self, texts: pl.Series) -> pl.DataFrame:
        """`id` (Int64) and `count` (UInt32; 0 if absent) for each text (String; null is absent), in order."""
        rows = pl.DataFrame({"text": texts}).with_row_index("row").with_columns(hash=hash_of(pl.col("text")))
        if len(self.paths) == 1:
            parts = [rows.filter(pl.col("hash").is_not_null())]
        else:
            parts = [rows.filter(pl.col("hash") % len(self.paths) == number) for number in range(len(self.paths))]
        found = pl.concat(found_in(mapped_frame(path), part) for path, part in zip(self.paths, parts, strict=True))
        of_all = rows.select("row").join(found, on="row", how="left", maintain_order="left")
        return of_all.select("id", pl.col("count").fill_null(0))

    def contains(self, texts: pl.Series) -> pl.Series:
        """Whether each text is in the index."""
        return self.find(texts)["count"] > 0


def found_in(entries: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """`row`, `id` and `count` of those of the rows (`row`, `text`, `hash`) whose text is in a bucket."""
    if entries.is_empty() or rows.is_empty():
        return entries.clear().select(rows.clear()["row"], "id", "count")
    places = entries["hash"].search_sorted(rows["hash"]).clip(0, len(entries) - 1)
    first = entries.select(pl.all().gather(places)).with_columns(row=rows["row"])
    same, alike = first["text"] == rows["text"], first["hash"] == rows["hash"]
    beside = rows.filter(alike & ~same)  # another text has the same hash
    others = entries.filter(pl.col("hash").is_in(beside["hash"].implode())) if len(beside) else entries.clear()
    found = first.filter(same).select("row", "id", "count")
    return found.vstack(beside.join(others, on="text").select(found.columns))


@lru_cache
def open_index(directory: Path) -> TextIndex:
    """The index that `write_index` wrote there."""
    return TextIndex(tuple(directory / f"bucket-{number}.arrow" for number in range(len(list(directory.iterdir())))))


def write_index(directory: Path, frames: Iterable[pl.DataFrame], *, bytes: int) -> bool:
    """Writes a text index from frames of `text` (String) and `id` (Int64), of a table of `bytes`; null texts are
    skipped. Returns whether a text occurs twice."""
    make_directory(directory)
    repeated = False
    buckets = max(1, -(-bytes // BUCKET_BYTES))
    for frame in frames:
        known = frame.drop_nulls("text").select("text", "id", hash=hash_of(pl.col("text")))
        for (number,), piece in known.group_by(pl.col("hash") % buckets):
            append_frame(directory / f"pieces-{number}", piece)
    for number in range(buckets):
        pieces = directory / f"pieces-{number}"
        texts = pl.concat([NO_TEXTS, *(appended_frames(pieces) if pieces.exists() else ())])
        counted = (
            texts.group_by("text").agg(pl.col("hash").first(), pl.col("id").min(), pl.len().alias("count")).sort("hash")
        )
        pieces.unlink(missing_ok=True)
        write_frame(directory / f"bucket-{number}.arrow", counted)
        repeated |= bool((counted["count"] > 1).any())
    return repeated


def hash_of(text: pl.Expr) -> pl.Expr:
    """The hash of a text, which chooses its bucket and its place there (UInt64); null for null."""
    return pl.when(text.is_not_null()).then(text.hash(seed=0))

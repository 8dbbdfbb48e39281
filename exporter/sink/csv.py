"""The CSV dialect that comes back from Neo4j byte for byte.

The dialect (neo4j-facts.md): UTF-8, `\\n`, commas; a null is nothing; every string is quoted with quotes doubled, the
empty string is `""`; numbers, booleans and temporals are bare.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from exporter.model.vocabulary import Type
from exporter.pipeline.timing import WRITE, TaskTimer
from exporter.sink.files import FileRecord, write_file, write_parts

QUOTE = '"'
# What makes a value more than itself in quotes, and an import slower (neo4j-facts.md).
QUOTES, LINE_BREAKS = frozenset({b'"'}), frozenset({b"\n", b"\r"})
# Measured: lines made, written and hashed 4 MB at a time take 5 % less CPU than all at once, and 45 MB less memory.
SLICE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """A data file's record, whether a value in it holds a line break, the bytes of its longest line, and how many
    values each column has."""

    record: FileRecord
    multiline: bool
    longest: int
    values: dict[str, int]


def write_data(
    root: Path, path: Path, rows: pl.DataFrame, columns: list[tuple[str, Type]], watch: TaskTimer
) -> Written:
    """Writes rows (columns in this order; integers, booleans, text) as a new data file `path` below `root`."""
    met, longest = set[bytes](), 0

    def parts() -> Iterator[memoryview]:
        nonlocal longest
        for part in rows.iter_slices(max(1, rows.height * SLICE_BYTES // max(1, int(rows.estimated_size())))):
            text = part.select(lines(part, columns, met).alias("line")).to_series()
            longest = max(longest, largest(text.str.len_bytes()))
            yield content(text)

    record = write_parts(root, path, parts(), rows.height, watch)
    values = {name: rows.height - rows[name].null_count() for name, _ in columns}
    return Written(record, bool(met & LINE_BREAKS), longest, values)


def largest(numbers: pl.Series) -> int:
    """The largest of some integers; 0 of none."""
    found = numbers.max()
    return found if isinstance(found, int) else 0


def content(text: pl.Series) -> memoryview:
    """The bytes of texts, which lie one after the other in Arrow's data buffer. A row in one expression and no CSV
    writer take two thirds of the time of quoting columns and writing them."""
    return memoryview(text.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2] or b"")


def lines(rows: pl.DataFrame, columns: list[tuple[str, Type]], met: set[bytes]) -> pl.Expr:
    """Each row as its line, the line end included; adds what its texts hold of quotes and line breaks to `met`."""
    parts: list[str | pl.Expr] = []
    for place, (name, type) in enumerate(columns):
        parts.append("," if place else "")
        text = pl.col(name).cast(pl.String)
        field: list[str | pl.Expr] = [text]
        if type is Type.STRING:
            held = specials(rows[name])
            field = [QUOTE, text.str.replace_all(QUOTE, QUOTE * 2, literal=True) if held & QUOTES else text, QUOTE]
            met |= held
        parts += [joined(field)] if len(field) > 1 and rows[name].null_count() else field
    return joined([*parts, "\n"], ignore_nulls=True)


def specials(texts: pl.Series) -> frozenset[bytes]:
    """Which of quotes and line breaks some texts hold. A look at their bytes as a whole takes half the time of one at
    each text."""
    held = bytes(content(texts))
    return frozenset(special for special in QUOTES | LINE_BREAKS if special in held)


def joined(parts: Sequence[str | pl.Expr], *, ignore_nulls: bool = False) -> pl.Expr:
    """Texts and expressions one after the other, neighbouring texts as one. Where an expression is null, so is the
    whole; with `ignore_nulls` it is left out."""
    pieces: list[pl.Expr] = []
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        pieces += [pl.lit(text), part] if text else [part]
        text = ""
    return pl.concat_str([*pieces, pl.lit(text)] if text else pieces, ignore_nulls=ignore_nulls)


def write_rejects(root: Path, path: Path, rejects: pl.DataFrame, watch: TaskTimer) -> FileRecord:
    """Writes reject lines with a header row; a null is nothing, the empty string is `""`."""
    content = io.BytesIO()
    with watch.on(WRITE):
        rejects.write_csv(content, quote_style="necessary")
    return write_file(root, path, content.getbuffer(), rejects.height, watch)

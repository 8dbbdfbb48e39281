"""The CSV dialect whose values Neo4j returns byte for byte.

The dialect (neo4j-facts.md): UTF-8, `\\n`, commas; a null is empty; every string is quoted, with quotes doubled; the
empty string is `""`; numbers, booleans and temporals are bare.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from exporter.model.vocabulary import Type
from exporter.sink.files import FileRecord, write_file, write_parts
from exporter.sink.tally import Tally

QUOTE = '"'
# Quotes must be doubled; a line break in a value needs an option that slows the import down (neo4j-facts.md).
QUOTES, LINE_BREAKS = frozenset({b'"'}), frozenset({b"\n", b"\r"})
# Measured: formatting, writing and hashing 4 MB at a time takes 5 % less CPU than all at once, and 45 MB less memory.
SLICE_BYTES = 4 << 20


def write_data(root: Path, path: Path, rows: pl.DataFrame, columns: Sequence[tuple[str, Type]]) -> Tally:
    """Writes rows as a new data file `path` below `root`, and tallies it.

    `rows` has the named columns, as integers, floats, booleans or text; their order in the file is that of `columns`.
    Raises `OSError` if the file cannot be written.
    """
    specials_found, longest = set[bytes](), 0

    def parts() -> Iterator[memoryview]:
        nonlocal longest
        for part in rows.iter_slices(max(1, rows.height * SLICE_BYTES // max(1, int(rows.estimated_size())))):
            text = part.select(lines(part, columns, specials_found).alias("line")).to_series()
            longest = max(longest, largest(text.str.len_bytes()))
            yield text_bytes(text)

    record = write_parts(root, path, parts(), rows.height)
    values = Counter({name: rows.height - rows[name].null_count() for name, _ in columns})
    multiline = bool(specials_found & LINE_BREAKS)
    return Tally(rows=rows.height, values=values, multiline=multiline, longest=longest, files=(record,))


def largest(numbers: pl.Series) -> int:
    """The largest of some integers; 0 if there are none."""
    maximum = numbers.max()
    return maximum if isinstance(maximum, int) else 0


def text_bytes(texts: pl.Series) -> memoryview:
    """The bytes of texts, one after the other, as Arrow's data buffer holds them."""
    return memoryview(texts.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2] or b"")


def lines(rows: pl.DataFrame, columns: Sequence[tuple[str, Type]], specials_found: set[bytes]) -> pl.Expr:
    """Each row as a line with its line end, a String expression. Adds the quotes and line breaks found in its texts to
    `specials_found`.

    Measured: one expression per row, without a CSV writer, takes two thirds of the time of quoting columns and writing
    them.
    """
    parts: list[str | pl.Expr] = []
    for index, (name, type) in enumerate(columns):
        parts.append("," if index else "")
        text = pl.col(name).cast(pl.String)
        field: list[str | pl.Expr] = [text]
        if type is Type.STRING:
            specials = specials_in(rows[name])
            field = [QUOTE, text.str.replace_all(QUOTE, QUOTE * 2, literal=True) if specials & QUOTES else text, QUOTE]
            specials_found |= specials
        parts += [joined(field)] if len(field) > 1 and rows[name].null_count() else field
    return joined([*parts, "\n"], ignore_nulls=True)


def specials_in(texts: pl.Series) -> frozenset[bytes]:
    """Which of quotes and line breaks some texts contain.

    Measured: searching all their bytes at once takes half the time of searching each text.
    """
    content = bytes(text_bytes(texts))
    return frozenset(special for special in QUOTES | LINE_BREAKS if special in content)


def joined(parts: Sequence[str | pl.Expr], *, ignore_nulls: bool = False) -> pl.Expr:
    """Texts and expressions concatenated, adjacent texts merged. If an expression is null, so is the result; with
    `ignore_nulls` it is skipped."""
    pieces: list[pl.Expr] = []
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        pieces += [pl.lit(text), part] if text else [part]
        text = ""
    return pl.concat_str([*pieces, pl.lit(text)] if text else pieces, ignore_nulls=ignore_nulls)


def write_rejects(root: Path, path: Path, rejects: pl.DataFrame) -> FileRecord:
    """Writes reject lines with a header row as a new file; a null is an empty cell, the empty string is `""`."""
    content = io.BytesIO()
    rejects.write_csv(content, quote_style="necessary")
    return write_file(root, path, content.getbuffer(), rejects.height)

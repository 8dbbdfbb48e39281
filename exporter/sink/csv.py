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
# Rows of at most so many columns can be short. Measured: two integers take 30 ns a row instead of 70, an integer and a
# UUID 40 instead of 75; more columns, as nodes have, take longer than a line does.
SHORT = 4
SHORT_TEXT = 1_000
SHORT_SLICE_BYTES = 1 << 18
# -9223372036854775808
LONGEST_LONG = 20


def write_data(root: Path, path: Path, rows: pl.DataFrame, columns: Sequence[tuple[str, Type]]) -> Tally:
    """Writes rows as a new data file `path` below `root`, and tallies it.

    `rows` has the named columns, as integers, floats, booleans or text; their order in the file is that of `columns`.
    Raises `OSError` if the file cannot be written.
    """
    specials_found, longest = set[bytes](), 0
    slice_bytes, written = (SHORT_SLICE_BYTES, short_lines) if are_short(rows, columns) else (SLICE_BYTES, lines)

    def parts() -> Iterator[memoryview]:
        nonlocal longest
        for part in rows.iter_slices(max(1, rows.height * slice_bytes // max(1, int(rows.estimated_size())))):
            content, longest_of_part = written(part, columns, specials_found)
            longest = max(longest, longest_of_part)
            yield content

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


def are_short(rows: pl.DataFrame, columns: Sequence[tuple[str, Type]]) -> bool:
    """Whether rows are like those of most relationships: a few integers and short texts, none of which is null."""

    def fits(values: pl.Series, type: Type) -> bool:
        if type is Type.LONG:
            return values.dtype.is_integer()
        return type is Type.STRING and not values.null_count() and largest(values.str.len_bytes()) <= SHORT_TEXT

    return len(columns) <= SHORT and all(fits(rows[name], type) for name, type in columns)


def short_lines(
    rows: pl.DataFrame, columns: Sequence[tuple[str, Type]], specials_found: set[bytes]
) -> tuple[memoryview, int]:
    """As `lines`, for rows that are short: by the CSV writer, which quotes every text (null, too), and for these takes
    half the time. The length of the longest line is an upper bound."""
    content, longest = io.BytesIO(), len(columns)
    for name, type in columns:
        specials = specials_in(rows[name]) if type is Type.STRING else frozenset()
        specials_found |= specials
        longest += LONGEST_LONG if type is Type.LONG else 2 + largest(rows[name].str.len_bytes()) * (1 + bool(specials))
    rows.select(name for name, _ in columns).write_csv(content, include_header=False, quote_style="non_numeric")
    return content.getbuffer(), longest


def lines(
    rows: pl.DataFrame, columns: Sequence[tuple[str, Type]], specials_found: set[bytes]
) -> tuple[memoryview, int]:
    """The bytes of rows as lines, and the length of the longest. Adds the quotes and line breaks found in their texts
    to `specials_found`."""
    texts = rows.select(line(rows, columns, specials_found).alias("line")).to_series()
    return text_bytes(texts), largest(texts.str.len_bytes())


def line(rows: pl.DataFrame, columns: Sequence[tuple[str, Type]], specials_found: set[bytes]) -> pl.Expr:
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

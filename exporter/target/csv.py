"""The CSV dialect that comes back from Neo4j byte for byte.

The dialect (neo4j-facts.md): UTF-8, `\\n`, commas; a null is nothing; every string is quoted with quotes doubled, the
empty string is `""`; numbers, booleans and temporals are bare.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from exporter.model.vocabulary import Type
from exporter.stopwatch import WRITE, Stopwatch
from exporter.target.files import FileRecord, write_file

LINE_BREAK = "[\n\r]"


@dataclass(frozen=True, slots=True)
class Written:
    """A data file's record, whether a value in it holds a line break, and how many values each column has."""

    record: FileRecord
    multiline: bool
    values: dict[str, int]


def write_data(
    root: Path, path: Path, rows: pl.DataFrame, columns: list[tuple[str, Type]], watch: Stopwatch
) -> Written:
    """Writes rows (columns in this order; integers, booleans, text) as a new data file `path` below `root`."""
    strings = [name for name, type in columns if type is Type.STRING]
    content = io.BytesIO()
    with watch.on(WRITE):
        multiline = any(rows[name].str.contains(LINE_BREAK).any() for name in strings)
        quoted = rows.select(quote(name) if name in strings else pl.col(name) for name, _ in columns)
        quoted.write_csv(content, include_header=False, quote_style="never")
    record = write_file(root, path, content.getbuffer(), rows.height, watch)
    return Written(record, multiline, {name: rows.height - rows[name].null_count() for name, _ in columns})


def quote(name: str) -> pl.Expr:
    """A string column in quotes, quotes inside doubled; null stays null."""
    text = pl.col(name)
    return pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"')).alias(name)


def write_rejects(root: Path, path: Path, rejects: pl.DataFrame, watch: Stopwatch) -> FileRecord:
    """Writes reject lines with a header row; a null is nothing, the empty string is `""`."""
    content = io.BytesIO()
    with watch.on(WRITE):
        rejects.write_csv(content, quote_style="necessary")
    return write_file(root, path, content.getbuffer(), rejects.height, watch)

"""The CSV dialect that comes back from Neo4j byte for byte, and files that only their owner can read.

The dialect (neo4j-facts.md): UTF-8, `\\n`, commas; a null is nothing; every string is quoted with quotes doubled, the
empty string is `""`; numbers, booleans and temporals are bare.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from exporter.model.vocabulary import Type

LINE_BREAK = "[\n\r]"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A written data file as the manifest lists it; `path` is relative to the export."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """A data file's record, whether a value in it holds a line break, and how many values each column has."""

    record: FileRecord
    multiline: bool
    values: dict[str, int]


def write_data(root: Path, path: Path, rows: pl.DataFrame, columns: list[tuple[str, Type]]) -> Written:
    """Writes rows (columns in this order; integers, booleans, text) as a new data file `path` below `root`."""
    strings = [name for name, type in columns if type is Type.STRING]
    multiline = any(rows[name].str.contains(LINE_BREAK).any() for name in strings)
    quoted = rows.select(quote(name) if name in strings else pl.col(name) for name, _ in columns)
    content = io.BytesIO()
    quoted.write_csv(content, include_header=False, quote_style="never")
    record = write_file(root, path, content.getbuffer(), rows.height)
    return Written(record, multiline, {name: rows.height - rows[name].null_count() for name, _ in columns})


def quote(name: str) -> pl.Expr:
    """A string column in quotes, quotes inside doubled; null stays null."""
    text = pl.col(name)
    return pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"')).alias(name)


def write_rejects(root: Path, path: Path, rejects: pl.DataFrame) -> FileRecord:
    """Writes reject lines with a header row; a null is nothing, the empty string is `""`."""
    content = io.BytesIO()
    rejects.write_csv(content, quote_style="necessary")
    return write_file(root, path, content.getbuffer(), rejects.height)


def write_file(root: Path, path: Path, content: bytes | memoryview, rows: int = 0) -> FileRecord:
    """Writes a new file (0600, in directories of 0700), through to the disk, and gives its record."""
    target = root / path
    make_directories(root, path.parent)
    # O_EXCL and O_NOFOLLOW: never through a link that somebody left there.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return FileRecord(path.as_posix(), rows, len(content), hashlib.sha256(content).hexdigest())


def make_directories(root: Path, folder: Path) -> None:
    """Makes a folder below `root` and its parents, each 0700."""
    for parent in (*reversed(folder.parents), folder):
        (root / parent).mkdir(mode=0o700, exist_ok=True)

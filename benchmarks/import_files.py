"""The data of an export in other files: joined, split, quoted or ordered in another way, with other types.

A rewriting keeps every row and every value that is not null, so that the importer must count the same. It holds one
data file in memory, as columns of raw fields.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exporter.sink.layout import ARGUMENTS

# The raw values of each column, by the column's field in the header (`created_at:datetime`).
Columns = dict[str, list[bytes]]

FIELD = re.compile(rb'("(?:[^"]|"")*"|[^",\n]*)[,\n]')
NEEDS_QUOTES = re.compile(rb'[",\n\r]')
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
MANY = 16


@dataclass(frozen=True, slots=True)
class Input:
    """What the importer reads one entity from: `--nodes=Customer`, the header and the data files."""

    option: str
    header: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How the files become others: what happens to a file's columns, and into how many files an entity's go."""

    change: Callable[[Columns], Columns] | None = None
    parts: int | None = None


def inputs(export: Path) -> tuple[dict[str, str], list[Input]]:
    """The options of an export's import.args, and its entities with absolute paths."""
    options, entities = {}, []
    for line in (export / ARGUMENTS).read_text(encoding="utf-8").splitlines():
        name, _, value = line.rpartition("=")
        if name.startswith(("--nodes=", "--relationships=")):
            header, *files = (export / path for path in value.split(","))
            entities.append(Input(name, header, tuple(files)))
        else:
            options[name] = value
    return options, entities


def rewrite(entities: list[Input], rewriting: Rewriting, directory: Path) -> list[Input]:
    """Writes the entities' files anew into a new directory; gives the same entities with these files."""
    return [rewrite_entity(entity, rewriting, directory / str(number)) for number, entity in enumerate(entities)]


def rewrite_entity(entity: Input, rewriting: Rewriting, directory: Path) -> Input:
    directory.mkdir(parents=True)
    fields = entity.header.read_text(encoding="utf-8").strip().split(",")
    parts = [file.read_bytes() for file in entity.files]
    if rewriting.parts:
        parts = split(fields, b"".join(parts), rewriting.parts)
    if rewriting.change:
        parts = [text(rewriting.change(columns(fields, part))) for part in parts]
        fields = list(rewriting.change(columns(fields, b"")))
    header, files = directory / "header.csv", []
    header.write_text(",".join(fields) + "\n", encoding="utf-8")
    for number, part in enumerate(parts, start=1):
        files.append(directory / f"part-{number:04d}.csv")
        files[-1].write_bytes(part)
    return Input(entity.option, header, tuple(files))


def columns(fields: list[str], part: bytes) -> Columns:
    """The raw values of a data file by column."""
    values = FIELD.findall(part)
    found = {field: values[place :: len(fields)] for place, field in enumerate(fields)}
    if text(found) != part:
        raise SystemExit(f"a data file does not hold the columns {', '.join(fields)} in the exporter's dialect")
    return found


def text(values: Columns) -> bytes:
    return b"".join(b",".join(row) + b"\n" for row in zip(*values.values(), strict=True))


def split(fields: list[str], content: bytes, parts: int) -> list[bytes]:
    """The rows in about equal parts, none of them empty but the only one."""
    if parts == 1:
        return [content]
    rows = list(zip(*columns(fields, content).values(), strict=True))
    size = -(-len(rows) // parts) or 1
    return [
        b"".join(b",".join(row) + b"\n" for row in rows[start : start + size]) for start in range(0, len(rows), size)
    ] or [b""]


def kind(field: str) -> str:
    """`datetime` of `created_at:datetime`; `key` of IDs, starts and ends."""
    name = field.partition(":")[2]
    return "key" if "ID" in name else name


def bare_strings(values: Columns) -> Columns:
    """Quotes only around what could not be read without them, the empty string included."""

    def bare(value: bytes) -> bytes:
        inner = value[1:-1]
        return inner if value[:1] == b'"' and inner and not NEEDS_QUOTES.search(inner) else value

    return {field: [bare(value) for value in column] for field, column in values.items()}


def one_line(values: Columns) -> Columns:
    """Blanks for line breaks."""
    blanks = bytes.maketrans(b"\n\r", b"  ")
    return {field: [value.translate(blanks) for value in column] for field, column in values.items()}


def strings_first(values: Columns) -> Columns:
    """Keys, then strings, then all else."""
    return dict(sorted(values.items(), key=lambda item: (kind(item[0]) != "key", kind(item[0]) != "string")))


def strings_last(values: Columns) -> Columns:
    """Keys, then numbers and times, then strings."""
    return dict(sorted(values.items(), key=lambda item: (kind(item[0]) != "key", kind(item[0]) == "string")))


def epoch_times(values: Columns) -> Columns:
    """Each datetime as a long, microseconds since 1970; 0 beyond Python's years, since only the time counts."""

    def epoch(value: bytes) -> bytes:
        try:
            return b"%d" % ((datetime.fromisoformat(value.decode()) - EPOCH) // MICROSECOND) if value else value
        except ValueError:
            return b"0"

    return retyped(values, "datetime", "long", epoch)


def text_times(values: Columns) -> Columns:
    """Each datetime as a string, not parsed."""
    return retyped(values, "datetime", "string", lambda value: value)


def short_integers(values: Columns) -> Columns:
    """Each long that is no key as an int; 0 for what does not fit, as above."""

    def short(value: bytes) -> bytes:
        return value if not value or -(2**31) <= int(value) < 2**31 else b"0"

    return retyped(values, "long", "int", short)


def retyped(values: Columns, old: str, new: str, convert: Callable[[bytes], bytes]) -> Columns:
    """The columns, those of a type with another one and their values converted."""
    return {
        field.removesuffix(old) + new if kind(field) == old else field: (
            [convert(value) for value in column] if kind(field) == old else column
        )
        for field, column in values.items()
    }


REWRITINGS = {
    "joined": Rewriting(parts=1),
    "split": Rewriting(parts=MANY),
    "bare strings": Rewriting(bare_strings),
    "one line": Rewriting(one_line),
    "strings first": Rewriting(strings_first),
    "strings last": Rewriting(strings_last),
    "epoch times": Rewriting(epoch_times),
    "text times": Rewriting(text_times),
    "short integers": Rewriting(short_integers),
}

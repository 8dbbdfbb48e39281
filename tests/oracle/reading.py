"""A small strict reader of an export: import.args, headers, data files, rejects; the dialect is neo4j-facts.md's."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .expected import Reject, Value

# A quoted field with its quotes doubled, or a bare one; then what ends it.
FIELD = re.compile(r'(?:"((?:[^"]+|"")*)"|([^",\r\n]*))(,|\n)')
COLUMN = re.compile(r"(?P<name>\w*)(?::(?P<type>\w+))?(?:\((?P<space>\w+)\))?(?:\{id-type:(?P<id_type>\w+)\})?")
REJECT_COLUMNS = ["reason", "table", "column", "key", "value", "references"]

BARE = {
    "long": re.compile(r"0|-?[1-9][0-9]*"),
    "double": re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|Infinity)|NaN"),
    "boolean": re.compile(r"true|false"),
    "datetime": re.compile(r"(-?\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z"),
    "date": re.compile(r"-?\d{4}-\d\d-\d\d"),
    "localtime": re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?"),
}


class FormError(Exception):
    """The file is not what the dialect or the header says."""


@dataclass(frozen=True, slots=True)
class Column:
    """A header's column: its property name, its type or role (ID, START_ID, END_ID), its ID space."""

    name: str
    type: str
    space: str
    id_type: str


@dataclass(slots=True)
class ImportFiles:
    """What import.args says: options in their order, and for each entity its header and data files."""

    options: list[str] = field(default_factory=list)
    nodes: dict[str, list[Path]] = field(default_factory=dict)
    relationships: list[tuple[str, list[Path]]] = field(default_factory=list)


def read_fields(path: Path) -> Iterator[list[tuple[str | None, bool]]]:
    """Each row of a CSV file as (value, was it quoted); an empty bare field is null."""
    text = path.read_bytes().decode("utf-8")
    position, row = 0, list[tuple[str | None, bool]]()
    while position < len(text):
        match = FIELD.match(text, position)
        if match is None:
            raise FormError(f"{path.name}: no field at character {position}: {text[position : position + 40]!r}")
        quoted, bare, end = match.groups()
        row.append((quoted.replace('""', '"'), True) if quoted is not None else (bare or None, False))
        position = match.end()
        if end == "\n":
            yield row
            row = []
    if row:
        raise FormError(f"{path.name}: the last line does not end")


def read_header(path: Path) -> list[Column]:
    """The columns of a header file; a column without a type is a string."""
    (line,) = path.read_text(encoding="utf-8").splitlines()
    columns = []
    for text in line.split(","):
        match = COLUMN.fullmatch(text)
        if match is None:
            raise FormError(f"{path.name}: column {text!r}")
        columns.append(Column(match["name"], match["type"] or "string", match["space"] or "", match["id_type"] or ""))
    return columns


def canonical(type_: str, text: str) -> str:
    """The text of a value, fractions of a second as six digits; a value that its type does not allow is an error."""
    if type_ == "string":
        return text
    match = BARE[type_].fullmatch(text)
    if match is None:
        raise FormError(f"not a {type_}: {text!r}")
    if type_ == "datetime":
        year, month, day, hour, minute, second, fraction = match.groups()
        return f"{year}-{month}-{day}T{hour}:{minute}:{second}.{(fraction or '').ljust(6, '0')}Z"
    if type_ == "localtime":
        return f"{match[1]}:{match[2]}:{match[3]}.{(match[4] or '').ljust(6, '0')}"
    return text


def read_import_args(export: Path) -> ImportFiles:
    """The arguments as neo4j-admin takes them: one a line, quoted as a whole where they hold a blank."""
    files = ImportFiles()
    for line in (export / "import.args").read_text(encoding="utf-8").splitlines():
        argument = line[1:-1] if line.startswith('"') and line.endswith('"') else line
        kind, _, rest = argument.partition("=")
        if kind not in ("--nodes", "--relationships"):
            if files.nodes or files.relationships:
                raise FormError(f"import.args: the option {kind} stands after --nodes or --relationships")
            files.options.append(argument)
            continue
        name, _, paths = rest.partition("=")
        found = [path for part in paths.split(",") for path in _matching(export, part)]
        if kind == "--nodes":
            files.nodes.setdefault(name, []).extend(found)
        else:
            files.relationships.append((name, found))
    return files


def _matching(export: Path, part: str) -> list[Path]:
    """The files that a part of an argument names; its last component is a regular expression."""
    folder, pattern = (export / part).parent, re.compile((export / part).name)
    found = sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))
    if not found:
        raise FormError(f"import.args names {part}, which is not there")
    return found


def read_entity(paths: list[Path]) -> tuple[list[Column], list[tuple[str, dict[str, Value]]]]:
    """A header with its data files: the columns, and each row's identity and non-null properties."""
    columns = read_header(paths[0])
    rows = []
    for path in paths[1:]:
        for number, fields in enumerate(read_fields(path), 1):
            if len(fields) != len(columns):
                raise FormError(f"{path.name} line {number}: {len(fields)} fields for {len(columns)} columns")
            rows.append(_read_row(columns, fields))
    return columns, rows


def _read_row(columns: list[Column], fields: list[tuple[str | None, bool]]) -> tuple[str, dict[str, Value]]:
    identity, properties = [], {}
    for column, (text, quoted) in zip(columns, fields, strict=True):
        is_key = column.type.endswith("ID")
        type_ = (column.id_type or "string") if is_key else column.type
        if is_key:
            if text is None:
                raise FormError(f"a row without {column.type}")
            identity.append(text)
        if text is None or not column.name:
            continue
        if quoted and type_ != "string":
            raise FormError(f"the {type_} {column.name} is quoted")
        properties[column.name] = Value(type_, canonical(type_, text))
    return " -> ".join(identity), properties


def read_rejects(folder: Path) -> Counter[Reject]:
    """The lines of all reject files of an entity."""
    found: Counter[Reject] = Counter()
    for path in sorted(folder.glob("*.csv")) if folder.is_dir() else ():
        lines = list(read_fields(path))
        if [text for text, _ in lines[0]] != REJECT_COLUMNS:
            raise FormError(f"{path.name}: the header row is {lines[0]}")
        for line in lines[1:]:
            reason, table, column, key, value, references = (text for text, _ in line)
            found[Reject(reason or "", table or "", column or "", key or "", value, references or "")] += 1
    return found

"""What a manifest says, read back from an export: it may come from another machine, another day or another version."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from exporter.errors import LimitError
from exporter.sink.layout import MANIFEST
from exporter.sink.manifest import FORMAT, UNREPRESENTABLE


@dataclass(frozen=True, slots=True)
class Node:
    """A label: its nodes, their property values in all and by property, and the rejects by reason."""

    label: str
    rows: int
    properties: int
    property_counts: dict[str, int]
    rejects: dict[str, int]

    @property
    def name(self) -> str:
        return self.label

    @property
    def folder(self) -> str:
        return f"nodes/{self.label}"

    @property
    def counted(self) -> int:
        """The rows of its table (contract.md: every row is accounted for)."""
        return self.rows + left_out(self.rejects)


@dataclass(frozen=True, slots=True)
class Relationship:
    """A pattern, with the same numbers."""

    start: str
    type: str
    end: str
    rows: int
    properties: int
    property_counts: dict[str, int]
    no_target: int
    rejects: dict[str, int]

    @property
    def name(self) -> str:
        return f"({self.start})-[{self.type}]->({self.end})"

    @property
    def folder(self) -> str:
        return f"relationships/{self.start}-{self.type}-{self.end}"

    @property
    def counted(self) -> int:
        """The rows of its table."""
        return self.rows + self.no_target + left_out(self.rejects)


@dataclass(frozen=True, slots=True)
class File:
    """A data file."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over all entities and files."""

    nodes: int
    relationships: int
    properties: int
    bytes: int
    rejects: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where an export came from."""

    database: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of a manifest that can be compared with something."""

    format: int
    started_at: datetime
    finished_at: datetime
    source: Source
    nodes: list[Node]
    relationships: list[Relationship]
    files: list[File]
    totals: Totals

    @property
    def entities(self) -> list[Node | Relationship]:
        return [*self.nodes, *self.relationships]


def left_out(rejects: dict[str, int]) -> int:
    """How many rows rejects stand for: an unrepresentable value loses no row."""
    return sum(count for reason, count in rejects.items() if reason != UNREPRESENTABLE)


def read_manifest(export: Path) -> Manifest:
    """The manifest of an export; raises LimitError when it is missing, not of our format or not of our making."""
    try:
        content = json.loads((export / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise LimitError(f"{MANIFEST} is missing") from None
    except ValueError:
        raise LimitError(f"{MANIFEST} is no JSON") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise LimitError(f"{MANIFEST} has format {found}, and this program reads format {FORMAT}")
    try:
        return TypeAdapter(Manifest).validate_python(content)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise LimitError(f"{MANIFEST} is not what this program writes: see {where}") from None

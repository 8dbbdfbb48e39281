"""manifest.json (contract.md, The manifest): what an export holds. One type for writing and reading it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, TypeAdapter, ValidationError

from exporter.errors import DifferenceError
from exporter.model.vocabulary import Entity, Node
from exporter.sink import layout
from exporter.sink.files import FileRecord, is_plain
from exporter.sink.tally import SkippedIndex, Tally, rows_left_out, skipped_indexes
from exporter.text import visible

FORMAT = 1


def timestamp(moment: datetime) -> str:
    """A time as the manifest writes it: UTC, with microseconds, such as 2026-11-23T03:15:01.250000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Timestamp = Annotated[datetime, PlainSerializer(timestamp)]


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that wrote the export."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Model:
    """The graph model, by the SHA-256 of its canonical JSON."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where and when the export was read; never a user or a password.

    `identity` tells one source from another; exports of version 1.0 have none.
    """

    database: str
    server_version: str
    host: str
    identity: str | None = field(default=None, kw_only=True)
    snapshot_at: Timestamp
    wal_lsn: str


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that shaped the contents: the time zone of timestamps without one, and mapped names."""

    timezone: str
    tables: dict[str, str]
    columns: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A label: its nodes, their non-null property values in total and by property, and its rejects by reason."""

    label: str
    table: str
    rows: int
    properties: int
    property_counts: dict[str, int]
    rejects: dict[str, int]

    @property
    def name(self) -> str:
        """As in folders and headers: AuthUser."""
        return self.label

    @property
    def pattern(self) -> str:
        """As in messages, which for a label is the same."""
        return self.label

    @property
    def folder(self) -> str:
        """The folder of its data files, and below rejects/ of its reject files."""
        return f"{layout.NODES}/{self.name}"

    @property
    def table_rows(self) -> int:
        """The rows of its table in the snapshot (contract.md: every row is accounted for)."""
        return self.rows + rows_left_out(self.rejects)


@dataclass(frozen=True, slots=True)
class RelationshipEntry:
    """A pattern, with the same numbers; `no_target` counts the rows without a target."""

    start: str
    type: str
    end: str
    table: str
    rows: int
    properties: int
    property_counts: dict[str, int]
    no_target: int
    rejects: dict[str, int]

    @property
    def name(self) -> str:
        """As in folders and headers: Customer-HAS_AUTH-AuthUser."""
        return f"{self.start}-{self.type}-{self.end}"

    @property
    def pattern(self) -> str:
        """As in messages: (Customer)-[HAS_AUTH]->(AuthUser)."""
        return f"({self.start})-[{self.type}]->({self.end})"

    @property
    def folder(self) -> str:
        """The folder of its data files, and below rejects/ of its reject files."""
        return f"{layout.RELATIONSHIPS}/{self.name}"

    @property
    def table_rows(self) -> int:
        """The rows of its table in the snapshot."""
        return self.rows + self.no_target + rows_left_out(self.rejects)


EntityEntry = NodeEntry | RelationshipEntry


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over all entities and data files."""

    nodes: int
    relationships: int
    properties: int
    bytes: int
    rejects: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a manifest says about the run, besides what was written."""

    tool: Tool
    model: Model
    source: Source
    options: Options
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest. Its fields, in this order, are the keys of the file."""

    format: int
    tool: Tool
    model: Model
    source: Source
    options: Options
    started_at: Timestamp
    finished_at: Timestamp
    nodes: list[NodeEntry]
    relationships: list[RelationshipEntry]
    files: list[FileRecord]
    totals: Totals
    skipped_indexes: list[SkippedIndex] = field(default_factory=list)

    @property
    def entities(self) -> list[EntityEntry]:
        """Labels, then patterns, in import order."""
        return [*self.nodes, *self.relationships]


_MANIFEST = TypeAdapter(Manifest)


def make_manifest(tallies: Mapping[str, Tally], metadata: Metadata) -> Manifest:
    """The manifest of an export, from the tally of each entity by its name."""
    entries = [entry(entity, tallies[entity.name]) for entity in layout.entities()]
    nodes = [entry for entry in entries if isinstance(entry, NodeEntry)]
    relationships = [entry for entry in entries if isinstance(entry, RelationshipEntry)]
    files = [record for entity in layout.entities() for record in tallies[entity.name].files]
    totals = Totals(
        nodes=sum(node.rows for node in nodes),
        relationships=sum(relationship.rows for relationship in relationships),
        properties=sum(entry.properties for entry in entries),
        bytes=sum(file.bytes for file in files),
        rejects=sum(sum(entry.rejects.values()) for entry in entries),
    )
    return Manifest(
        FORMAT, metadata.tool, metadata.model, metadata.source, metadata.options, metadata.started_at,
        metadata.finished_at, nodes, relationships, files, totals, skipped_indexes(tallies),
    )  # fmt: skip


def entry(entity: Entity, tally: Tally) -> EntityEntry:
    """The entry of a label or pattern. A label's key counts as a property; a pair and both ends of a pattern do not."""
    keys = entity.key_properties if isinstance(entity, Node) else ()
    values = {prop.name: tally.values[prop.name] for prop in (*keys, *entity.properties)}
    properties, rejects = sum(values.values()), dict(sorted(tally.rejects.items()))
    if isinstance(entity, Node):
        return NodeEntry(entity.label, entity.table, tally.rows, properties, values, rejects)
    return RelationshipEntry(
        entity.start, entity.type, entity.end, entity.table, tally.rows, properties, values, tally.no_target, rejects
    )


def manifest_json(manifest: Manifest) -> bytes:
    """The content of manifest.json: UTF-8, indented by two spaces, with a final newline."""
    return _MANIFEST.dump_json(manifest, indent=2) + b"\n"


def read_manifest(export: Path) -> Manifest:
    """The manifest of an export, which may come from another machine or another version.

    Raises `DifferenceError` if it is missing, not a plain file, of another format, or not as this program writes it;
    `OSError` if it cannot be read.
    """
    path = export / layout.MANIFEST
    if path.exists() and not is_plain(path):
        raise DifferenceError(f"{layout.MANIFEST} is not a plain file")
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DifferenceError(f"{layout.MANIFEST} is missing") from None
    except (ValueError, RecursionError):
        raise DifferenceError(f"{layout.MANIFEST} is not JSON") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        other = visible(str(found))
        raise DifferenceError(f"{layout.MANIFEST} has format {other}, and this program reads format {FORMAT}")
    try:
        return _MANIFEST.validate_python(content)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise DifferenceError(f"{layout.MANIFEST} is not what this program writes: see {visible(where)}") from None

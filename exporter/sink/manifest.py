"""manifest.json (contract.md, The manifest): what an export holds. One type for writing and reading it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from exporter.errors import DifferenceError
from exporter.sink import layout
from exporter.sink.copies import RedactionEntry, Timestamp, WindowEntry, copy_lines
from exporter.sink.entries import EntityEntry, NodeEntry, RelationshipEntry, entry
from exporter.sink.files import FileRecord, is_plain
from exporter.sink.tally import SkippedIndex, Tally, skipped_indexes
from exporter.text import visible, visible_json

# A copy is a window of the source, or masked. Programs that know no copies refuse its format, instead of taking it for
# the whole source.
FAITHFUL, COPY = 1, 2


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
class ClusterEntry:
    """By how many workers on how many machines a cluster read the source."""

    workers: int
    hosts: int


def is_absent(value: object) -> bool:
    return value is None


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that shaped the contents: the time zone of timestamps without one, and mapped names. `cluster` is
    only there if one read the source."""

    timezone: str
    tables: dict[str, str]
    columns: dict[str, dict[str, str]]
    cluster: Annotated[ClusterEntry | None, Field(exclude_if=is_absent)] = None


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
    window: WindowEntry | None = None
    redaction: RedactionEntry | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest. Its fields, in this order, are the keys of the file.

    `window` and `redaction` are None in exports of version 1.1 and before, and in faithful ones.
    """

    format: int
    tool: Tool
    model: Model
    source: Source
    options: Options
    window: WindowEntry | None = field(default=None, kw_only=True)
    redaction: RedactionEntry | None = field(default=None, kw_only=True)
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

    @property
    def is_copy(self) -> bool:
        """Whether it is not the whole source, or not as it is there: a window, or masked."""
        return self.format == COPY

    @property
    def copy_lines(self) -> list[str]:
        """What makes it a copy, as sentences without a full stop; none for a faithful export."""
        return [text for text, _ in copy_lines(self.window, self.redaction)]


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
        COPY if metadata.window or metadata.redaction else FAITHFUL,
        metadata.tool, metadata.model, metadata.source, metadata.options, metadata.started_at, metadata.finished_at,
        nodes, relationships, files, totals, skipped_indexes(tallies),
        window=metadata.window, redaction=metadata.redaction,
    )  # fmt: skip


def manifest_json(manifest: Manifest) -> bytes:
    """The content of manifest.json: UTF-8, indented by two spaces, with a final newline; safe to print."""
    return visible_json(_MANIFEST.dump_json(manifest, indent=2, by_alias=True).decode()).encode() + b"\n"


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
        json.dumps(content, ensure_ascii=False).encode()  # half a character, which JSON can hold, cannot be said
    except FileNotFoundError:
        raise DifferenceError(f"{layout.MANIFEST} is missing") from None
    except (ValueError, RecursionError):
        raise DifferenceError(f"{layout.MANIFEST} is not JSON") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found not in (FAITHFUL, COPY):
        other = visible(str(found))
        formats = f"formats {FAITHFUL} and {COPY}"
        raise DifferenceError(f"{layout.MANIFEST} has format {other}, and this program reads {formats}")
    try:
        manifest = _MANIFEST.validate_python(content)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise DifferenceError(f"{layout.MANIFEST} is not what this program writes: see {visible(where)}") from None
    if manifest.is_copy != bool(manifest.window or manifest.redaction):
        raise DifferenceError(f"{layout.MANIFEST} has format {found}, which is not that of its window and redaction")
    return manifest

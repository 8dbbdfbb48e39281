"""The paths of an export (contract.md, An export): the only module that builds its file names."""

from pathlib import Path

from exporter.model.graph import GRAPH
from exporter.model.tables import ordered_relationships
from exporter.model.vocabulary import Entity, Node


def entities() -> list[Entity]:
    """Every label and pattern, in the import order of graph-model.md: labels first."""
    return [*GRAPH.nodes, *ordered_relationships()]


PARTIAL = ".partial-"
# What a pull has fetched so far, for the next one to go on with.
PULLING = f"{PARTIAL}pull-"
REJECTED = "rejected-"
# The last faithful export and the last copy.
LATEST, LATEST_COPY = "latest", "latest-copy"
LOCK = ".lock"
MANIFEST = "manifest.json"
COUNTS = "counts.tsv"
CHECKSUMS = "SHA256SUMS"
ARGUMENTS = "import.args"
IMPORT_SCRIPT = "import.sh"
VERIFY_SCRIPT = "verify.sh"
SCHEMA = "schema.cypher"
REPORT = "report.html"
HEADERS = "headers"
# The folders of the data files, and below rejects/, of the reject files.
NODES, RELATIONSHIPS = "nodes", "relationships"
# The archive of an export is beside it, with its name and one of these suffixes; the second is encrypted.
ARCHIVES = (".tar.zst", ".tar.zst.age")
REJECTS = "rejects"
# Not part of an export, there while it is partial: what the workers write, their key index, and their heartbeats.
ATTEMPTS = "attempts"
KEY_INDEX = "key-index"
HEARTBEATS = "key-index/heartbeats"


def archive_file(export: Path, *, encrypted: bool) -> Path:
    """The archive of an export."""
    return export.with_name(f"{export.name}{ARCHIVES[encrypted]}")


def archives(export: Path) -> list[Path]:
    """The archives of an export that exist."""
    return [path for encrypted in (False, True) if (path := archive_file(export, encrypted=encrypted)).is_file()]


def header_file(entity: Entity) -> Path:
    """The header of an entity."""
    return Path(HEADERS, f"{entity.name}.csv")


def data_folder(entity: Entity) -> Path:
    """The folder of an entity's data files."""
    return Path(NODES if isinstance(entity, Node) else RELATIONSHIPS, entity.name)


def data_file(entity: Entity, chunk: int) -> Path:
    """The data file of an entity's chunk, numbered from 1; 0 is the empty file of an entity without rows."""
    return data_folder(entity) / f"part-{chunk:04d}.csv"


def rejects_file(entity: Entity, chunk: int) -> Path:
    """The reject file of an entity's chunk."""
    return REJECTS / data_file(entity, chunk)

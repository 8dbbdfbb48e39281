"""The exports below an output directory: which exist, and what their manifests say."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exporter.errors import DifferenceError, UsageError
from exporter.sink import layout
from exporter.sink.manifest import Manifest, read_manifest

STAMP = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True, slots=True)
class PublishedExport:
    """A published export: its directory, its manifest unless unreadable, and its archive if there is one."""

    directory: Path
    manifest: Manifest | None
    archive: Path | None = None

    @property
    def begun_at(self) -> datetime:
        """When the export began (UTC): its directory's name."""
        return datetime.strptime(self.directory.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def fault(self) -> str:
        """What is wrong with its manifest, in a sentence; empty if nothing is."""
        try:
            read_manifest(self.directory)
        except DifferenceError as error:
            return str(error)
        except OSError as error:
            return f"{layout.MANIFEST} cannot be read: {error.strerror}"
        return ""


def directories(output: Path) -> list[Path]:
    """The published exports below an output directory, oldest first. Raises `UsageError` if it cannot be read."""
    try:
        found = [path for path in output.iterdir() if STAMP.fullmatch(path.name) and path.is_dir()]
    except OSError as error:
        raise UsageError(f"cannot read {output}: {error.strerror}; name another with --output") from None
    return sorted(found)


def exports(output: Path) -> list[PublishedExport]:
    """The published exports with their manifests, oldest first. Raises as `directories` does."""
    return [
        PublishedExport(directory, readable_manifest(directory), next(iter(layout.archives(directory)), None))
        for directory in directories(output)
    ]


def recent(output: Path, database: str, most: int) -> list[PublishedExport]:
    """The last exports of a source database whose manifests are readable, at most `most`, oldest first.

    Only the newest exports are considered, twice as many as are wanted. Raises as `directories` does.
    """
    newest = [PublishedExport(path, readable_manifest(path)) for path in directories(output)[-2 * most :]]
    return [export for export in newest if export.manifest and export.manifest.source.database == database][-most:]


def readable_manifest(export: Path) -> Manifest | None:
    """An export's manifest; None if it is missing, damaged or unreadable."""
    try:
        return read_manifest(export)
    except (DifferenceError, OSError):
        return None


def find(output: Path, name: str) -> Manifest:
    """The manifest of an export. Raises as `find_directory` does, and `DifferenceError` if it is damaged."""
    return read_manifest(find_directory(output, name))


def find_directory(output: Path, name: str) -> Path:
    """The directory of an export: by its name below an output directory (`latest` too), or by its path.

    Raises `UsageError` if there is none.
    """
    for directory in (output / name, Path(name)):
        if (directory / layout.MANIFEST).is_file():
            return directory
    raise UsageError(f"there is no export {name} in {output}; `exporter runs` lists them")

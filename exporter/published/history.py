"""The exports below an output directory: which exist, what their manifests say, and which can be compared."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exporter.errors import DifferenceError, UsageError
from exporter.invocation import command
from exporter.published.extent import WHOLE, Extent, extent_of, same_extent
from exporter.sink import layout
from exporter.sink.manifest import Manifest, read_manifest
from exporter.text import visible

STAMP = re.compile(r"\d{8}T\d{6}Z")
# How many of the newest exports are looked through for comparable ones: reading a manifest takes a few milliseconds.
LOOKED_THROUGH = 60


@dataclass(frozen=True, slots=True)
class PublishedExport:
    """A published export: its directory, its manifest unless unreadable, and its archive if there is one."""

    directory: Path
    manifest: Manifest | None
    archive: Path | None = None

    @property
    def begun_at(self) -> datetime:
        """When the export began (UTC): its directory's name."""
        return begun_at(self.directory.name)

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


def begun_at(stamp: str) -> datetime:
    """The moment (UTC) that names an export."""
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def is_stamp(name: str) -> bool:
    """Whether a name is the moment that names an export."""
    try:
        return bool(STAMP.fullmatch(name) and begun_at(name))
    except ValueError:
        return False


def directories(output: Path) -> list[Path]:
    """The published exports below an output directory, oldest first. Raises `UsageError` if it cannot be read."""
    try:
        found = [path for path in output.iterdir() if is_stamp(path.name) and path.is_dir()]
    except OSError as error:
        raise UsageError(f"cannot read {output}: {error.strerror}; name another with --output") from None
    return sorted(found)


def kept_rejects(output: Path) -> list[Path]:
    """The reject files that were kept of runs with more rejects than --max-rejects allows, oldest first."""
    kept = [path for path in output.glob(f"{layout.REJECTED}*") if path.is_dir()]
    return sorted(path for path in kept if is_stamp(path.name.removeprefix(layout.REJECTED)))


def latest(output: Path, link: str = layout.LATEST) -> Path | None:
    """The export that `latest` (or `latest-copy`) leads to; None if it leads to none of this directory, or this user
    may not look.

    An export may be a link to where it was moved.
    """
    target = (output / link).resolve()
    try:
        found = directories(output) if target.is_dir() else []
    except (OSError, UsageError):
        return None
    return next((export for export in found if export.resolve() == target), None)


def exports(output: Path) -> list[PublishedExport]:
    """The published exports with their manifests, oldest first. Raises as `directories` does."""
    return [
        PublishedExport(directory, readable_manifest(directory), next(iter(layout.archives(directory)), None))
        for directory in directories(output)
    ]


def recent(
    output: Path, identity: str | None, model: str, most: int, *, extent: Extent = WHOLE
) -> list[PublishedExport]:
    """The last exports that can be compared with one of this source, this graph model (its SHA-256) and this extent, at
    most `most`, oldest first; none for a source without an identity. Raises as `directories` does."""
    found: list[PublishedExport] = []
    for directory in reversed(directories(output)[-LOOKED_THROUGH:] if identity else []):
        manifest = readable_manifest(directory)
        same = manifest and (manifest.source.identity, manifest.model.sha256) == (identity, model)
        if manifest and same and same_extent(extent_of(manifest), extent):
            found.append(PublishedExport(directory, manifest))
        if len(found) == most:
            break
    return found[::-1]


def comparable(one: Manifest, other: Manifest) -> bool:
    """Whether the numbers of two exports can be compared: they have the same source, graph model and extent."""
    return same_source(one, other) and one.model == other.model and same_extent(extent_of(one), extent_of(other))


def same_source(one: Manifest, other: Manifest) -> bool:
    """Whether two exports are of the same source, as far as their manifests say: older exports do not."""
    return one.source.identity is not None and one.source.identity == other.source.identity


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
    hint = copy_instead(output / name)
    raise UsageError(f"there is no export {visible(name)} in {output}; `{command()} runs` lists them{hint}")


def copy_instead(latest: Path) -> str:
    """The end of a sentence about an export that is not there: where the last copy is, for somebody who has made
    nothing but copies and asks for `latest`."""
    last_copy = latest.with_name(layout.LATEST_COPY)
    return f"; the last copy is {layout.LATEST_COPY}" if latest.name == layout.LATEST and last_copy.exists() else ""

"""The exports below an output directory: which there are, what changed from one to another, and which are kept."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exporter.errors import LimitError, UsageError
from exporter.sink import layout
from exporter.sink.contents import Manifest, Node, Relationship, read_manifest
from exporter.sink.publish import locked, remove

STAMP = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True, slots=True)
class PublishedExport:
    """A published export: its directory, its manifest unless that cannot be read, and its archive if there is one."""

    directory: Path
    manifest: Manifest | None
    archive: Path | None = None

    @property
    def begun_at(self) -> datetime:
        """When it began: its stamp."""
        return datetime.strptime(self.directory.name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def fault(self) -> str:
        """What is wrong with its manifest."""
        try:
            read_manifest(self.directory)
        except LimitError as error:
            return str(error)
        except OSError as error:
            return f"{layout.MANIFEST} cannot be read: {error.strerror}"
        return ""


@dataclass(frozen=True, slots=True)
class Change:
    """A label or pattern in two exports; where one of them has none, 0."""

    name: str
    rows_before: int
    rows_after: int
    rejects_before: int
    rejects_after: int

    @property
    def changed(self) -> bool:
        return (self.rows_before, self.rejects_before) != (self.rows_after, self.rejects_after)


def directories(output: Path) -> list[Path]:
    """The published exports below an output directory, oldest first. Raises `UsageError` where it cannot be read."""
    try:
        found = [path for path in output.iterdir() if STAMP.fullmatch(path.name) and path.is_dir()]
    except OSError as error:
        raise UsageError(f"cannot read {output}: {error.strerror}; name another with --output") from None
    return sorted(found)


def exports(output: Path) -> list[PublishedExport]:
    """The published exports with their manifests, oldest first."""
    return [
        PublishedExport(directory, readable_manifest(directory), next(iter(layout.archives(directory)), None))
        for directory in directories(output)
    ]


def recent(output: Path, database: str, most: int) -> list[PublishedExport]:
    """The last exports of a source database whose manifests can be read, oldest first; no other manifest is read than
    those of twice as many."""
    runs = [PublishedExport(directory, readable_manifest(directory)) for directory in directories(output)[-2 * most :]]
    return [run for run in runs if run.manifest and run.manifest.source.database == database][-most:]


def readable_manifest(export: Path) -> Manifest | None:
    """An export's manifest, unless it is missing or damaged."""
    try:
        return read_manifest(export)
    except (LimitError, OSError):
        return None


def find(output: Path, name: str) -> Manifest:
    """The manifest of an export. Raises as `find_directory` does, and `LimitError` where it is damaged."""
    return read_manifest(find_directory(output, name))


def find_directory(output: Path, name: str) -> Path:
    """The export of this name below an output directory (`latest` too), or in this directory. Raises `UsageError` where
    there is none."""
    for directory in (output / name, Path(name)):
        if (directory / layout.MANIFEST).is_file():
            return directory
    raise UsageError(f"there is no export {name} in {output}; `exporter runs` lists them")


def changes(before: Manifest, after: Manifest) -> list[Change]:
    """Every label and pattern of two exports, in the order of the later one."""
    old, new = ({entity.name: entity for entity in manifest.entities} for manifest in (before, after))
    made = []
    for name in dict.fromkeys([*new, *old]):
        (rows_before, rejects_before), (rows_after, rejects_after) = (numbers(each.get(name)) for each in (old, new))
        made.append(Change(name, rows_before, rows_after, rejects_before, rejects_after))
    return made


def numbers(entity: Node | Relationship | None) -> tuple[int, int]:
    """Rows and rejects."""
    return (entity.rows, sum(entity.rejects.values())) if entity else (0, 0)


def prune(output: Path, keep: int, needed: Collection[str] = ()) -> list[Path]:
    """Removes all but the newest `keep` exports with their archives, never the one that is `latest` nor one whose name
    is needed, and rejects kept from before the oldest export that stays; gives what was removed, oldest first.

    A directory loses its name before its files: what bears a stamp is whole. An archive goes before its directory: one
    that stands alone is somebody's, and stays. Raises `BusyError` when an export runs.
    """
    directories(output)  # one that is not there is not made for the lock's sake
    with locked(output):
        everything = directories(output)
        kept = {*everything[-keep:], (output / layout.LATEST).resolve(), *(output / name for name in needed)}
        removed = [each for each in everything if each not in kept and each.resolve() not in kept]
        left = [each.name for each in everything if each not in removed]
        rejected = sorted(output.glob(f"{layout.REJECTED}*"))
        removed += [each for each in rejected if left and each.name.removeprefix(layout.REJECTED) < left[0]]
        removed = [path for directory in removed for path in (*layout.archives(directory), directory)]
        for path in removed:
            doomed = output / f"{layout.PARTIAL}{path.name}"
            path.rename(doomed)
            remove(doomed)
    return removed

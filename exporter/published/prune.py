"""Which exports are kept, and the removal of the others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import UsageError
from exporter.published.history import directories, kept_rejects, latest, readable_manifest
from exporter.sink import layout
from exporter.sink.publish import locked, remove


@dataclass(frozen=True, slots=True)
class Removal:
    """An export, an archive or kept rejects that are to go or have gone, and the bytes of their files."""

    path: Path
    bytes: int


def prune(output: Path, keep: int, needed: Collection[str] = ()) -> list[Removal]:
    """Removes all but the newest `keep` faithful exports and the newest `keep` copies, each with its archives, and
    returns what was removed, oldest first: copies never push out what a graph is recovered from.

    Never removes the `latest` export or the `latest-copy`, nor one whose name is in `needed`. Kept rejects are removed
    if they are older than the oldest remaining export; an archive without its export is the user's, and is left alone.
    Raises `UsageError` if the directory cannot be read or something in it not removed, `BusyError` if an export is
    running.
    """
    directories(output)  # before the lock, which would create a missing directory
    with locked(output):
        return [remove_for_good(removal) for removal in outdated(output, keep, needed)]


def outdated(output: Path, keep: int, needed: Collection[str] = ()) -> list[Removal]:
    """What `prune` would remove now. Raises `UsageError` if the directory cannot be read."""
    exports = outdated_exports(output, keep, needed)
    # An archive is removed before its directory: alone, it would look like the user's.
    paths = [path for export in exports for path in (*layout.archives(export), export)]
    return [Removal(path, size(path)) for path in (*paths, *outdated_rejects(output, exports))]


def outdated_exports(output: Path, keep: int, needed: Collection[str]) -> list[Path]:
    """The exports to remove, oldest first."""
    kinds: dict[bool, list[Path]] = {True: [], False: []}
    for export in directories(output):
        kinds[is_copy(export)].append(export)
    named = {latest(output), latest(output, layout.LATEST_COPY), *(output / name for name in needed)}
    kept = {*named, *(export for exports in kinds.values() for export in exports[-keep:])}
    return [export for export in directories(output) if export not in kept]


def is_copy(export: Path) -> bool:
    """Whether an export is a copy; one whose manifest cannot be read counts as faithful."""
    manifest = readable_manifest(export)
    return manifest is not None and manifest.is_copy


def outdated_rejects(output: Path, outdated: Collection[Path]) -> list[Path]:
    """The kept rejects that are older than every remaining export; none if no export remains."""
    staying = [export.name for export in directories(output) if export not in outdated]
    rejects = kept_rejects(output) if staying else []
    return [path for path in rejects if path.name.removeprefix(layout.REJECTED) < staying[0]]


def remove_for_good(removal: Removal) -> Removal:
    """Removes it, and returns it with the bytes that this freed. Raises `UsageError` if that is not allowed."""
    trash = removal.path.with_name(f"{layout.PARTIAL}{removal.path.name}")
    try:
        # The name is removed before the files: a directory named by a stamp is complete.
        removal.path.rename(trash)
        remove(trash)
    except OSError as error:
        raise UsageError(f"cannot remove {removal.path}: {error.strerror}; run this as its owner") from None
    return Removal(removal.path, removal.bytes - size(trash))


def size(path: Path) -> int:
    """The bytes of a file, or of all files below a directory; 0 for what does not exist or cannot be read."""
    files = [path] if path.is_symlink() or path.is_file() else path.rglob("*")
    try:
        return sum(file.lstat().st_size for file in files if file.is_symlink() or file.is_file())
    except OSError:
        return 0


def removals_object(removals: Sequence[Removal], *, dry_run: bool) -> dict[str, object]:
    """The object of `exporter prune --json` (docs/settings.md)."""
    return {
        "dry_run": dry_run,
        "removed": [{"path": str(removal.path), "bytes": removal.bytes} for removal in removals],
        "bytes": sum(removal.bytes for removal in removals),
    }

"""Which exports are kept, and the removal of the others."""

from collections.abc import Collection
from pathlib import Path

from exporter.published.history import directories
from exporter.sink import layout
from exporter.sink.publish import locked, remove


def prune(output: Path, keep: int, needed: Collection[str] = ()) -> list[Path]:
    """Removes all but the newest `keep` exports, each with its archives, and gives what was removed, oldest first.

    Never the export that is `latest`, nor one whose name is in `needed`. Kept rejects go when they are older than the
    oldest export that stays; an archive without its export is somebody else's, and stays. Raises `UsageError` where the
    directory cannot be read, `BusyError` when an export is running.
    """
    directories(output)  # before the lock, which would make a directory that does not exist
    with locked(output):
        outdated = outdated_exports(output, keep, needed)
        outdated += outdated_rejects(output, outdated)
        # An archive goes before its directory: alone, it would look like somebody else's.
        removed = [path for directory in outdated for path in (*layout.archives(directory), directory)]
        for path in removed:
            # The name goes before the files: what has a stamp for a name is complete.
            trash = output / f"{layout.PARTIAL}{path.name}"
            path.rename(trash)
            remove(trash)
    return removed


def outdated_exports(output: Path, keep: int, needed: Collection[str]) -> list[Path]:
    """The exports that are to go, oldest first."""
    exports = directories(output)
    kept = {*exports[-keep:], (output / layout.LATEST).resolve(), *(output / name for name in needed)}
    return [export for export in exports if export not in kept and export.resolve() not in kept]


def outdated_rejects(output: Path, outdated: Collection[Path]) -> list[Path]:
    """The kept rejects that are older than every export that stays; none where no export stays."""
    staying = [export.name for export in directories(output) if export not in outdated]
    kept_rejects = sorted(output.glob(f"{layout.REJECTED}*"))
    return [path for path in kept_rejects if staying and path.name.removeprefix(layout.REJECTED) < staying[0]]

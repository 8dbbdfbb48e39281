"""Which exports are kept, and the removal of the others."""

from collections.abc import Collection
from pathlib import Path

from exporter.published.history import directories
from exporter.sink import layout
from exporter.sink.publish import locked, remove


def prune(output: Path, keep: int, needed: Collection[str] = ()) -> list[Path]:
    """Removes all but the newest `keep` exports, each with its archives, and returns what was removed, oldest first.

    Never removes the `latest` export, nor one whose name is in `needed`. Kept rejects are removed if they are older
    than the oldest remaining export; an archive without its export is the user's, and is left alone. Raises
    `UsageError` if the directory cannot be read, `BusyError` if an export is running.
    """
    directories(output)  # before the lock, which would create a missing directory
    with locked(output):
        outdated = outdated_exports(output, keep, needed)
        outdated += outdated_rejects(output, outdated)
        # The archive is removed before its directory: alone, it would look like the user's.
        removed = [path for directory in outdated for path in (*layout.archives(directory), directory)]
        for path in removed:
            # The name is removed before the files: a directory named by a stamp is complete.
            trash = output / f"{layout.PARTIAL}{path.name}"
            path.rename(trash)
            remove(trash)
    return removed


def outdated_exports(output: Path, keep: int, needed: Collection[str]) -> list[Path]:
    """The exports to remove, oldest first."""
    exports = directories(output)
    kept = {*exports[-keep:], (output / layout.LATEST).resolve(), *(output / name for name in needed)}
    return [export for export in exports if export not in kept and export.resolve() not in kept]


def outdated_rejects(output: Path, outdated: Collection[Path]) -> list[Path]:
    """The kept rejects that are older than every remaining export; none if no export remains."""
    staying = [export.name for export in directories(output) if export not in outdated]
    kept_rejects = sorted(output.glob(f"{layout.REJECTED}*"))
    return [path for path in kept_rejects if staying and path.name.removeprefix(layout.REJECTED) < staying[0]]

"""Where each run of a task writes, and how its files become the export's.

A task that is lost with its worker may run again elsewhere, and a worker that was cut off may write on. So every run
writes below a directory of its own, an attempt, and the leader renames the files of the one whose result it has. What
is removed is renamed first: from then on nobody finds it by its path, and only the leader makes it.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from exporter.sink import layout
from exporter.sink.files import make_directories


def prepare(export: Path) -> None:
    """Makes what the workers need in a partial export."""
    for path in (layout.ATTEMPTS, layout.HEARTBEATS):
        make_directories(export, Path(path))


def begin(export: Path) -> Path:
    """A new attempt's directory below a partial export. Raises `OSError`, as when that is there no more."""
    attempt = export / layout.ATTEMPTS / os.urandom(16).hex()
    attempt.mkdir(mode=0o700)
    return attempt


def written(attempt: Path) -> tuple[str, ...]:
    """The files of an attempt: paths relative to it, as they will be in the export. Raises `OSError` if it is there no
    more: the run has ended without it."""

    def fail(error: OSError) -> None:
        raise error

    found = (Path(folder, name) for folder, _, names in os.walk(attempt, onerror=fail) for name in names)
    return tuple(sorted(path.relative_to(attempt).as_posix() for path in found))


def adopt(export: Path, attempt: str, paths: Iterable[str]) -> None:
    """Renames these files of an attempt, by its directory's name, into the export, and removes the attempt. Raises
    `OSError`."""
    source = export / layout.ATTEMPTS / attempt
    for path in paths:
        try:
            (source / path).rename(export / path)
        except FileNotFoundError:
            make_directories(export, Path(path).parent)
            (source / path).rename(export / path)
    shutil.rmtree(source, ignore_errors=True)


def discard(export: Path) -> None:
    """Removes what is no part of the export: all attempts and the key index."""
    for name in (layout.ATTEMPTS, layout.KEY_INDEX):
        removed = export.with_name(f"{export.name}.{name}")
        with suppress(FileNotFoundError):
            (export / name).rename(removed)
        shutil.rmtree(removed, ignore_errors=True)

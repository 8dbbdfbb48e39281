"""Where each run of a task writes, and how its files become the export's.

A task that is lost with its worker may run again elsewhere, and a worker that was cut off may write on. So every run
writes below a directory of its own, an attempt, and the leader renames the files of the one whose result it has. What
is removed is renamed first: from then on nobody finds it by its path, and only the leader makes it.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from exporter.sink import layout
from exporter.sink.files import FileRecord, make_directories, walk

# Between the parts of a path in the name of a file of an attempt, which thus needs no directories: they would take more
# time than the files.
SEPARATOR = "%"


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
    found = (f"{folder}/{name}" for folder, _, names in walk(attempt) for name in names)
    above = len(f"{attempt}/")
    return tuple(sorted(path[above:].replace(SEPARATOR, "/") for path in found))


def flat(path: str | Path) -> str:
    """Where below an attempt a file of the export is. The key index has directories there, too: few tasks write it."""
    text = str(path)
    return text if text.startswith(f"{layout.KEY_INDEX}/") else text.replace("/", SEPARATOR)


def unflat(record: FileRecord) -> FileRecord:
    """The record of a file of an attempt as that of a file of the export."""
    return replace(record, path=record.path.replace(SEPARATOR, "/"))


def adopt(export: Path, attempt: str, paths: Iterable[str]) -> None:
    """Renames these files of an attempt, by its directory's name, into the export, and removes the attempt. Raises
    `OSError`."""
    source = export / layout.ATTEMPTS / attempt
    for path in paths:
        try:
            (source / flat(path)).rename(export / path)
        except FileNotFoundError:
            make_directories(export, Path(path).parent)
            (source / flat(path)).rename(export / path)
    try:
        source.rmdir()
    except OSError:
        shutil.rmtree(source, ignore_errors=True)


def discard(export: Path) -> None:
    """Removes what is no part of the export: all attempts and the key index."""
    for name in (layout.ATTEMPTS, layout.KEY_INDEX):
        removed = export.with_name(f"{export.name}.{name}")
        with suppress(FileNotFoundError):
            (export / name).rename(removed)
        shutil.rmtree(removed, ignore_errors=True)

"""Files of an export: new, readable by their owner alone, on the disk before they count, and recorded."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from exporter.pipeline.timing import WRITE, TaskTimer


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A written data file as the manifest lists it; `path` is relative to the export."""

    path: str
    rows: int
    bytes: int
    sha256: str


def write_file(
    root: Path, path: Path, content: bytes | memoryview, rows: int = 0, watch: TaskTimer | None = None
) -> FileRecord:
    """Writes a new file as `write_parts` does."""
    return write_parts(root, path, [content], rows, watch or TaskTimer(path.name))


def write_parts(root: Path, path: Path, parts: Iterable[bytes | memoryview], rows: int, watch: TaskTimer) -> FileRecord:
    """Writes a new file (0600, in directories of 0700) part by part, not yet through to the disk, and gives its
    record."""
    make_directories(root, path.parent)
    digest, length, waiting = hashlib.sha256(), 0, iter(parts)
    with open_new(root / path) as file:
        while True:
            with watch.on(WRITE):
                if (part := next(waiting, None)) is None:
                    break
                file.write(part)
            with watch.on(WRITE):
                digest.update(part)
            length += len(part)
    return FileRecord(path.as_posix(), rows, length, digest.hexdigest())


class Flusher:
    """Brings files that others wrote through to the disk, on a thread of its own. Measured: where workers wait for the
    disk themselves, a run takes 3 to 10 % longer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.thread = ThreadPoolExecutor(1)
        self.waiting: list[Future[None]] = []

    def add(self, records: Iterable[FileRecord]) -> None:
        self.waiting += [self.thread.submit(sync, self.root / record.path) for record in records]

    def finish(self) -> float:
        """Waits until all files are on the disk; gives the seconds that took. Raises `OSError` when one cannot be
        brought there."""
        began = time.monotonic()
        for each in self.waiting:
            each.result()
        return time.monotonic() - began

    def end(self) -> None:
        """Lets go of files that still wait."""
        self.thread.shutdown(cancel_futures=True)


def sync(path: Path) -> None:
    """Makes a file, or a directory's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file (0600) to write; it is through to the disk when the block ends."""
    with open_new(path) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def open_new(path: Path) -> BinaryIO:
    # O_EXCL and O_NOFOLLOW: never through a link that somebody left there.
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def make_directories(root: Path, folder: Path) -> None:
    """Makes a folder below `root` and its parents, each 0700."""
    for parent in (*reversed(folder.parents), folder):
        (root / parent).mkdir(mode=0o700, exist_ok=True)

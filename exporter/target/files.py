"""Files of an export: new, readable by their owner alone, on the disk before they count, and recorded."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from exporter.stopwatch import HASH, WRITE, Stopwatch


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A written data file as the manifest lists it; `path` is relative to the export."""

    path: str
    rows: int
    bytes: int
    sha256: str


def write_file(
    root: Path, path: Path, content: bytes | memoryview, rows: int = 0, watch: Stopwatch | None = None
) -> FileRecord:
    """Writes a new file (0600, in directories of 0700), through to the disk, and gives its record."""
    watch = watch or Stopwatch(path.name)
    target = root / path
    with watch.on(WRITE):
        make_directories(root, path.parent)
        # O_EXCL and O_NOFOLLOW: never through a link that somebody left there.
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    with watch.on(HASH):
        sha256 = hashlib.sha256(content).hexdigest()
    return FileRecord(path.as_posix(), rows, len(content), sha256)


def make_directories(root: Path, folder: Path) -> None:
    """Makes a folder below `root` and its parents, each 0700."""
    for parent in (*reversed(folder.parents), folder):
        (root / parent).mkdir(mode=0o700, exist_ok=True)

"""Disks that are full, and files that may not be long."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def no_file_above(kilobytes: int) -> list[str]:
    """The command under which no file may be longer."""
    return ["bash", "-c", f'ulimit -f {kilobytes} && exec "$@"', "bash"]


@contextmanager
def small_disk(place: Path, megabytes: int = 1) -> Iterator[list[str]]:
    """A small file system at `place` while the block runs, or the command that comes nearest where none can be had."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield [] if mounted else no_file_above(64)
    finally:
        if mounted:
            subprocess.run(["umount", place], check=True)

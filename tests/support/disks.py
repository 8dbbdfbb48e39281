"""Disks that are full, and a limit on the size of files."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def no_file_above(kilobytes: int) -> list[str]:
    """The beginning of a command that cannot write a longer file."""
    return ["bash", "-c", f'ulimit -f {kilobytes} && exec "$@"', "bash"]


@contextmanager
def small_disk(directory: Path, megabytes: int = 1) -> Iterator[list[str]]:
    """A small file system on `directory` while the block runs. Yields what a command must begin with: nothing, or where
    nothing can be mounted, a limit on the size of files."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", directory]
    mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield [] if mounted else no_file_above(64)
    finally:
        if mounted:
            subprocess.run(["umount", directory], check=True)

"""A hot standby of the embedded server."""

import os
import subprocess
from pathlib import Path

from benchmarks.database import psql_directory


def base_backup(primary: str, directory: Path, owner: int) -> None:
    """A copy of a running server's data, with the same owner, which follows the server when it is started."""
    os.chown(directory, owner, -1)
    subprocess.run(
        [psql_directory() / "pg_basebackup", "-D", directory, "-R", "-c", "fast", "-d", primary],
        check=True,
        capture_output=True,
        cwd="/",
        user=owner if os.geteuid() == 0 else None,
    )
    for lock in directory.glob(".s.PGSQL.*"):
        lock.unlink()

"""Directories for exports: whether one can be written into, found out without writing, and making one."""

import os
from pathlib import Path

from exporter.errors import UsageError
from exporter.sink import layout, permissions

REMEDY = "choose another --output"


def make_directory(directory: Path, group: int | None, remedy: str = REMEDY) -> None:
    """Creates a directory for exports if its parent exists, accessible to a group if given. Raises `UsageError`, with
    a remedy, if nothing can be written there."""
    try:
        missing = not directory.exists()
        directory.mkdir(mode=0o700, exist_ok=True)
        if missing and group is not None:
            permissions.open_directory(directory, group)
    except FileNotFoundError:
        raise UsageError(f"{directory.parent} does not exist; create it, or {remedy}") from None
    except FileExistsError:
        pass  # a file, which is refused next
    except OSError as error:
        raise UsageError(f"cannot create {directory}: {error.strerror}; {remedy}") from None
    check_writable(directory, remedy)


def check_writable(directory: Path, remedy: str = REMEDY) -> None:
    """Raises `UsageError`, with a remedy, if no export can be written into a directory that exists."""
    if not directory.is_dir():
        raise UsageError(f"{directory} is not a directory; {remedy}")
    if (directory / layout.MANIFEST).exists() and (directory / layout.CHECKSUMS).exists():
        raise UsageError(f"{directory} is an export itself; {remedy}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"{directory} is not writable; {remedy}")


def check_directory(output: Path) -> None:
    """Raises `UsageError` if exports cannot be written into an output directory that exists."""
    check_writable(output)
    for latest in (output / layout.LATEST, output / layout.LATEST_COPY):
        if latest.exists() and not latest.is_symlink():
            raise UsageError(f"{latest} is not a link; move it, or {REMEDY}")


def check_output(output: Path, group: str | None = None) -> None:
    """Raises `UsageError` where `publish.partial_export` would refuse an output directory or a group. Creates
    nothing."""
    group_id = permissions.group_id(group) if group else None
    parent = output.absolute().parent
    try:
        if output.exists():
            check_directory(output)
            if group and group_id is not None:
                permissions.check_group_access(output, group_id, group)
        elif not parent.is_dir():
            raise UsageError(f"{parent} does not exist; create it, or {REMEDY}")
        elif not os.access(parent, os.W_OK | os.X_OK):
            raise UsageError(f"cannot create {output}: {parent} is not writable; {REMEDY}")
    except OSError as error:
        raise UsageError(f"cannot use {output}: {error.strerror}; {REMEDY}") from None

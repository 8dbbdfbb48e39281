"""Whether exports can be written into an output directory, found out without writing."""

import os
from pathlib import Path

from exporter.errors import UsageError
from exporter.sink import layout, permissions


def check_directory(output: Path) -> None:
    """Raises `UsageError` if exports cannot be written into an output directory that exists."""
    if not output.is_dir():
        raise UsageError(f"{output} is not a directory; choose another --output")
    for latest in (output / layout.LATEST, output / layout.LATEST_COPY):
        if latest.exists() and not latest.is_symlink():
            raise UsageError(f"{latest} is not a link; move it, or choose another --output")
    if not os.access(output, os.W_OK | os.X_OK):
        raise UsageError(f"{output} is not writable; choose another --output")


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
            raise UsageError(f"{parent} does not exist; create it, or choose another --output")
        elif not os.access(parent, os.W_OK | os.X_OK):
            raise UsageError(f"cannot create {output}: {parent} is not writable; choose another --output")
    except OSError as error:
        raise UsageError(f"cannot use {output}: {error.strerror}; choose another --output") from None

"""Who may read an export: only its owner, or with `--group` also a group once it is complete."""

import grp
import os
from pathlib import Path

from exporter.errors import UsageError
from exporter.sink.files import walk

GROUP_DIRECTORY, GROUP_FILE = 0o750, 0o640


def group_id(name: str) -> int:
    """The id of a group. Raises `UsageError` if no group has this name, or if this user is neither a member nor root,
    and so cannot give files to it."""
    try:
        id_ = grp.getgrnam(name).gr_gid
    except KeyError:
        raise UsageError(
            f"there is no group {name}; --group takes the name of a group, such as that of Neo4j's user"
        ) from None
    if os.geteuid() != 0 and id_ not in {os.getegid(), *os.getgroups()}:
        raise UsageError(f"you are not in the group {name}, so you cannot give it an export; join it and log in again")
    return id_


def open_directory(directory: Path, group: int) -> None:
    """Lets a group list and enter a directory: 0750."""
    os.chown(directory, -1, group)
    directory.chmod(GROUP_DIRECTORY)


def open_export(directory: Path, group: int) -> None:
    """Lets a group read an export: files 0640, directories 0750, each durable."""
    for folder, _, names in walk(directory):
        for name in names:
            descriptor = os.open(Path(folder, name), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fchown(descriptor, -1, group)
                os.fchmod(descriptor, GROUP_FILE)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        open_directory(Path(folder), group)


def check_group_access(output: Path, group: int, name: str) -> None:
    """Raises `UsageError` if the group called `name` may not enter an output directory."""
    status = output.stat()
    allowed = status.st_mode & (0o010 if status.st_gid == group else 0o001)
    if not allowed:
        raise UsageError(
            f"the group {name} may not enter {output}, so it could not read an export there; allow it: "
            f"chgrp {name} {output} && chmod g+rx {output}"
        )

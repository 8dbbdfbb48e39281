"""Objects fetched into files: which a pull still needs, and the transfer of one."""

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from rich.filesize import decimal

from exporter.errors import DifferenceError, RunError
from exporter.published.checksums import parse_checksums
from exporter.published.storage import Storage
from exporter.published.transfers import Advance, Job
from exporter.sink.files import make_directories, new_file, special_files
from exporter.sink.layout import CHECKSUMS
from exporter.sink.publish import remove


def listed_files(content: bytes, sizes: Mapping[str, int]) -> dict[str, str]:
    """The files of a SHA256SUMS with their checksums. Raises `DifferenceError` for one that is malformed (a path that
    leads outside is), that lists what no directory can hold, or a file that is not among the objects, whose `sizes`
    these are."""
    sums = parse_checksums(content)
    folders = {str(parent) for name in sums for parent in Path(name).parents}
    if CHECKSUMS in sums or folders & sums.keys():
        raise DifferenceError(f"{CHECKSUMS} lists what no directory can hold")
    if lost := [f"{name}: missing" for name in sums if name not in sizes]:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise DifferenceError("; ".join(lost[:3]) + more)
    return sums


def begin(partial: Path, content: bytes) -> None:
    """Makes the directory to fetch into with its SHA256SUMS; what an earlier pull of the same export, by the same user,
    has left there stays."""
    if is_own(partial) and not special_files(partial):
        checksums = partial / CHECKSUMS
        if checksums.is_file() and checksums.read_bytes() == content:
            return
    remove(partial)
    partial.mkdir(mode=0o700)
    with new_file(partial / CHECKSUMS) as file:
        file.write(content)


def is_own(directory: Path) -> bool:
    """Whether a path is a directory that nobody but this user could write into."""
    try:
        status = directory.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def present_files(partial: Path, sums: Mapping[str, str]) -> set[str]:
    """The files that an earlier pull has fetched whole, which are private again; whatever else is there is removed."""
    present = set()
    folders = {folder.as_posix() for name in sums for folder in Path(name).parents} - {"."}
    partial.chmod(0o700)
    for path in sorted(partial.rglob("*")):
        name = path.relative_to(partial).as_posix()
        if name in folders and path.is_dir():
            path.chmod(0o700)
        elif name == CHECKSUMS or (name in sums and path.is_file() and digest_of(path) == sums[name]):
            path.chmod(0o600)
            present.add(name)
        else:
            remove(path)
    return present - {CHECKSUMS}


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_space(directory: Path, needed: int) -> None:
    """Raises `RunError` if a directory's disk has not so many bytes free."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise RunError(
            f"{directory} has {decimal(free)} free, and {decimal(needed)} are to come: make room, or choose another "
            "directory"
        )


def fetching(storage: Storage, name: str, path: Path, size: int, sha256: str | None) -> Job[None]:
    """The transfer of an object into a new file, private and durable. It raises `DifferenceError` if the object is
    gone, or not what its size and its checksum, if it has one, say."""

    def fetch(advance: Advance) -> None:
        path.unlink(missing_ok=True)  # of an attempt that failed
        digest, done = hashlib.sha256(), 0
        with new_file(path) as file:
            try:
                for part in storage.read(name):
                    file.write(part)
                    digest.update(part)
                    done += len(part)
                    advance(done)
            except FileNotFoundError:
                raise DifferenceError(f"{name}: missing") from None
        if done != size or sha256 not in (None, digest.hexdigest()):
            raise DifferenceError(f"{name}: changed, it is not what its checksum says")

    return fetch


def fetching_all(
    storage: Storage, partial: Path, missing: Mapping[str, int], sums: Mapping[str, str]
) -> dict[str, Job[None]]:
    """The transfers of an export's objects into files of their names; makes the folders."""
    for folder in {Path(name).parent for name in missing}:
        make_directories(partial, folder)
    return {name: fetching(storage, name, partial / name, size, sums[name]) for name, size in missing.items()}

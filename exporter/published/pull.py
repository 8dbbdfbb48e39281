"""An export copied out of object storage: every file compared with its checksum, and the directory named last."""

import errno
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import DifferenceError, ExporterError, RunError, UsageError
from exporter.interrupts import disable_interrupts
from exporter.published.checksums import listing_differences
from exporter.published.fetching import begin, check_space, fetching, fetching_all, listed_files, present_files
from exporter.published.history import is_stamp
from exporter.published.latest import read_latest
from exporter.published.storage import Storage, open_storage
from exporter.published.storage_errors import StorageError
from exporter.published.transfers import Result, Show, ask, transfer
from exporter.sink import permissions
from exporter.sink.files import sync, walk
from exporter.sink.layout import ARCHIVES, CHECKSUMS, LATEST, LATEST_COPY, LOCK, PULLING
from exporter.sink.lock import hold_lock
from exporter.sink.manifest import Manifest, read_manifest
from exporter.sink.output import make_directory
from exporter.sink.publish import remove
from exporter.storage_url import StorageUrl

AGAIN = "run this again, and it goes on where it stopped"
REMEDY = "choose another directory"
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was pulled from where: the directory of an export with its manifest, or an archive without; `fetched` are
    the files that had not come before, with their bytes."""

    path: Path
    url: StorageUrl
    manifest: Manifest | None
    files: int
    bytes: int
    fetched: int
    fetched_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is pulled to: its final path, the hidden one until it is whole, and the group that may read
    it."""

    final: Path
    group: int | None

    @property
    def partial(self) -> Path:
        return self.final.with_name(f"{PULLING}{self.final.name}")

    def prepare(self) -> None:
        """Raises `UsageError` if what is to be pulled is there; removes what pulls of something else have left."""
        if self.final.exists() or self.final.is_symlink():
            raise UsageError(f"{self.final} exists: compare it by `exporter verify`, or remove it to pull it again")
        for stale in self.final.parent.glob(f"{PULLING}*"):
            if stale != self.partial:
                remove(stale)

    def complete(self) -> None:
        """Makes what was pulled durable and gives it its name. From the rename on, signals no longer stop the run."""
        if self.group is not None and self.partial.is_dir():
            permissions.open_export(self.partial, self.group)
        elif self.group is not None:
            os.chown(self.partial, -1, self.group)
            self.partial.chmod(permissions.GROUP_FILE)
        for folder, _, _ in walk(self.partial) if self.partial.is_dir() else ():
            sync(Path(folder))
        disable_interrupts()
        self.partial.rename(self.final)
        with suppress(OSError):  # it is there: there is no way back
            sync(self.final.parent)


def pull(url: StorageUrl, directory: Path, show: Show, group: str | None = None) -> Pulled:
    """Copies an export, or an archive, from a URL into a directory, where it gets its own name once it is whole.

    The URL is that of an export or an archive; or that of a prefix, with or without `latest` or `latest-copy` below it,
    for the newest export there. A `group` may read it. What has come when a transfer fails stays, hidden, for the next
    pull. Raises `UsageError` if there is nothing to pull or no place for it, `DifferenceError` for what is not whole,
    `BusyError` if something is running there, `StorageError` and `RunError` if it fails.
    """
    group_id = permissions.group_id(group) if group else None
    make_directory(directory, group_id, REMEDY)
    if group and group_id is not None:
        permissions.check_group_access(directory, group_id, group)
    busy = f"an export, or another pull, is running on {directory}; wait for it, or {REMEDY}"
    with hold_lock(directory / LOCK, busy=busy, remedy=REMEDY):
        pull_one = pull_archive if url.name.endswith(ARCHIVES) else pull_export
        found = url if pull_one is pull_archive else find_export(url)
        place = Place(directory / found.name, group_id)
        place.prepare()
        try:
            return pull_one(found, place, show)
        except DifferenceError as error:
            remove(place.partial)
            raise DifferenceError(f"{found} is not whole, so nothing was pulled: {error}") from None
        except OSError as error:
            if error.errno in FULL:
                remove(place.partial)
                raise RunError(f"the disk of {directory} is full, so nothing was pulled: make room") from None
            raise RunError(f"cannot write to {directory}: {error.strerror}; {AGAIN}") from None


def find_export(url: StorageUrl) -> StorageUrl:
    """The URL of an export: this one, or that of the export which latest.json, or latest-copy.json, leads to."""
    if is_stamp(url.name):
        return url
    link, prefix = (url.name, url.parent) if url.name in (LATEST, LATEST_COPY) else (LATEST, url)
    storage, name = open_storage(prefix), f"{link}.json"
    found = first_answer(storage, lambda: storage.find(name))
    if found is None:
        raise UsageError(f"there is no {name} in {prefix}{what_is_there(storage)}")
    if pushed := ask(lambda: read_latest(storage, name)):
        return prefix.below(pushed.export)
    raise UsageError(f"{name} in {prefix} is damaged, or of a newer version{what_is_there(storage)}")


def first_answer(storage: Storage, question: Callable[[], Result]) -> Result:
    """The store's answer to a question about one object. A refusal of that has no reason: a list's has, and is raised
    in its place."""
    try:
        return ask(question)
    except StorageError as error:
        if not error.passing:
            ask(lambda: storage.sizes(nested=False))
        raise


def what_is_there(storage: Storage) -> str:
    """The end of a sentence about what is not in a prefix: the exports and archives that are. Raises `StorageError` if
    there is not even a bucket."""
    ask(storage.check_bucket)
    names = ask(lambda: storage.sizes(nested=False))
    exports = sorted(name for name in names if is_stamp(name.partition(".")[0]))
    if not exports:
        return "; no export was pushed there: check the URL"
    return f"; name one of what is there: {', '.join(exports[-3:])}" + (" and older ones" if len(exports) > 3 else "")


def pull_export(url: StorageUrl, place: Place, show: Show) -> Pulled:
    """Pulls the export of this URL."""
    began, storage = time.monotonic(), open_storage(url)
    sizes = ask(storage.sizes)
    content = ask(lambda: storage.read_small(CHECKSUMS))
    if content is None:
        raise not_whole(storage, sizes)
    sums = listed_files(content, sizes)
    begin(place.partial, content)
    present = present_files(place.partial, sums)
    missing = {name: sizes[name] for name in sums if name not in present}
    fetched_bytes = sum(missing.values())
    check_space(place.final.parent, fetched_bytes)
    try:
        with show("Pulling", fetched_bytes) as on_bytes:
            transfer(fetching_all(storage, place.partial, missing, sums), on_bytes)
    except RunError as error:
        raise RunError(f"{error}; {AGAIN}") from None
    if differences := listing_differences(place.partial, sums):
        raise DifferenceError("; ".join(differences[:3]))
    manifest, total = read_manifest(place.partial), sum(sizes[name] for name in sums)
    place.complete()
    seconds = time.monotonic() - began
    return Pulled(place.final, url, manifest, len(sums), total, len(missing), fetched_bytes, seconds)


def pull_archive(url: StorageUrl, place: Place, show: Show) -> Pulled:
    """Pulls one archive as a file; what has come of it when that fails is removed."""
    began, storage = time.monotonic(), open_storage(url.parent)
    found = first_answer(storage, lambda: storage.find(url.name))
    if found is None:
        raise UsageError(f"there is no archive {url}{what_is_there(storage)}")
    remove(place.partial)
    check_space(place.final.parent, found.bytes)
    try:
        with show("Pulling", found.bytes) as on_bytes:
            transfer({url.name: fetching(storage, url.name, place.partial, found.bytes, found.sha256)}, on_bytes)
    except BaseException:
        remove(place.partial)
        raise
    place.complete()
    return Pulled(place.final, url, None, 1, found.bytes, 1, found.bytes, time.monotonic() - began)


def not_whole(storage: Storage, sizes: Mapping[str, int]) -> ExporterError:
    """The error for an export without SHA256SUMS: what there is of it is none."""
    ask(storage.check_bucket)
    if sizes:
        return DifferenceError(f"it has no {CHECKSUMS}, since its push did not end; push it again, or pull another")
    return UsageError(f"there is no export {storage.url}{what_is_there(open_storage(storage.url.parent))}")

"""An export copied into object storage: its data first, its SHA256SUMS last, so that what has one is whole."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from exporter.errors import DifferenceError, RunError, UsageError
from exporter.published.checksums import listing_differences, read_checksums
from exporter.published.history import copy_instead, is_stamp
from exporter.published.latest import LatestPush, check_prefix, latest_name, read_latest
from exporter.published.storage import MOST_S3_BYTES, PART_BYTES, Storage, open_storage
from exporter.published.storage_errors import StorageError, place_of
from exporter.published.transfers import Advance, Job, Show, ask, transfer
from exporter.sink.copies import timestamp
from exporter.sink.files import special_files
from exporter.sink.layout import ARCHIVES, CHECKSUMS, MANIFEST
from exporter.sink.manifest import Manifest, read_manifest
from exporter.storage_url import StorageUrl
from exporter.text import quantity, visible


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of an export, or an archive: its name in the bucket, where it is, its bytes, its SHA-256."""

    name: str
    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was pushed, and to where; `sent` are the objects that were not there yet, with their bytes. `latest` is the
    object that leads to the export now, if one does."""

    url: StorageUrl
    objects: int
    bytes: int
    sent: int
    sent_bytes: int
    seconds: float
    latest: str | None = None


def push(export: Path, url: StorageUrl, show: Show) -> Pushed:
    """Copies an export, or an archive of one, below a URL, and returns what that took.

    Objects that are there already, by their size and SHA-256, are left alone, so that another push goes on where one
    stopped. Raises `UsageError` for what cannot be pushed, `DifferenceError` for an export that is damaged (then, too,
    the bucket has no SHA256SUMS of it), `StorageError` and `RunError` if it fails.
    """
    began = time.monotonic()
    check_prefix(url)
    try:
        if export.is_file():
            return push_archive(export, open_storage(url), show, began)
        return push_export(whole_export(export), open_storage(url), show, began)
    except PermissionError:
        raise
    except OSError as error:
        raise RunError(f"cannot read {error.filename or export}: {error.strerror}; nothing whole was pushed") from None


def push_export(export: Path, storage: Storage, show: Show, began: float) -> Pushed:
    """Pushes a directory: data, manifest, SHA256SUMS, and then what leads to the newest export."""
    manifest, name = read_manifest(export), export.name
    files = files_of(export)
    sums = files[-1]
    sizes = ask(lambda: storage.sizes(name))
    theirs = ask(lambda: storage.read_small(sums.name)) if CHECKSUMS in sizes else None
    if theirs is not None and hashlib.sha256(theirs).hexdigest() != sums.sha256:
        raise UsageError(
            f"{storage.url.below(name)} is another export of the same second, or damaged: push to another prefix, or "
            "remove it"
        )
    missing = missing_objects(storage, {f"{name}/{path}": size for path, size in sizes.items()}, files)
    data = [file for file in missing if file.path.name not in (MANIFEST, CHECKSUMS)]
    last = [[file] for file in missing if file not in data]
    with show("Pushing", sum(file.bytes for file in missing)) as on_bytes:
        sent = 0
        for stage in (data, *last):
            if stage == [sums]:
                check_kept(storage, name, files[:-1])
            jobs = {file.name: sending(storage, file) for file in stage}
            transfer(jobs, lambda done, sent=sent: on_bytes(sent + done))  # type: ignore[misc]
            sent += sum(file.bytes for file in stage)
    if missing:
        check_kept(storage, name, files)
    pushed = LatestPush(name, sums.sha256, timestamp(manifest.source.snapshot_at), timestamp(datetime.now(UTC)))
    latest = lead_to(storage, manifest, pushed)
    return counted(storage.url.below(name), files, missing, began, latest)


def push_archive(archive: Path, storage: Storage, show: Show, began: float) -> Pushed:
    """Pushes an archive as one object, which nothing leads to."""
    name = archive.resolve().name
    stamp = next((name.removesuffix(suffix) for suffix in ARCHIVES if name.endswith(suffix)), "")
    if not is_stamp(stamp):
        raise UsageError(
            f"{archive} is neither the directory of an export nor an archive with the name that it was made with, such "
            f"as 20261123T031500Z{ARCHIVES[0]}"
        )
    size = archive.stat().st_size
    if storage.url.scheme == "s3" and size > MOST_S3_BYTES:
        raise UsageError(f"{archive} is larger than {MOST_S3_BYTES >> 30} GiB, which no object can be: push its export")
    with show("Reading the archive", size) as on_bytes:
        sums = transfer({name: lambda advance: LocalFile(name, archive, size, digest_of(archive, advance))}, on_bytes)
    files = list(sums.values())
    missing = missing_objects(storage, ask(lambda: storage.sizes(nested=False)), files)
    with show("Pushing", sum(file.bytes for file in missing)) as on_bytes:
        transfer({file.name: sending(storage, file) for file in missing}, on_bytes)
    check_kept(storage, "", files)
    return counted(storage.url.below(name), files, missing, began)


def check_kept(storage: Storage, folder: str, files: Sequence[LocalFile]) -> None:
    """Raises `StorageError` if not all files have objects of their sizes: something else than a store may have answered
    that it took them."""
    sizes = ask(lambda: storage.sizes(folder, nested=bool(folder)))
    names = {file.name: file.name.removeprefix(f"{folder}/") for file in files}
    if lost := [names[file.name] for file in files if sizes.get(names[file.name]) != file.bytes]:
        raise StorageError(
            f"{place_of(storage.url)} has not kept {quantity(len(lost), 'object')} that it took, such as {lost[0]}: "
            "check the URL, and what the store says of itself"
        )


def whole_export(export: Path) -> Path:
    """The real path of an export. Raises `UsageError` if it is none that can be pushed, `DifferenceError` if files are
    missing in it, or are there that it does not list."""
    directory = export.resolve()
    if not directory.is_dir():
        raise UsageError(f"there is no export {export}{copy_instead(export)}")
    if not (directory / MANIFEST).is_file() and not (directory / CHECKSUMS).is_file():
        raise UsageError(f"{export} is not an export: it has neither {MANIFEST} nor {CHECKSUMS}")
    if not is_stamp(directory.name):
        raise UsageError(
            f"{export} has not the name that it was made with, such as 20261123T031500Z: give it back, since that is "
            "its name in the bucket"
        )
    if faults := faults_of(directory):
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise DifferenceError(f"{export} is not whole, nothing was pushed: {'; '.join(faults[:3])}{more}")
    return directory


def faults_of(export: Path) -> list[str]:
    """What keeps a directory from being a whole export, before its files are read."""
    if special := special_files(export):
        return [f"{visible(path)}: neither a plain file nor a directory" for path in special]
    try:
        sums = read_checksums(export)
        if not sums:
            return [f"{CHECKSUMS} is missing"]
        if differences := listing_differences(export, sums):
            return differences
        read_manifest(export)
    except DifferenceError as error:
        return [str(error)]
    return []


def files_of(export: Path) -> list[LocalFile]:
    """The files of a whole export, with the checksums that it says; the manifest and SHA256SUMS itself last."""
    sums = read_checksums(export)
    names = sorted(sums, key=lambda name: (name == MANIFEST, name))
    files = [local_file(export, name, sums[name]) for name in names]
    content = (export / CHECKSUMS).read_bytes()
    return [*files, local_file(export, CHECKSUMS, hashlib.sha256(content).hexdigest())]


def local_file(export: Path, name: str, sha256: str) -> LocalFile:
    """A file of an export, whose object is below the export's name."""
    return LocalFile(f"{export.name}/{name}", export / name, (export / name).stat().st_size, sha256)


def missing_objects(storage: Storage, sizes: Mapping[str, int], files: Sequence[LocalFile]) -> list[LocalFile]:
    """The files that have no object of the same size and SHA-256; `sizes` are those of the objects that are there."""
    likely = [file for file in files if sizes.get(file.name) == file.bytes]
    looks = transfer({file.name: looking(storage, file) for file in likely})
    return [file for file in files if not looks.get(file.name)]


def looking(storage: Storage, file: LocalFile) -> Job[bool]:
    """The look whether a file's object is there with the same size and SHA-256."""

    def look(_: Advance) -> bool:
        found = storage.find(file.name)
        return found is not None and (found.bytes, found.sha256) == (file.bytes, file.sha256)

    return look


def sending(storage: Storage, file: LocalFile) -> Job[None]:
    """The transfer of a file. It raises `DifferenceError` if its content is not what the export says: then there is no
    object."""

    def parts(advance: Advance) -> Iterator[bytes]:
        digest, done = hashlib.sha256(), 0
        with file.path.open("rb") as content:
            while part := content.read(PART_BYTES):
                yield part
                digest.update(part)
                done += len(part)
                advance(done)
        if digest.hexdigest() != file.sha256:
            raise DifferenceError(
                f"{file.path}: changed, its SHA-256 differs from {CHECKSUMS}; nothing whole was pushed"
            )

    return lambda advance: storage.write(file.name, parts(advance), file.sha256)


def digest_of(path: Path, advance: Advance) -> str:
    """The SHA-256 of a file."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as content:
        while part := content.read(PART_BYTES):
            digest.update(part)
            done += len(part)
            advance(done)
    return digest.hexdigest()


def lead_to(storage: Storage, manifest: Manifest, pushed: LatestPush) -> str | None:
    """Makes latest.json, or latest-copy.json, lead to an export that was pushed, unless a newer one is there; returns
    its name if it leads to the export now."""
    name = latest_name(copy=manifest.is_copy)
    before = ask(lambda: read_latest(storage, name))
    if before and before.export > pushed.export and ask(lambda: storage.find(f"{before.export}/{CHECKSUMS}")):
        return None
    if before is None or (before.export, before.sha256sums) != (pushed.export, pushed.sha256sums):
        content = json.dumps(pushed.as_object(), indent=2).encode() + b"\n"
        ask(lambda: storage.write(name, [content], hashlib.sha256(content).hexdigest()))
    return name


def counted(
    url: StorageUrl, files: Sequence[LocalFile], missing: Sequence[LocalFile], began: float, latest: str | None = None
) -> Pushed:
    """What a push did."""
    return Pushed(
        url, len(files), sum(file.bytes for file in files), len(missing), sum(file.bytes for file in missing),
        time.monotonic() - began, latest,
    )  # fmt: skip

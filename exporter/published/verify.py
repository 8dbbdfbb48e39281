"""Whether an export is what its manifest says."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from exporter.errors import LimitError, UsageError
from exporter.sink.contents import File, Manifest, Node, Relationship, read_manifest
from exporter.sink.layout import CHECKSUMS, MANIFEST, REJECTS

# As import.sh has it, since sha256sum takes more: capital digits, other line ends, comments, paths that lead outside.
_PART = rb"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_CHECKSUM_LINE = re.compile(rb"([0-9a-f]{64})  (%b(?:/%b)*)" % (_PART, _PART))

Progress = Callable[[int, int], None]


def verify_files(export: Path, on_progress: Progress = lambda done, total: None) -> list[str]:
    """The differences between an export's files, its SHA256SUMS and its manifest, one sentence each; none when whole.

    Every file is read once for its checksum and each data file once more for its rows. `on_progress` gets the bytes
    compared so far and those to compare. Raises UsageError when the directory is no export.
    """
    if not (export / MANIFEST).is_file() and not (export / CHECKSUMS).is_file():
        raise UsageError(f"{export} is no export: it has neither {MANIFEST} nor {CHECKSUMS}")
    if not os.access(export, os.R_OK | os.X_OK):
        raise UsageError(f"{export} cannot be read: run this as the export's owner")
    differences: list[str] = []
    try:
        sums, differences = _checksums(export)
        differences += _changed_files(export, sums, on_progress)
        manifest = read_manifest(export)
        if not differences:
            differences = [*_file_differences(export, manifest, sums), *_account_differences(export, manifest)]
    except LimitError as error:
        return [*differences, str(error)]
    except PermissionError as error:
        raise UsageError(f"{error.filename} cannot be read: run this as the export's owner") from None
    return differences


def _checksums(export: Path) -> tuple[dict[str, str], list[str]]:
    """Path -> SHA-256 of SHA256SUMS, and the differences of the paths from it. Raises LimitError where it is
    not written as an export has it."""
    try:
        content = (export / CHECKSUMS).read_bytes()
    except FileNotFoundError:
        return {}, [f"{CHECKSUMS} is missing"]
    sums = parse_checksums(content)
    present = {path.relative_to(export).as_posix() for path in export.rglob("*") if not path.is_dir()} - {CHECKSUMS}
    differences = [f"{path}: missing" for path in sorted(sums.keys() - present)]
    differences += [f"{path}: not listed in {CHECKSUMS}" for path in sorted(present - sums.keys())]
    return sums, differences


def parse_checksums(content: bytes) -> dict[str, str]:
    """Path -> SHA-256 of a SHA256SUMS: lines of a small digest, two blanks and a path below the export, in order of the
    paths' bytes, each once. Raises LimitError, which names the line, for anything else."""
    *lines, rest = content.split(b"\n")
    sums: dict[str, str] = {}
    for number, line in enumerate([*lines, rest] if rest else lines, 1):
        match = _CHECKSUM_LINE.fullmatch(line)
        if not match:
            raise LimitError(f"line {number} of {CHECKSUMS} is not as an export has it")
        sums[match[2].decode()] = match[1].decode()
    if rest or not lines:
        raise LimitError(f"{CHECKSUMS} is cut off")
    if list(sums) != sorted(sums) or len(sums) < len(lines):
        raise LimitError(f"{CHECKSUMS} names a file twice, or not in order")
    return sums


def _changed_files(export: Path, sums: dict[str, str], on_progress: Progress) -> Iterator[str]:
    sizes = {path: (export / path).stat().st_size for path in sums if (export / path).is_file()}
    done = 0
    for path, size in sizes.items():
        with (export / path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sums[path]:
                yield f"{path}: changed, its SHA-256 is not that of {CHECKSUMS}"
        done += size
        on_progress(done, sum(sizes.values()))


def _file_differences(export: Path, manifest: Manifest, sums: dict[str, str]) -> Iterator[str]:
    """Data files that the manifest does not have, or has with another size, checksum or number of rows."""
    data = {path for path in sums if path.startswith(("nodes/", "relationships/"))}
    yield from (f"{path}: not in {MANIFEST}" for path in sorted(data - {file.path for file in manifest.files}))
    for file in manifest.files:
        if file.path not in sums:
            yield f"{file.path}: in {MANIFEST} but not in {CHECKSUMS}"
            continue
        found = File(file.path, _rows(export / file.path), (export / file.path).stat().st_size, sums[file.path])
        if found != file:
            yield (
                f"{file.path}: {found.rows} rows, {found.bytes} bytes, SHA-256 {found.sha256[:8]}…; "
                f"{MANIFEST} has {file.rows}, {file.bytes} and {file.sha256[:8]}…"
            )


def _account_differences(export: Path, manifest: Manifest) -> Iterator[str]:
    """Numbers of the manifest that do not add up."""
    rows = Counter[str]()
    for file in manifest.files:
        rows[file.path.rpartition("/")[0]] += file.rows
    for entity in manifest.entities:
        yield from _difference(f"{entity.name}, rows", entity.rows, "its files", rows.pop(entity.folder, 0))
        yield from _difference(
            f"{entity.name}, properties", entity.properties, "property_counts", sum(entity.property_counts.values())
        )
        yield from _reject_differences(export, entity)
    yield from (f"{folder}: of no entity in {MANIFEST}" for folder in rows)
    totals = manifest.totals
    yield from _difference("totals.nodes", totals.nodes, "nodes", sum(node.rows for node in manifest.nodes))
    yield from _difference(
        "totals.relationships", totals.relationships, "relationships", sum(each.rows for each in manifest.relationships)
    )
    yield from _difference(
        "totals.properties", totals.properties, "the entities", sum(each.properties for each in manifest.entities)
    )
    yield from _difference("totals.bytes", totals.bytes, "files", sum(file.bytes for file in manifest.files))
    yield from _difference(
        "totals.rejects", totals.rejects, "the entities", sum(sum(each.rejects.values()) for each in manifest.entities)
    )


def _reject_differences(export: Path, entity: Node | Relationship) -> Iterator[str]:
    found = Counter[str]()
    for path in sorted((export / REJECTS / entity.folder).glob("*.csv")):
        frame = pl.scan_csv(path, infer_schema=False).group_by("reason").len().collect()
        found.update(dict(frame.rows()))
    for reason in sorted(found.keys() | entity.rejects.keys()):
        counted = entity.rejects.get(reason, 0)
        yield from _difference(f"{entity.name}, rejects for {reason}", counted, "the reject files", found[reason])


def _rows(path: Path) -> int:
    """The rows of a CSV without header; a line break inside quotes ends none."""
    if not path.stat().st_size:
        return 0
    count: int = pl.scan_csv(path, has_header=False, infer_schema=False).select(pl.len()).collect().item()
    return count


def _difference(what: str, expected: int, where: str, found: int) -> Iterator[str]:
    if expected != found:
        yield f"{what}: {expected} in {MANIFEST}, {found} in {where}"

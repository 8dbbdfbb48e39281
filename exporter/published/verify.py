"""Whether an export matches its manifest."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from exporter.errors import DifferenceError, UsageError
from exporter.invocation import command
from exporter.published.checksums import listing_differences, read_checksums
from exporter.published.history import copy_instead
from exporter.published.instructions import instruction_differences
from exporter.published.readable import readable
from exporter.sink.counts import counts_tsv
from exporter.sink.entries import EntityEntry
from exporter.sink.files import FileRecord, special_files
from exporter.sink.layout import CHECKSUMS, COUNTS, MANIFEST, NODES, REJECTS, RELATIONSHIPS
from exporter.sink.manifest import Manifest, read_manifest
from exporter.text import visible

Progress = Callable[[int, int], None]
# Differences in one sentence.
MOST_TOLD = 10


def verify_files(export: Path, on_progress: Progress = lambda done, total: None) -> list[str]:
    """The differences between an export's files, its SHA256SUMS and its manifest, one sentence each; empty if none.

    Every file is read once for its checksum, and each data file once more for its rows; of a masked export, also for
    the forms of its values. `on_progress` gets the bytes compared so far and in total. With anything in it but plain
    files and directories, nothing is opened. Raises `UsageError` if the directory is not an export, or cannot be read.
    """
    if not export.exists():
        hint = copy_instead(export)
        raise UsageError(
            f"there is no directory {export}; an export is named by its directory, such as output/latest{hint}"
        )
    if not (export / MANIFEST).is_file() and not (export / CHECKSUMS).is_file():
        raise UsageError(f"{export} is not an export: it has neither {MANIFEST} nor {CHECKSUMS}")
    if not os.access(export, os.R_OK | os.X_OK):
        raise UsageError(f"{export} cannot be read: run this as the export's owner")
    return [visible(text) for text in compared(export, on_progress)]


def compared(export: Path, on_progress: Progress) -> list[str]:
    """What `verify_files` gives, with names as they are in the export."""
    differences: list[str] = []
    try:
        if special := special_files(export):
            return [f"{visible(path)}: neither a plain file nor a directory, so nothing was read" for path in special]
        sums = read_checksums(export)
        differences += listing_differences(export, sums) if sums else [f"{CHECKSUMS} is missing"]
        differences += changed_files(export, sums, on_progress)
        manifest = read_manifest(export)
        if not differences:
            differences = [*file_differences(export, manifest, sums), *count_differences(export, manifest)]
            differences += [*table_differences(manifest), *instruction_differences(export, manifest)]
        if not differences and manifest.redaction:
            from exporter.published.masking import masking_differences  # loads what reads a source

            differences = list(masking_differences(export, manifest))
        if not differences and COUNTS in sums and (export / COUNTS).read_bytes() != counts_tsv(manifest).encode():
            differences = [f"{COUNTS}: its counts are not those of {MANIFEST}"]
    except DifferenceError as error:
        return [*differences, str(error)]
    except PermissionError as error:
        raise UsageError(f"{error.filename} cannot be read: run this as the export's owner") from None
    return differences


def require_whole(export: Path, on_progress: Progress = lambda done, total: None) -> None:
    """Raises `DifferenceError` for an export that is not whole, and `UsageError` as `verify_files` does."""
    differences = verify_files(export, on_progress)
    if differences:
        more = (
            [f"{len(differences) - MOST_TOLD} more; `{command()} verify` tells all"]
            if len(differences) > MOST_TOLD
            else []
        )
        raise DifferenceError(f"{export} differs from its manifest: {'; '.join([*differences[:MOST_TOLD], *more])}")


def changed_files(export: Path, sums: dict[str, str], on_progress: Progress) -> Iterator[str]:
    """Files whose content does not match their checksum."""
    sizes = {path: (export / path).stat().st_size for path in sums if (export / path).is_file()}
    done = 0
    for path, size in sizes.items():
        with (export / path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sums[path]:
                yield f"{path}: changed, its SHA-256 differs from {CHECKSUMS}"
        done += size
        on_progress(done, sum(sizes.values()))


def file_differences(export: Path, manifest: Manifest, sums: dict[str, str]) -> Iterator[str]:
    """Data files that are not in the manifest, or differ from it in size, checksum or number of rows."""
    data = {path for path in sums if path.startswith((f"{NODES}/", f"{RELATIONSHIPS}/"))}
    yield from (f"{path}: not in {MANIFEST}" for path in sorted(data - {file.path for file in manifest.files}))
    for file in manifest.files:
        if file.path not in sums:
            yield f"{file.path}: in {MANIFEST} but not in {CHECKSUMS}"
            continue
        path = export / file.path
        with readable(file.path):
            rows = data_rows(path)
        found = FileRecord(file.path, rows, path.stat().st_size, sums[file.path])
        if found != file:
            yield (
                f"{file.path}: {found.rows} rows, {found.bytes} bytes, SHA-256 {found.sha256[:8]}…; "
                f"{MANIFEST} has {file.rows}, {file.bytes} and {file.sha256[:8]}…"
            )


def data_rows(path: Path) -> int:
    """The rows of a data file; a line break inside quotes does not end a row."""
    if not path.stat().st_size:
        return 0
    count: int = pl.scan_csv(path, glob=False, has_header=False, infer_schema=False).select(pl.len()).collect().item()
    return count


def count_differences(export: Path, manifest: Manifest) -> Iterator[str]:
    """Counts of the manifest that do not add up: for each entity, and in total."""
    rows = Counter[str]()
    for file in manifest.files:
        rows[file.path.rpartition("/")[0]] += file.rows
    for entry in manifest.entities:
        yield from difference(f"{entry.pattern}, rows", entry.rows, "its files", rows.pop(entry.folder, 0))
        values = sum(entry.property_counts.values())
        yield from difference(f"{entry.pattern}, properties", entry.properties, "property_counts", values)
        yield from reject_differences(export, entry)
    yield from (f"{folder}: belongs to no entity in {MANIFEST}" for folder in rows)
    yield from total_differences(manifest)


def table_differences(manifest: Manifest) -> Iterator[str]:
    """Tables whose rows are not the same number for every label and pattern that they make: every row is accounted for,
    in each (contract.md)."""
    by_table: dict[str, list[EntityEntry]] = {}
    for entry in manifest.entities:
        by_table.setdefault(entry.table, []).append(entry)
    for table, entries in by_table.items():
        counts = Counter(entry.table_rows for entry in entries)
        [(rows, _), *others] = counts.most_common()
        if others:
            wrong = [f"{entry.table_rows} in {entry.pattern}" for entry in entries if entry.table_rows != rows]
            right = next(entry.pattern for entry in entries if entry.table_rows == rows)
            yield f"{visible(table)}: {rows} rows are accounted for in {right}, {', '.join(map(visible, wrong))}"


def reject_differences(export: Path, entry: EntityEntry) -> Iterator[str]:
    """An entity's rejects, by reason, that differ between the manifest and its reject files."""
    found = Counter[str]()
    for path in sorted((export / REJECTS / entry.folder).glob("*.csv")):
        with readable(path.relative_to(export).as_posix()):
            reasons = pl.scan_csv(path, glob=False, infer_schema=False).group_by("reason").len().collect()
        found.update({str(reason): rows for reason, rows in reasons.iter_rows()})
    for reason in sorted(found.keys() | entry.rejects.keys()):
        expected = entry.rejects.get(reason, 0)
        yield from difference(
            f"{entry.pattern}, rejects for {visible(reason)}", expected, "the reject files", found[reason]
        )


def total_differences(manifest: Manifest) -> Iterator[str]:
    """Totals that are not the sums of their parts."""
    totals, entries = manifest.totals, manifest.entities
    nodes = sum(node.rows for node in manifest.nodes)
    relationships = sum(relationship.rows for relationship in manifest.relationships)
    properties = sum(entry.properties for entry in entries)
    rejects = sum(sum(entry.rejects.values()) for entry in entries)
    yield from difference("totals.nodes", totals.nodes, "nodes", nodes)
    yield from difference("totals.relationships", totals.relationships, "relationships", relationships)
    yield from difference("totals.properties", totals.properties, "the entities", properties)
    yield from difference("totals.bytes", totals.bytes, "files", sum(file.bytes for file in manifest.files))
    yield from difference("totals.rejects", totals.rejects, "the entities", rejects)


def difference(count: str, expected: int, where: str, found: int) -> Iterator[str]:
    """The sentence for a count of the manifest that differs elsewhere; none if they are equal."""
    if expected != found:
        yield f"{count}: {expected} in {MANIFEST}, {found} in {where}"

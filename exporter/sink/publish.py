"""The life of an export directory: partial under a lock, then complete under its name, or removed."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from exporter.errors import RunError
from exporter.interrupts import disable_interrupts
from exporter.sink import attempts, layout, permissions
from exporter.sink.counts import counts_tsv
from exporter.sink.files import FileRecord, Flusher, sync, walk, write_file
from exporter.sink.headers import headers
from exporter.sink.instructions import import_arguments, longest_line, schema_cypher
from exporter.sink.lock import hold_lock
from exporter.sink.manifest import Manifest, Metadata, make_manifest, manifest_json
from exporter.sink.output import REMEDY, check_directory, make_directory
from exporter.sink.tally import Tally


@dataclass(slots=True)
class PartialExport:
    """An export that is being written: `.partial-<stamp>` below the output directory.

    `group` may read it once it is published; `records` are those of its files, unordered. `moves_latest` is unset for
    the export of a rebuild, which moves `latest` only once its graph is live. `latest` is what moves: `latest-copy` for
    a copy.
    """

    output: Path
    stamp: str
    group: int | None = None
    records: list[FileRecord] = field(default_factory=list)
    archive: Path | None = None
    moves_latest: bool = True
    latest: str = layout.LATEST
    flusher: Flusher = field(init=False)

    def __post_init__(self) -> None:
        self.flusher = Flusher(self.directory)

    @property
    def directory(self) -> Path:
        return self.output / f"{layout.PARTIAL}{self.stamp}"

    @property
    def link(self) -> Path:
        """The link that becomes `latest` or `latest-copy`."""
        return self.output / f"{layout.PARTIAL}{layout.LATEST}"

    def write(self, path: Path, content: str | bytes) -> FileRecord:
        """Writes one of the export's small files."""
        data = content.encode() if isinstance(content, str) else content
        record = write_file(self.directory, path, data)
        self.records.append(record)
        self.flusher.add([record])
        return record

    def complete(self, tallies: Mapping[str, Tally], metadata: Metadata, render: Callable[[Manifest], str]) -> Manifest:
        """Writes everything but the data, the checksums last, and returns the manifest; `render` makes its report.

        `tallies` has what was written of each entity, by its name.
        """
        attempts.discard(self.directory)
        (self.directory / layout.REJECTS).mkdir(mode=0o700, exist_ok=True)
        tallies = self.add_data_files(tallies)
        self.write_instructions(tallies)
        manifest = make_manifest(tallies, metadata)
        self.latest = layout.LATEST_COPY if manifest.is_copy else layout.LATEST
        self.write(Path(layout.MANIFEST), manifest_json(manifest))
        self.write(Path(layout.COUNTS), counts_tsv(manifest))
        self.write(Path(layout.REPORT), render(manifest))
        self.write_checksums()
        return manifest

    def add_data_files(self, tallies: Mapping[str, Tally]) -> dict[str, Tally]:
        """Records the files that the workers wrote, and writes an empty data file for each entity without rows. Returns
        the tallies with these, and with the data files in order."""
        completed = {}
        for entity in layout.entities():
            tally = tallies[entity.name]
            self.records += [*tally.files, *tally.reject_files]
            data_files = sorted(tally.files, key=lambda record: record.path)
            data_files = data_files or [self.write(layout.data_file(entity, 0), b"")]
            completed[entity.name] = replace(tally, files=tuple(data_files))
        return completed

    def write_instructions(self, tallies: Mapping[str, Tally]) -> None:
        """Writes what an import needs: headers, arguments, scripts and schema."""
        for file, content in headers().items():
            self.write(Path(layout.HEADERS, file), content)
        paths = {entity: [record.path for record in tally.files] for entity, tally in tallies.items()}
        multiline = any(tally.multiline for tally in tallies.values())
        longest = longest_line(tallies)
        self.write(Path(layout.ARGUMENTS), import_arguments(paths, multiline=multiline, longest=longest))
        for script in (layout.IMPORT_SCRIPT, layout.VERIFY_SCRIPT):
            self.write(Path(script), files("exporter.sink").joinpath(script).read_bytes())
        oversized = {entity: tally.oversized for entity, tally in tallies.items()}
        self.write(Path(layout.SCHEMA), schema_cypher(oversized))

    def write_checksums(self) -> None:
        """Writes SHA256SUMS for all recorded files, sorted by path."""
        records = sorted(self.records, key=lambda record: record.path)
        self.write(Path(layout.CHECKSUMS), "".join(f"{record.sha256}  {record.path}\n" for record in records))

    def pack(self, recipients: Sequence[str], on_progress: Callable[[], None]) -> None:
        """Packs the complete export into an archive, published with it; encrypted if there are recipients."""
        from exporter.sink.archive import pack  # loads the cipher, which few need

        self.archive = layout.archive_file(self.directory, encrypted=bool(recipients))
        pack(self.directory, self.archive, top=self.stamp, recipients=recipients, on_progress=on_progress)

    def publish(self) -> Path:
        """Gives the directory and its archive their final names and moves `latest`, or `latest-copy`, if it is to
        move: all or nothing, each step durable before the next. Returns the published directory; raises `OSError` if
        nothing was published.

        From the first rename on, signals no longer stop the run.
        """
        self.flusher.finish()
        if self.group is not None:
            permissions.open_export(self.directory, self.group)
        for folder, _, _ in walk(self.directory):
            sync(Path(folder))
        if self.moves_latest:
            self.link.symlink_to(self.stamp)
        parts = [self.directory, *([self.archive] if self.archive else [])]
        disable_interrupts()
        try:
            for part in parts:
                part.rename(self.published(part))
            sync(self.output)
            if self.moves_latest:
                self.link.replace(self.output / self.latest)
        except OSError as error:
            self.take_back(parts, error)
            raise
        with suppress(OSError):  # there is no way back
            sync(self.output)
        return self.published(self.directory)

    def take_back(self, parts: Sequence[Path], error: OSError) -> None:
        """Undoes the renames of these parts after an error. Raises `RunError` where that fails, too."""
        try:
            for part in parts:
                if self.published(part).exists():
                    self.published(part).rename(part)
        except OSError:
            sentence = f"cannot publish {self.published(self.directory)}: {error.strerror}, and it cannot be taken back"
            raise RunError(f"{sentence}: {self.latest} was not moved, and who knows whether it is durable") from None

    def published(self, part: Path) -> Path:
        """The final path of the directory or its archive."""
        return self.output / part.name.removeprefix(layout.PARTIAL)

    def keep_rejects(self) -> Path:
        """Keeps only the reject files, if there are more than the user allows, and returns their directory."""
        self.flusher.finish()
        kept = self.output / f"{layout.REJECTED}{self.stamp}"
        disable_interrupts()
        (self.directory / layout.REJECTS).rename(kept)
        return kept


@contextmanager
def partial_export(output: Path, group: str | None = None) -> Iterator[PartialExport]:
    """The partial export of a new run, for the group of this name if given. What is left of it when the block ends is
    removed.

    Raises `UsageError` for an output directory or a group that cannot be used, `BusyError` if another export is running
    there, `RunError` if its disk is full or fails.
    """
    group_id = permissions.group_id(group) if group else None
    try:
        make_directory(output, group_id)
        check_directory(output)
        if group and group_id is not None:
            permissions.check_group_access(output, group_id, group)
        with locked(output):
            for stale in output.glob(f"{layout.PARTIAL}*"):
                if not stale.name.startswith(layout.PULLING):
                    remove(stale)
            partial = PartialExport(output, free_stamp(output), group_id)
            with removed_at_end(partial):
                partial.directory.mkdir(mode=0o700)
                attempts.prepare(partial.directory)
                yield partial
    except OSError as error:
        raise RunError(f"cannot write the export to {output}: {error.strerror}; nothing was published") from None


@contextmanager
def removed_at_end(partial: PartialExport) -> Iterator[None]:
    """Removes what is left of a partial export when the block ends. What cannot be removed is left to the next run."""
    try:
        yield
    finally:
        partial.flusher.cancel()
        with suppress(OSError):
            for left in (*partial.output.glob(f"{partial.directory.name}*"), partial.link):
                remove(left)


def link_latest(export: Path) -> None:
    """Makes `latest` beside a published faithful export lead to it, in one durable step. Raises `OSError`."""
    output, temporary = export.parent, export.parent / f"{layout.PARTIAL}{layout.LATEST}-{os.getpid()}"
    remove(temporary)
    temporary.symlink_to(export.name)
    try:
        temporary.replace(output / layout.LATEST)
    except OSError:
        remove(temporary)
        raise
    sync(output)


def locked(output: Path) -> AbstractContextManager[None]:
    """Holds the output directory for one export. Raises as `hold_lock` does."""
    return hold_lock(
        output / layout.LOCK,
        busy=f"another export is running on {output}; wait for it, or {REMEDY}",
        remedy=REMEDY,
    )


def free_stamp(output: Path) -> str:
    """The UTC second that names a new export; waits for the next one if it is taken."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        taken = any((output / f"{prefix}{stamp}").exists() for prefix in ("", layout.REJECTED))
        if not taken and not layout.archives(output / stamp):
            return stamp
        time.sleep(0.1)


def remove(path: Path) -> None:
    """Removes a file, link or pipe, or a directory with its contents; a path that does not exist is not an error.

    What cannot be removed from a directory is left to the next run. Raises `OSError` for anything else that cannot be
    removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:  # rmtree would open a pipe, and wait for ever
        path.unlink(missing_ok=True)

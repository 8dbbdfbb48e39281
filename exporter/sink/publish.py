"""The life of an export directory: partial under a lock, then whole under its name, or gone."""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from exporter.errors import BusyError, RunError, UsageError
from exporter.interrupts import disable_interrupts
from exporter.sink import layout, permissions
from exporter.sink.counts import counts_tsv
from exporter.sink.files import FileRecord, Flusher, sync, write_file
from exporter.sink.headers import headers
from exporter.sink.instructions import import_arguments, schema_cypher
from exporter.sink.manifest import Tally, manifest


@dataclass(slots=True)
class PartialExport:
    """An export that is being written: `.partial-<stamp>` below the output directory; `group` may read it at last."""

    output: Path
    stamp: str
    group: int | None = None
    records: list[FileRecord] = field(default_factory=list)
    archive: Path | None = None
    flusher: Flusher = field(init=False)

    def __post_init__(self) -> None:
        self.flusher = Flusher(self.directory)

    @property
    def directory(self) -> Path:
        return self.output / f"{layout.PARTIAL}{self.stamp}"

    @property
    def link(self) -> Path:
        """What becomes `latest`."""
        return self.output / f"{layout.PARTIAL}{layout.LATEST}"

    def write(self, path: Path, content: str | bytes) -> FileRecord:
        """Writes one of the export's small files."""
        data = content.encode() if isinstance(content, str) else content
        record = write_file(self.directory, path, data)
        self.records.append(record)
        self.flusher.add([record])
        return record

    def complete(
        self, tallies: dict[str, Tally], about: dict[str, Any], report: Callable[[dict[str, Any]], str]
    ) -> dict[str, Any]:
        """Writes all that is not data, the checksums last; gives the manifest, from which `report` makes the report's
        page."""
        shutil.rmtree(self.directory / layout.KEY_INDEX, ignore_errors=True)
        for tally in tallies.values():
            tally.files.sort(key=lambda record: record.path)
            self.records += [*tally.files, *tally.reject_files]
            if not tally.files:
                tally.files.append(self.write(layout.data_file(tally.entity, 0), b""))
        for file, content in headers().items():
            self.write(Path(layout.HEADERS, file), content)
        paths = {entity: [record.path for record in tally.files] for entity, tally in tallies.items()}
        multiline = any(tally.multiline for tally in tallies.values())
        longest = max(tally.longest for tally in tallies.values())
        self.write(Path(layout.ARGUMENTS), import_arguments(paths, multiline=multiline, longest=longest))
        for script in (layout.IMPORT_SCRIPT, layout.VERIFY_SCRIPT):
            self.write(Path(script), files("exporter.sink").joinpath(script).read_bytes())
        self.write(Path(layout.SCHEMA), schema_cypher())
        (self.directory / layout.REJECTS).mkdir(mode=0o700, exist_ok=True)
        made = manifest(tallies, about=about)
        self.write(Path(layout.MANIFEST), json.dumps(made, indent=2, ensure_ascii=False) + "\n")
        self.write(Path(layout.COUNTS), counts_tsv(made))
        self.write(Path(layout.REPORT), report(made))
        lines = [f"{record.sha256}  {record.path}\n" for record in sorted(self.records, key=lambda r: r.path)]
        self.write(Path(layout.CHECKSUMS), "".join(lines))
        return made

    def pack(self, recipients: Sequence[str], on_progress: Callable[[], None]) -> None:
        """Packs the complete export into an archive, for age recipients if there are any; it is published with it."""
        from exporter.sink.archive import pack  # loads the cipher, which few need

        self.archive = layout.archive_file(self.directory, encrypted=bool(recipients))
        pack(self.directory, self.archive, top=self.stamp, recipients=recipients, on_progress=on_progress)

    def publish(self) -> Path:
        """Renames the directory and its archive to their names and moves `latest`, each step durable before the next;
        all or nothing.

        From the first rename on the export stands, and signals stop nothing any more.
        """
        self.flusher.finish()
        if self.group is not None:
            permissions.open_export(self.directory, self.group)
        for folder, _, _ in os.walk(self.directory):
            sync(Path(folder))
        self.link.symlink_to(self.stamp)
        parts = [self.directory, *([self.archive] if self.archive else [])]
        disable_interrupts()
        try:
            for part in parts:
                part.rename(self.published(part))
            sync(self.output)
            self.link.replace(self.output / layout.LATEST)
        except OSError:
            for part in parts:
                if self.published(part).exists():
                    self.published(part).rename(part)
            raise
        with suppress(OSError):  # `latest` has moved: there is no way back
            sync(self.output)
        return self.published(self.directory)

    def published(self, part: Path) -> Path:
        """The name that the directory or its archive is to have."""
        return self.output / part.name.removeprefix(layout.PARTIAL)

    def keep_rejects(self) -> Path:
        """Keeps the reject files alone, where a limit on them was broken."""
        self.flusher.finish()
        kept = self.output / f"{layout.REJECTED}{self.stamp}"
        disable_interrupts()
        (self.directory / layout.REJECTS).rename(kept)
        return kept


@contextmanager
def partial_export(output: Path, group: str | None = None) -> Iterator[PartialExport]:
    """The partial export of a new run; what is left of it when the block ends is removed.

    Raises `UsageError` for an output directory or a group that cannot be used, `BusyError` when another export runs
    there, `RunError` when its disk is full or fails.
    """
    readers = permissions.group_id(group) if group else None
    check_output(output, readers, group or "")
    with locked(output):
        for stale in output.glob(f"{layout.PARTIAL}*"):
            remove(stale)
        partial = PartialExport(output, free_stamp(output), readers)
        try:
            partial.directory.mkdir(mode=0o700)
            yield partial
        except OSError as error:
            raise RunError(f"cannot write the export to {output}: {error.strerror}; nothing was published") from None
        finally:
            partial.flusher.end()
            remove(partial.link)
            remove(partial.directory)
            if partial.archive:
                remove(partial.archive)


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Holds the output directory for one export; a process that dies lets go of it."""
    lock = FileLock(output / layout.LOCK, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(f"another export is running on {output}; wait for it, or choose another --output") from None
    except NotImplementedError:
        raise UsageError(f"the file system of {output} has no locks; choose another --output") from None
    except OSError as error:
        kind = RunError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
        raise kind(f"cannot write to {output}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def check_output(output: Path, readers: int | None, group: str) -> None:
    """Makes the output directory where only it is missing; raises `UsageError` where it cannot be used, by a group
    either."""
    try:
        made = not output.exists()
        output.mkdir(mode=0o700, exist_ok=True)
        if made and readers is not None:
            permissions.open_directory(output, readers)
    except FileNotFoundError:
        raise UsageError(f"{output.parent} does not exist; create it, or choose another --output") from None
    except FileExistsError:
        raise UsageError(f"{output} is no directory; choose another --output") from None
    except OSError as error:
        raise UsageError(f"cannot make {output}: {error.strerror}") from None
    latest = output / layout.LATEST
    if latest.exists() and not latest.is_symlink():
        raise UsageError(f"{latest} is no link; move it away, or choose another --output")
    if not os.access(output, os.W_OK | os.X_OK):
        raise UsageError(f"{output} is not writable; choose another --output")
    if readers is not None:
        permissions.check_way(output, readers, group)


def free_stamp(output: Path) -> str:
    """The UTC second that names a new export; waits for the next one where it is taken."""
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        taken = any((output / f"{prefix}{stamp}").exists() for prefix in ("", layout.REJECTED))
        if not taken and not layout.archives(output / stamp):
            return stamp
        time.sleep(0.1)


def remove(path: Path) -> None:
    """Removes a directory, file or link; what cannot be removed is left to the next run."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)

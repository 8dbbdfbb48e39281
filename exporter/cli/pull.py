"""`exporter pull`: an export, or an archive of one, out of object storage."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.options import Config, Group, Json, print_json, print_path, settings_from
from exporter.cli.push import Url, storage_url

if TYPE_CHECKING:
    from exporter.published.pull import Pulled


def pull(
    context: typer.Context,
    url: Url,
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the export becomes a directory of its own name.")
    ],
    group: Group = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Copy an export out of object storage; the last line on stdout is its directory.

    URL is that of an export, s3://BUCKET/PREFIX/20261123T031500Z, or of a prefix, for the newest whole source there
    (PREFIX/latest-copy for the newest copy). Every file is compared with SHA256SUMS; what is not whole is refused. Run
    it again after a failure: it goes on where it stopped.
    """
    from exporter.interrupts import disable_interrupts, interruptible
    from exporter.progress.status import transfer
    from exporter.published.pull import AGAIN
    from exporter.published.pull import pull as pull_export

    source, settings = storage_url(url), settings_from(context, config)
    with interruptible(f"{directory} has no new export yet; {AGAIN}"):
        pulled = pull_export(source, directory, transfer, settings.group)
    disable_interrupts()  # it is there
    print_summary(pulled)
    if as_json:
        print_json(pulled_object(pulled))
    else:
        print_path(pulled.path)


def print_summary(pulled: "Pulled") -> None:
    """Prints on stderr what was pulled, what it is, and how it is imported."""
    from exporter.progress.log import log_stderr
    from exporter.sink.layout import IMPORT_SCRIPT
    from exporter.text import format_age, format_seconds, quantity

    there = pulled.files - pulled.fetched
    text = f"Pulled {quantity(pulled.fetched, 'file')}, {pulled.fetched_bytes / 1e6:,.1f} MB, from {pulled.url} "
    text += f"in {format_seconds(pulled.seconds)}"
    log_stderr(text + (f"; {quantity(there, 'file')} had come before" if there else ""))
    if pulled.manifest is None:
        log_stderr(f"Unpack it where Neo4j is: docs/disaster-recovery.md; it is {pulled.bytes / 1e6:,.1f} MB")
        return
    manifest = pulled.manifest
    if lines := manifest.copy_lines:
        log_stderr(f"A copy: {'; '.join(lines)}")
    taken_at = manifest.source.snapshot_at
    log_stderr(f"Its snapshot is of {taken_at:%a %d %b %Y %H:%M} UTC, {format_age(taken_at)} ago")
    log_stderr(f"To import it, with Neo4j stopped: bash {shlex.quote(str(pulled.path / IMPORT_SCRIPT))}")


def pulled_object(pulled: "Pulled") -> dict[str, object]:
    """What `--json` prints."""
    return {
        "path": str(pulled.path),
        "url": str(pulled.url),
        "files": pulled.files,
        "bytes": pulled.bytes,
        "fetched": pulled.fetched,
        "fetched_bytes": pulled.fetched_bytes,
        "seconds": round(pulled.seconds, 3),
    }

"""`exporter export`: one consistent export."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from exporter.cli.options import (
    Archive,
    Cluster,
    Config,
    EncryptTo,
    Group,
    Json,
    LockTimeout,
    MaxDuration,
    MaxRejects,
    Memory,
    Output,
    ProfileFile,
    Push,
    Source,
    SourceName,
    StallTimeout,
    Timezone,
    Workers,
    print_json,
    print_path,
    settings_from,
    warn_of_cluster,
    warn_of_masking,
    warn_of_secrets,
)
from exporter.cli.push import check_push, push_published
from exporter.cli.push import print_summary as print_push
from exporter.errors import UsageError

if TYPE_CHECKING:
    from exporter.pipeline.run import ExportResult


def export(
    context: typer.Context,
    source: Source = None,
    source_name: SourceName = None,
    output: Output = None,
    group: Group = None,
    config: Config = None,
    workers: Workers = None,
    memory: Memory = None,
    timezone: Timezone = None,
    max_rejects: MaxRejects = None,
    max_duration: MaxDuration = None,
    lock_timeout: LockTimeout = None,
    stall_timeout: StallTimeout = None,
    cluster: Cluster = None,
    archive: Archive = None,
    encrypt_to: EncryptTo = None,
    push: Push = None,
    profile: ProfileFile = None,
    as_json: Json = False,
) -> None:
    """Export the source into a new directory; the last line on stdout is that directory."""
    from exporter.interrupts import disable_interrupts, interruptible
    from exporter.pipeline.workers import workers_of

    settings = settings_from(context, config)
    if encrypt_to and not settings.archive:
        raise UsageError("--encrypt-to is for an archive; give --archive too")
    if profile:
        write_profile(profile, {})  # so that it fails now, not after the export
    # Once the export is published, a signal stops only a push that follows.
    noted: AbstractContextManager[list[str]] = nullcontext([])
    if settings.push:
        check_push(settings.push)
        noted = interruptible("nothing was published")
    with noted as pending:
        with workers_of(settings) as pool:
            # The workers load while this process loads the rest and checks the source: 0.1 s.
            from exporter.pipeline.run import export as export_source
            from exporter.progress.live import progress_display
            from exporter.report.report import report

            warn_of_secrets(context)
            warn_of_cluster(settings)
            warn_of_masking(settings)
            with progress_display() as listener:
                result = export_source(settings, pool, listener, render=report)
        print_summary(result)
        if profile:
            write_profile(profile, result.profile.as_object() | {"peak_memory": result.peak_memory})
        push_and_print(result, settings.push, pending, as_json=as_json)
    disable_interrupts()  # nor does one stop what is left of the command: "nothing was published" is not true


def push_and_print(result: "ExportResult", url: str | None, pending: Sequence[str], *, as_json: bool) -> None:
    """Pushes an export if there is a URL, and prints its result: it is published whatever becomes of the push. Raises
    as `push_published` does."""
    pushed = None
    try:
        if url:
            pushed = push_published(result.archive or result.directory, url, pending)
            print_push(pushed)
    finally:
        if as_json:
            print_json(export_object(result) | {"pushed": str(pushed.url) if pushed else None})
        else:
            print_path(result.directory)


def export_object(result: "ExportResult") -> dict[str, Any]:
    """What `--json` prints: where the export is, what it holds, what was rejected why, and what it cost."""
    from exporter.sink.layout import REPORT

    rejects: Counter[str] = Counter()
    for entry in result.manifest.entities:
        rejects.update(entry.rejects)
    return {
        "directory": str(result.directory),
        "report": str(result.directory / REPORT),
        "archive": str(result.archive) if result.archive else None,
        "totals": asdict(result.manifest.totals),
        "rejects": dict(rejects.most_common()),
        "seconds": {stage: round(seconds, 3) for stage, seconds in result.profile.stages.items()},
        "peak_memory": result.peak_memory,
    }


def print_summary(result: "ExportResult") -> None:
    """Prints counts, costliest tables, report and archive of an export on stderr."""
    from rich.filesize import decimal

    from exporter.pipeline.profile import cost_lines, totals_line
    from exporter.progress.log import log_stderr
    from exporter.published.uniqueness import uniqueness_warnings
    from exporter.sink.layout import REPORT

    log_stderr(f"{totals_line(result.manifest.totals, result.profile)}\n{cost_lines(result.profile)}")
    if lines := result.manifest.copy_lines:
        log_stderr(f"A copy: {'; '.join(lines)}")
    if result.note:
        log_stderr(f"exporter: warning: {result.note}")
    for skipped in result.manifest.skipped_indexes:
        log_stderr(f"exporter: warning: {skipped}")
    for sentence in uniqueness_warnings(result.manifest):
        log_stderr(f"exporter: warning: {sentence}")
    log_stderr(f"Report: {result.directory / REPORT}")
    if result.archive:
        log_stderr(f"Archive: {result.archive}, {decimal(result.archive.stat().st_size)}")


def write_profile(path: Path, content: dict[str, Any]) -> None:
    """Writes a profile as JSON. Raises `UsageError` if the file cannot be written."""
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the profile {path} cannot be written: {error.strerror}") from None

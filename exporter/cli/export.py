"""`exporter export`: one consistent export."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exporter.cli.options import (
    Archive,
    Config,
    EncryptTo,
    Group,
    LockTimeout,
    MaxDuration,
    MaxRejects,
    Memory,
    Output,
    ProfileFile,
    Source,
    StallTimeout,
    Timezone,
    Workers,
    settings_from,
    warn_of_password,
)
from exporter.errors import UsageError

if TYPE_CHECKING:
    pass


def export(
    source: Source = None,
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
    archive: Archive = None,
    encrypt_to: EncryptTo = None,
    profile: ProfileFile = None,
) -> None:
    """Export the source into a new directory; the last line on stdout is that directory."""
    from rich.filesize import decimal

    from exporter.pipeline.pool import worker_pool

    settings = settings_from(
        config, source=source, output=output, group=group, workers=workers, memory=memory, timezone=timezone,
        max_rejects=max_rejects, max_duration=max_duration, lock_timeout=lock_timeout, stall_timeout=stall_timeout,
        archive=archive, encrypt_to=encrypt_to,
    )  # fmt: skip
    if encrypt_to and not settings.archive:
        raise UsageError("--encrypt-to is for an archive; give --archive too")
    if profile:
        write_profile(profile, {})  # whether it can be written is known before anything is done
    with worker_pool(settings.workers) as pool:
        # The workers load while this process loads the rest and looks at the source: 0.1 s.
        from exporter.pipeline.profile import cost_lines, totals_line
        from exporter.pipeline.run import export as export_source
        from exporter.progress.live import progress_display
        from exporter.progress.log import log_stderr
        from exporter.report.report import report
        from exporter.sink.layout import REPORT

        warn_of_password(source)
        with progress_display() as listener:
            outcome = export_source(settings, pool, listener, render=report)
    log_stderr(f"{totals_line(outcome.manifest.totals, outcome.profile)}\n{cost_lines(outcome.profile)}")
    log_stderr(f"Its report: {outcome.directory / REPORT}")
    if outcome.archive:
        log_stderr(f"Its archive: {outcome.archive}, {decimal(outcome.archive.stat().st_size)}")
    if profile:
        write_profile(profile, outcome.profile.as_object() | {"peak_memory": outcome.peak_memory})
    print(outcome.directory)


def write_profile(path: Path, content: dict[str, Any]) -> None:
    """Writes a profile. Raises `UsageError` where that cannot be."""
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the profile {path} cannot be written: {error.strerror}") from None

"""Commands that read a source: check, export."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli.options import (
    Config,
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
)
from exporter.errors import UsageError


def check(
    source: Source = None,
    config: Config = None,
    notes: Annotated[
        bool, typer.Option("--notes", help="Also list the notes: columns that are read through a cast, and views.")
    ] = False,
) -> None:
    """Say whether the source can be exported (exit code 0) or not (3), and all that is wrong at once; write nothing."""
    from rich.console import Console

    from exporter.errors import SourceError
    from exporter.run import check as check_source
    from exporter.screen import findings_summary, findings_table
    from exporter.source.check import Severity

    findings = check_source(settings_from(config, source=source))
    listed = [finding for finding in findings if notes or finding.severity is not Severity.NOTE]
    if sys.stdout.isatty() and listed:
        Console().print(findings_table(listed), "")
    else:
        for finding in listed:
            print(f"{finding.severity}: {finding}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise SourceError(f"the source cannot be exported: {findings_summary(findings)}")
    print(f"The source can be exported: {findings_summary(findings)}{' (see --notes)' if not notes else ''}.")


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
    profile: ProfileFile = None,
) -> None:
    """Export the source into a new directory; the last line on stdout is that directory."""
    from exporter.progress import tell, watcher
    from exporter.run import export as export_source
    from exporter.screen import cost_lines, totals_line

    settings = settings_from(
        config, source=source, output=output, group=group, workers=workers, memory=memory, timezone=timezone,
        max_rejects=max_rejects, max_duration=max_duration, lock_timeout=lock_timeout, stall_timeout=stall_timeout,
    )  # fmt: skip
    if profile:
        write_profile(profile, {})  # whether it can be written is known before anything is done
    with watcher() as view:
        outcome = export_source(settings, view)
    tell(f"{totals_line(outcome.manifest['totals'], outcome.profile)}\n{cost_lines(outcome.profile)}")
    if profile:
        write_profile(profile, outcome.profile.as_object() | {"peak_memory": outcome.peak_memory})
    print(outcome.directory)


def write_profile(path: Path, content: dict[str, Any]) -> None:
    """Writes a profile. Raises `UsageError` where that cannot be."""
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the profile {path} cannot be written: {error.strerror}") from None

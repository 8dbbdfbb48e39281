"""Commands that read a source: check, init, export."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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

# As in exporter/settings.py, which `--help` does not load.
DEFAULT_FILE = Path("exporter.toml")

if TYPE_CHECKING:
    from exporter.checkup import Checkup


def check(
    source: Source = None,
    output: Output = None,
    config: Config = None,
    notes: Annotated[
        bool,
        typer.Option("--notes", help="Also list what is worth knowing (casts, views), and the estimate by table."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout instead, with everything; for CI.")
    ] = False,
) -> None:
    """Say whether the source can be exported (exit code 0) or not (3), and all that is wrong at once; write nothing.

    Also estimates rows, bytes and time of an export, and whether the disk has room, without reading a table.
    """
    from exporter.checkup import Checkup, unreachable
    from exporter.checkup import check as check_source
    from exporter.errors import SourceError
    from exporter.screen import findings_summary

    settings = settings_from(config, source=source, output=output)
    warn_of_password(source)
    try:
        checkup: Checkup = check_source(settings)
    except SourceError as error:
        if as_json:
            print_json(unreachable(settings, error))
        raise
    if as_json:
        print_json(checkup)
    else:
        show(checkup, notes=notes)
    said = findings_summary(checkup.findings)
    if not checkup.exportable:
        raise SourceError(f"the source cannot be exported: {said}")
    if not as_json:
        print(f"The source can be exported: {said}{' (see --notes)' if not notes else ''}.")


def init(
    source: Source = None,
    output_file: Annotated[
        Path, typer.Option("--output-file", metavar="FILE", help="Where the settings are written.")
    ] = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace the file when it exists.")] = False,
) -> None:
    """Write a settings file for a source: every setting of an export with a comment, and its names as guessed.

    The source is --source or EXPORTER_SOURCE; a password in it is not written. Nothing of the source is changed.
    """
    from exporter.progress import tell
    from exporter.screen import counted
    from exporter.settings_file import check_place, guess_names, settings_text, summary, write_settings
    from exporter.source.connection import password_in, without_password

    check_place(output_file, force=force)
    # An exporter.toml that is there is not read: it is what is made.
    settings = settings_from(Path(os.devnull), source=source)
    warn_of_password(source)
    guesses, faults = guess_names(settings)
    write_settings(output_file, settings_text(without_password(settings.source), guesses), force=force)
    if password_in(settings.source):
        tell(f"exporter: the password is not written into {output_file}; give it by PGPASSWORD or PGPASSFILE")
    print("\n".join(summary(guesses)))
    command = "exporter check" + (f" --config {output_file}" if output_file != DEFAULT_FILE else "")
    print(f"{output_file} is written. With it, a check finds {counted(faults, 'error')}.")
    print(f"Next: look at every name in it, complete what is commented out, and run: {command}")


def print_json(checkup: "Checkup") -> None:
    """The one object of `check --json`."""
    print(json.dumps(checkup.as_object(), indent=2, ensure_ascii=False))


def show(checkup: "Checkup", *, notes: bool) -> None:
    """Findings and estimate: as a table on a terminal, else a line each."""
    from rich.console import Console

    from exporter.screen import estimate_text, estimates_table, findings_table
    from exporter.source.check import Severity

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 160, highlight=False)
    listed = [finding for finding in checkup.findings if notes or finding.severity is not Severity.NOTE]
    if terminal and listed:
        console.print(findings_table(listed), "")
    else:
        for finding in listed:
            print(f"{finding.severity}: {finding}")
    if checkup.estimate and notes:
        console.print(estimates_table(checkup.estimate), "")
    if checkup.estimate:
        said = estimate_text(checkup.estimate, checkup.output, checkup.free)
        console.print(said, markup=False, emoji=False, soft_wrap=not terminal)
    if terminal:
        console.print()


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

    from exporter.pool import worker_pool

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
        from exporter.progress import tell
        from exporter.run import export as export_source
        from exporter.screen import cost_lines, totals_line
        from exporter.target.layout import REPORT
        from exporter.view import watcher

        warn_of_password(source)
        with watcher(settings.workers) as view:
            outcome = export_source(settings, pool, view)
    tell(f"{totals_line(outcome.manifest['totals'], outcome.profile)}\n{cost_lines(outcome.profile)}")
    tell(f"Its report: {outcome.directory / REPORT}")
    if outcome.archive:
        tell(f"Its archive: {outcome.archive}, {decimal(outcome.archive.stat().st_size)}")
    if profile:
        write_profile(profile, outcome.profile.as_object() | {"peak_memory": outcome.peak_memory})
    print(outcome.directory)


def write_profile(path: Path, content: dict[str, Any]) -> None:
    """Writes a profile. Raises `UsageError` where that cannot be."""
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the profile {path} cannot be written: {error.strerror}") from None

"""The guard against a wrong source: how far a new export may differ from the one behind the live graph."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from exporter.errors import GuardError, UsageError
from exporter.invocation import command
from exporter.published.diff import Change, changes, shared_changes
from exporter.published.extent import extent_of, same_window, window_text
from exporter.published.history import same_source
from exporter.published.verify import require_whole
from exporter.rebuild.report import RebuildReport
from exporter.rebuild.store import Store
from exporter.settings import RebuildSettings
from exporter.sink.manifest import Manifest, read_manifest
from exporter.text import visible


def check_export(export: Path, report: RebuildReport, *, named: str | None, accepted: bool) -> None:
    """Logs what a copy is. Raises `UsageError` for one that is not `accepted`, and `DifferenceError` for an export that
    the user has `named`, and that is not whole."""
    manifest = read_manifest(export)
    if manifest.is_copy:
        check_copy(manifest, report, name=named or export.name, accepted=accepted)
    if named:
        require_whole(export)


def check_copy(manifest: Manifest, report: RebuildReport, *, name: str, accepted: bool) -> None:
    """Logs what a copy is. Raises `UsageError` for one that is not `accepted`; the user knows the export by `name`."""
    contents = visible("; ".join(manifest.copy_lines))
    if not accepted:
        raise UsageError(
            f"the export {name} is a copy, which does not become the live graph unasked: {contents}\n"
            f"  If it is to: {command()} rebuild --accept-copy --from {shlex.quote(name)}"
        )
    report.log.write(f"The export is a copy: {contents}", "warning")


def guard(export: Path, live: Store | None, report: RebuildReport, limits: RebuildSettings, *, name: str) -> None:
    """Compares an export, which the user knows by `name`, with the one behind the live store, within these limits. A
    window is compared, too, with whatever is live: it may well have lost too much.

    Where that export is not known, or one of the two does not say of which source it is, or the whole source replaces a
    window, nothing can be compared, and the log says so. Raises `GuardError` for an export of another source, and as
    `check_changes` does.
    """
    after, before = read_manifest(export), live.manifest if live else None
    if blind := reason_for_no_comparison(before, after):
        report.log.write(f"The guard compares the export with nothing: {blind}", "warning")
        return
    assert before
    with report.step("guard", "Comparing the export with the one behind the live graph"):
        if before.model != after.model:
            report.log.write("They are of different graph models: only what both have is compared")
        if not same_window(extent_of(before), extent_of(after)):
            report.log.write(f"They are unlike windows: live {window_of(before)}; new {window_of(after)}", "warning")
        check_source(before, after, name)
        check_changes(before, after, name=name, max_drop=limits.max_drop, max_rejects_rise=limits.max_rejects_rise)


def reason_for_no_comparison(before: Manifest | None, after: Manifest) -> str:
    """Why two exports cannot be compared, in a sentence; empty if they can."""
    if before is None:
        return "no rebuild made the live graph, so what it holds is not known"
    if before.source.identity is None:
        return "the one behind the live graph does not say of which source it is, as those of version 1.0"
    if before.window and not after.window:
        return f"the live graph is a window ({window_of(before)}), and this is the whole source"
    return "" if after.source.identity else "it does not say of which source it is, as those of version 1.0"


def window_of(manifest: Manifest) -> str:
    """The window that an export is, in words."""
    return visible(window_text(extent_of(manifest)))


def check_source(before: Manifest, after: Manifest, name: str) -> None:
    """Raises `GuardError` if a new export is of another source than the one behind the live graph, with which it can
    then not be compared."""
    if same_source(before, after):
        return
    raise GuardError(
        "\n  ".join([
            f"the export {name} is of another source than the one behind the live graph, which is unchanged:",
            f"live: {visible(str(before.source.identity))}",
            f"new: {visible(str(after.source.identity))}",
            f"If the graph is to hold the new source from now on: {way_on(name, after)}",
        ])
    )  # fmt: skip


def check_changes(before: Manifest, after: Manifest, *, name: str, max_drop: float, max_rejects_rise: float) -> None:
    """Raises `GuardError`, which names every label and pattern with its numbers before and after, if one lost more
    than `max_drop` percent of its rows, or if the rejects rose by more than `max_rejects_rise` percent of all previous
    rows. Of two graph models, only what both have is compared. `name` is the new export's name for `--from`."""
    compared = (changes if before.model == after.model else shared_changes)(before, after)
    if reasons := [*drops(compared, max_drop), *rises(compared, max_rejects_rise)]:
        raise GuardError(
            "\n  ".join([
                f"the export {name} differs too much from the one behind the live graph, which is unchanged:",
                *reasons,
                f"If the source is correct anyway: {way_on(name, after)}",
            ])
        )  # fmt: skip


def way_on(name: str, after: Manifest) -> str:
    """The command that accepts an export all the same."""
    flags = "--accept-changes --accept-copy" if after.is_copy else "--accept-changes"
    return f"{command()} rebuild {flags} --from {shlex.quote(name)}"


def drops(compared: list[Change], percent: float) -> Iterator[str]:
    """A line for each label and pattern that lost more than `percent` of its rows."""
    for change in compared:
        if change.rows_before - change.rows_after > change.rows_before * percent / 100:
            lost = 1 - change.rows_after / change.rows_before
            numbers = f"{change.rows_before:,} rows before, {change.rows_after:,} now"
            yield f"{visible(change.pattern)}: {numbers} (-{lost:.1%}; --max-drop {percent:g}%)"


def rises(compared: list[Change], percent: float) -> Iterator[str]:
    """A line for all rejects, and for each label and pattern with more of them, if they rose by more than `percent` of
    all previous rows."""
    rows = sum(change.rows_before for change in compared)
    before, after = (sum(getattr(change, name) for change in compared) for name in ("rejects_before", "rejects_after"))
    if after - before <= rows * percent / 100:
        return
    yield f"rejects: {before:,} before, {after:,} now (--max-rejects-rise {percent:g}%)"
    for change in compared:
        if change.rejects_after > change.rejects_before:
            numbers = f"{change.rejects_before:,} rejects before, {change.rejects_after:,} now"
            yield f"{visible(change.pattern)}: {numbers}"

"""The guard against a wrong source: how far a new export may differ from the one behind the live graph."""

from collections.abc import Iterator

from exporter.errors import GuardError
from exporter.published.diff import changes
from exporter.sink.manifest import Manifest


def check_changes(before: Manifest, after: Manifest, *, name: str, max_drop: float, max_rejects_rise: float) -> None:
    """Raises `GuardError`, which names every label and pattern with its numbers before and after, if one lost more
    than `max_drop` percent of its rows, or if the rejects rose by more than `max_rejects_rise` percent of all previous
    rows. `name` is the new export's name for `--from`."""
    if reasons := [*drops(before, after, max_drop), *rises(before, after, max_rejects_rise)]:
        raise GuardError(
            "\n  ".join([
                f"the export {name} differs too much from the one behind the live graph, which is unchanged:",
                *reasons,
                "If the source is correct anyway: exporter rebuild --accept-changes --from " + name,
            ])
        )  # fmt: skip


def drops(before: Manifest, after: Manifest, percent: float) -> Iterator[str]:
    """A line for each label and pattern that lost more than `percent` of its rows."""
    for change in changes(before, after):
        if change.rows_before - change.rows_after > change.rows_before * percent / 100:
            lost = 1 - change.rows_after / change.rows_before
            numbers = f"{change.rows_before:,} rows before, {change.rows_after:,} now"
            yield f"{change.pattern}: {numbers} (-{lost:.1%}; --max-drop {percent:g}%)"


def rises(before: Manifest, after: Manifest, percent: float) -> Iterator[str]:
    """A line for all rejects, and for each label and pattern with more of them, if they rose by more than `percent` of
    all previous rows."""
    rows = before.totals.nodes + before.totals.relationships
    if after.totals.rejects - before.totals.rejects <= rows * percent / 100:
        return
    yield f"rejects: {before.totals.rejects:,} before, {after.totals.rejects:,} now (--max-rejects-rise {percent:g}%)"
    for change in changes(before, after):
        if change.rejects_after > change.rejects_before:
            yield f"{change.pattern}: {change.rejects_before:,} rejects before, {change.rejects_after:,} now"

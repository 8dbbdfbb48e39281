"""The guard against a wrong source: how unlike the export behind the live graph a new one may be."""

from collections.abc import Iterator

from exporter.errors import GuardError
from exporter.published.diff import changes
from exporter.sink.manifest import Manifest


def check_changes(before: Manifest, after: Manifest, *, name: str, max_drop: float, max_rejects_rise: float) -> None:
    """Raises `GuardError`, which names every label and pattern with its numbers before and after, when one lost more
    than `max_drop` percent of its rows, or when all rejects rose by more than `max_rejects_rise` percent of all rows
    that there were. `name` is what the new export is called by."""
    if found := [*drops(before, after, max_drop), *rises(before, after, max_rejects_rise)]:
        raise GuardError(
            "\n  ".join([
                f"the export {name} is too unlike the one behind the live graph, which stays as it is:",
                *found,
                "If the source is right all the same: exporter rebuild --accept-changes --from " + name,
            ])
        )  # fmt: skip


def drops(before: Manifest, after: Manifest, percent: float) -> Iterator[str]:
    for each in changes(before, after):
        if each.rows_before - each.rows_after > each.rows_before * percent / 100:
            lost = 1 - each.rows_after / each.rows_before
            numbers = f"{each.rows_before:,} rows before, {each.rows_after:,} now"
            yield f"{each.pattern}: {numbers} (-{lost:.1%}; --max-drop {percent:g}%)"


def rises(before: Manifest, after: Manifest, percent: float) -> Iterator[str]:
    rows = before.totals.nodes + before.totals.relationships
    if after.totals.rejects - before.totals.rejects <= rows * percent / 100:
        return
    yield f"rejects: {before.totals.rejects:,} before, {after.totals.rejects:,} now (--max-rejects-rise {percent:g}%)"
    for each in changes(before, after):
        if each.rejects_after > each.rejects_before:
            yield f"{each.pattern}: {each.rejects_before:,} rejects before, {each.rejects_after:,} now"

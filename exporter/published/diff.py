"""What changed from one export to another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.published.extent import extent_of, redaction_text, same_redaction, same_window, window_text
from exporter.published.history import same_source
from exporter.sink.entries import EntityEntry
from exporter.sink.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Change:
    """A label or pattern (as named in messages) in two exports, with 0 for an export that does not have it."""

    pattern: str
    rows_before: int
    rows_after: int
    rejects_before: int
    rejects_after: int

    @property
    def changed(self) -> bool:
        return (self.rows_before, self.rejects_before) != (self.rows_after, self.rejects_after)


def changes(before: Manifest, after: Manifest) -> list[Change]:
    """Every label and pattern of two exports, in the order of the later one; those it does not have come last."""
    old, new = ({entry.pattern: entry for entry in manifest.entities} for manifest in (before, after))
    compared = []
    for pattern in dict.fromkeys([*new, *old]):
        (rows_before, rejects_before), (rows_after, rejects_after) = (
            rows_and_rejects(entries.get(pattern)) for entries in (old, new)
        )
        compared.append(Change(pattern, rows_before, rows_after, rejects_before, rejects_after))
    return compared


def shared_changes(before: Manifest, after: Manifest) -> list[Change]:
    """The labels and patterns that both exports have, in the order of the later one."""
    old, new = ({entry.pattern for entry in manifest.entities} for manifest in (before, after))
    return [change for change in changes(before, after) if change.pattern in old & new]


def rows_and_rejects(entry: EntityEntry | None) -> tuple[int, int]:
    """The rows of a label or pattern, and its rejects."""
    return (entry.rows, sum(entry.rejects.values())) if entry else (0, 0)


def remarks(before: Manifest, after: Manifest) -> list[str]:
    """What makes two exports more different than their numbers show: another source, graph model, window or masking, in
    sentences."""
    found = []
    sources = before.source.identity, after.source.identity
    if None in sources:
        found.append("Whether they are of the same source is not known: exports of version 1.0 do not say it.")
    elif not same_source(before, after):
        found.append("They are of different sources: {} and {}.".format(*sources))
    if before.model != after.model:
        found.append("They are of different graph models.")
    extents = extent_of(before), extent_of(after)
    if not same_window(*extents):
        found.append("They are unlike windows: {}, and {}.".format(*map(window_text, extents)))
    if not same_redaction(*extents):
        found.append("They are not masked alike: {}, and {}.".format(*map(redaction_text, extents)))
    return found


def diff_object(before: Path, after: Path, manifests: tuple[Manifest, Manifest]) -> dict[str, Any]:
    """The object of `exporter runs --diff A B --json` (docs/settings.md): what changed from one export to another."""
    extents = extent_of(manifests[0]), extent_of(manifests[1])
    known = None not in [manifest.source.identity for manifest in manifests]
    return {
        "before": before.resolve().name,
        "after": after.resolve().name,
        "same_source": same_source(*manifests) if known else None,
        "same_model": manifests[0].model == manifests[1].model,
        "same_window": same_window(*extents),
        "same_redaction": same_redaction(*extents),
        "changes": [
            {
                "name": change.pattern,
                "rows_before": change.rows_before,
                "rows_after": change.rows_after,
                "rejects_before": change.rejects_before,
                "rejects_after": change.rejects_after,
            }
            for change in changes(*manifests)
            if change.changed
        ],
    }

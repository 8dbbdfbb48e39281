"""What changed from one export to another."""

from dataclasses import dataclass

from exporter.sink.manifest import EntityEntry, Manifest


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


def rows_and_rejects(entry: EntityEntry | None) -> tuple[int, int]:
    """The rows of a label or pattern, and its rejects."""
    return (entry.rows, sum(entry.rejects.values())) if entry else (0, 0)

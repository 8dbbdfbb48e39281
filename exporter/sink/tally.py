"""What was written of a label or pattern, and the check that every row is accounted for. Does not load Polars: leader
and workers share it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from exporter.sink.files import FileRecord
from exporter.sink.layout import entities

# Measured on 2026.09.0 and 5.26.29 (neo4j-facts.md): one more byte of UTF-8, in letters of any width, fails a range
# index and a uniqueness constraint, and `CALL db.awaitIndexes` with it. Values of other types always fit.
LARGEST_TEXT = 8164

UNREPRESENTABLE = "unrepresentable_value"


@dataclass(frozen=True, slots=True)
class Oversized:
    """Texts of one property that no index can hold: how many, the bytes of the largest, and the key of its node."""

    values: int
    bytes: int
    key: str

    def __add__(self, other: Self) -> "Oversized":
        largest = max(self, other, key=lambda found: (found.bytes, found.key))
        return Oversized(self.values + other.values, largest.bytes, largest.key)

    def reason(self, label: str) -> str:
        """Why the property of a label has no index, as a part of a sentence."""
        exceed = "value exceeds" if self.values == 1 else "values exceed"
        return (
            f"{self.values:,} {exceed} the {LARGEST_TEXT:,} bytes that an index holds; "
            f"the largest, of the {label} {self.key}, has {self.bytes:,}"
        )


@dataclass(frozen=True, slots=True)
class SkippedIndex:
    """An index that schema.cypher leaves out, with the texts for which that is: an entry of the manifest, and as text a
    sentence."""

    label: str
    property: str
    values: int
    bytes: int
    key: str

    def __str__(self) -> str:
        found = Oversized(self.values, self.bytes, self.key)
        return f"no index on {self.label}.{self.property}: {found.reason(self.label)}"


@dataclass(frozen=True, slots=True)
class Tally:
    """What was written of one entity: by one chunk, or by all of them.

    `values` counts the non-null values by column, `no_target` the rows without a target, `rejects` the rejects by
    reason, `outside` the rows outside of the window, `suppressed` the values by column that a masked copy leaves out.
    `multiline` says whether a value holds a line break, no line has
    more bytes than `longest`, `oversized` has the properties whose index must be left out.
    """

    rows: int = 0
    values: Counter[str] = field(default_factory=Counter)
    no_target: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)
    multiline: bool = False
    longest: int = 0
    oversized: Mapping[str, Oversized] = field(default_factory=dict)
    files: tuple[FileRecord, ...] = ()
    reject_files: tuple[FileRecord, ...] = ()

    def __add__(self, other: Self) -> "Tally":
        return Tally(
            self.rows + other.rows,
            self.values + other.values,
            self.no_target + other.no_target,
            self.rejects + other.rejects,
            self.outside + other.outside,
            self.suppressed + other.suppressed,
            self.multiline or other.multiline,
            max(self.longest, other.longest),
            merged(self.oversized, other.oversized),
            self.files + other.files,
            self.reject_files + other.reject_files,
        )

    @property
    def accounted(self) -> int:
        """The rows of its table that are accounted for (contract.md: every row is, always)."""
        return self.rows + self.no_target + rows_left_out(self.rejects) + self.outside


def merged(first: Mapping[str, Oversized], second: Mapping[str, Oversized]) -> dict[str, Oversized]:
    """The oversized texts of both, by property."""
    both = {name: first[name] + second[name] for name in first.keys() & second.keys()}
    return {**first, **second, **both}


def rows_left_out(rejects: Mapping[str, int]) -> int:
    """How many rows the rejects by reason stand for: an unrepresentable value does not cost the row."""
    return sum(count for reason, count in rejects.items() if reason != UNREPRESENTABLE)


def new_tallies() -> dict[str, Tally]:
    """An empty tally for every entity by its name, in import order."""
    return {entity.name: Tally() for entity in entities()}


def skipped_indexes(tallies: Mapping[str, Tally]) -> list[SkippedIndex]:
    """The indexes that must be left out, in import order."""
    return [
        SkippedIndex(entity.name, prop, found.values, found.bytes, found.key)
        for entity in entities()
        for prop, found in sorted(tallies[entity.name].oversized.items())
    ]


def unaccounted(
    tallies: Mapping[str, Tally],
    counts: Mapping[str, int],
    rows_read: Mapping[str, int],
    outside: Mapping[str, int] = MappingProxyType({}),
) -> list[str]:
    """Where the numbers do not add up, one sentence each.

    By table: `counts` is `count(*)` in the snapshot, `rows_read` the rows that the workers read, and `outside` those
    that are not in the window.
    """
    faults = []
    for table, count in counts.items():
        read, left_out = rows_read.get(table, 0), outside.get(table, 0)
        if read + left_out != count:
            others = f" and {left_out} are outside of the window" if outside else ""
            faults.append(f"{table} has {count} rows in the snapshot, but {read} were read{others}")
    for entity in entities():
        accounted, count = tallies[entity.name].accounted, counts[entity.table]
        if accounted != count:
            faults.append(f"{entity.name}: {accounted} of the {count} rows of {entity.table} are accounted for")
    return faults

"""How rare a masked export leaves the people in it: the sizes of the classes of nodes that are equal in properties
which identify nobody alone, but may in combination."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from exporter.errors import LimitError
from exporter.model.tables import node
from exporter.sink import layout
from exporter.sink.copies import UniquenessEntry, WithoutProperty
from exporter.sink.headers import columns
from exporter.sink.manifest import Manifest

# A class is counted by a hash of its values: 8 bytes, and 4 for its nodes; twice that while two counts are merged.
CLASS_BYTES = 24
MEMORY = 256 << 20
HASH, NODES = "hash", "nodes"
SCHEMA = {HASH: pl.UInt64, NODES: pl.UInt32}


@dataclass(frozen=True, slots=True)
class Classes:
    """How many classes there are, how many nodes the smallest has, and how many are in one of fewer than k."""

    number: int = 0
    smallest: int = 0
    small: int = 0

    def with_more(self, sizes: pl.Series, k: int) -> "Classes":
        """With the classes of these sizes, of which none was counted before."""
        if sizes.is_empty():
            return self
        smallest = int(sizes.min())  # type: ignore[arg-type]
        small = int(sizes.filter(sizes < k).cast(pl.Int64).sum())
        smallest = min(self.smallest, smallest) if self.number else smallest
        return Classes(self.number + len(sizes), smallest, self.small + small)


def uniqueness(
    directory: Path, label: str, properties: Sequence[str], k: int, *, memory: int = MEMORY
) -> UniquenessEntry:
    """How rare the tuples of some properties are among the nodes of a label in an export, published or partial.

    Nulls count as values, and so does the empty text. The data files are read one after the other: once, if the classes
    fit into about `memory` bytes, else several times, each for another part of the classes.
    """
    files = DataFiles(directory, label)
    nodes = sum(frame.height for frame in files.frames(properties[:1]))
    tuples = [tuple(properties)]
    if len(properties) > 1:
        tuples += [tuple(name for name in properties if name != left_out) for left_out in properties]
    parts = 1 + nodes * len(tuples) * CLASS_BYTES // memory
    found = [Classes() for _ in tuples]
    for part in range(parts):
        counted = [pl.DataFrame(schema=SCHEMA) for _ in tuples]
        for frame in files.frames(properties):
            for number, names in enumerate(tuples):
                counted[number] = merged(counted[number], count_classes(frame, names, part, parts))
        found = [classes.with_more(sizes[NODES], k) for classes, sizes in zip(found, counted, strict=True)]
    whole, *without = found
    return UniquenessEntry(
        label, list(properties), k, nodes, whole.number, whole.smallest, whole.small,
        [WithoutProperty(name, classes.smallest, classes.small)
         for name, classes in zip(properties, without, strict=False)],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DataFiles:
    """The data files of a label in an export."""

    directory: Path
    label: str

    def frames(self, properties: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Some properties (String) of the nodes of each file that has any."""
        names = [name for name, _ in columns(node(self.label))]
        for path in sorted((self.directory / layout.data_folder(node(self.label))).glob("*.csv")):
            if path.stat().st_size:
                file = pl.scan_csv(path, glob=False, has_header=False, infer_schema=False, new_columns=names)
                yield file.select(properties).collect()


def count_classes(frame: pl.DataFrame, names: Iterable[str], part: int, parts: int) -> pl.DataFrame:
    """The classes (`SCHEMA`) of these columns whose hash is in one of several parts. The hash is not kept, so it need
    not be the same for ever."""
    hashes = frame.select(pl.struct(names).hash().alias(HASH))
    if parts > 1:
        hashes = hashes.filter(pl.col(HASH) % parts == part)
    return hashes.group_by(HASH).agg(pl.len().cast(pl.UInt32).alias(NODES))


def merged(counted: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Two counts of classes as one."""
    if counted.is_empty():
        return more
    return pl.concat([counted, more]).group_by(HASH).agg(pl.col(NODES).sum())


def small_share(entry: UniquenessEntry) -> float:
    """The share of the nodes that are in a class of fewer than k."""
    return entry.small / entry.rows if entry.rows else 0.0


def described(entry: UniquenessEntry) -> str:
    """`4.2 % of the CustomerProfile nodes share dob and gender with fewer than 4 others; without gender: 0.4 %`: the
    property is named whose absence helps most."""
    *most, last = entry.properties
    names = f"{', '.join(most)} and {last}" if most else last
    share = f"{100 * small_share(entry):.1f} % of the {entry.label} nodes"
    text = f"{share} share {names} with fewer than {entry.k - 1} others"
    best = min(entry.without, key=lambda without: without.small, default=None)
    if best is None or best.small >= entry.small:
        return text
    return f"{text}; without {best.property}: {100 * best.small / entry.rows:.1f} %"


def warnings(entries: Iterable[UniquenessEntry]) -> list[str]:
    """A sentence for each set of properties that leaves nodes in classes of fewer than k."""
    return [f"{described(entry)} (--redact-k {entry.k})" for entry in entries if entry.small]


def uniqueness_warnings(manifest: Manifest) -> list[str]:
    """The sentences about a masked export; none about an unmasked one."""
    return warnings(manifest.redaction.k_anonymity) if manifest.redaction else []


def check_uniqueness(entries: Iterable[UniquenessEntry], max_small: float | None) -> None:
    """Raises `LimitError` where more than the share `max_small` of a label's nodes are in classes of fewer than k; None
    allows any number."""
    over = [described(entry) for entry in entries if max_small is not None and small_share(entry) > max_small]
    if over:
        limit = f"--redact-max-small {100 * (max_small or 0):g}%"
        raise LimitError(f"more than {limit}, nothing was published: {'; '.join(over)}")

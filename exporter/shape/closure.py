"""The closure of a window: which rows are in, by the rules of ways_in.py, from the links of all rows.

Sets of kept ids only grow, so it ends, whatever cycles there are. Tables are scanned slice by slice, again and again
while a set grows by which their rows may be in; what a scan adds is added at its end, so that the result, and what
brought each row in, does not depend on the order of rows.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import polars as pl

from exporter.model import frame
from exporter.model.graph import RELATIONSHIPS
from exporter.model.tables import Table, node
from exporter.model.ways_in import is_left_out, kept, link_tables, people, person_columns, ways_in
from exporter.model.window import CLOSED_LABELS, Closed, Window, pattern, table_of, up_references
from exporter.shape.draw import AUTH_USERS, CUSTOMERS, is_drawn
from exporter.shape.ids import canonical
from exporter.shape.kept import GrowingIds, Kept, bounds_of
from exporter.shape.links import links_of, way_of_rows
from exporter.shape.mapped import make_directory, open_frame, write_frame

# Links are scanned in slices of so many rows: memory is bounded by the slice.
SLICE = 1_000_000
# What kept an id first: a seed, or the relationship with this number or one of the following.
SEED, FIRST_PATTERN = 1, 2
PATTERNS = [pattern(relationship) for relationship in RELATIONSHIPS]


def write_links(directory: Path, name: str, number: int, raw: pl.DataFrame, window: Window) -> None:
    """Writes the links of a chunk of a table (its number counts from 1) from its raw frame, as `links_of` takes it."""
    path = links_directory(directory, name) / f"{number:08}.arrow"
    make_directory(path.parent)
    write_frame(path, links_of(raw, name, window))


def links_directory(directory: Path, name: str) -> Path:
    """Where the links of a table are, one file a chunk."""
    return directory / "links" / name


def link_files(directory: Path, name: str) -> list[Path]:
    """The files of the links of a table, in the order of its chunks."""
    return sorted(links_directory(directory, name).glob("*.arrow"))


def own_keys(directory: Path, name: str) -> Iterator[pl.Series]:
    """The canonical own keys (Int64, with nulls) of all rows of a table with a closed label, chunk by chunk."""
    (key,) = table_of(name).key_columns
    return (open_frame(path)[key] for path in link_files(directory, name))


def close(links: Path, directory: Path, window: Window) -> Closed:
    """Writes the sets of what is kept below a directory, by the links of all `link_tables` below `links`, and counts
    what is in. A table whose label is left out has no links."""
    closure = Closure(links, directory, window)
    if window.sample is None:
        closure.find_roots()
    else:
        closure.draw_people(window.sample)
    closure.complete()
    return Closed(closure.rows, closure.pulled())


class Closure:
    """A closure while it is computed: the sets of ids by name, and of each table that was scanned, by chunk, the rows
    read and those in, and by pattern those that it brought in first."""

    def __init__(self, links: Path, directory: Path, window: Window) -> None:
        self.links, self.directory, self.window = links, directory, window
        self.tables = [table for table in link_tables() if not is_left_out(table, window)]
        self.ways = {table.name: ways_in(table.name, window) for table in self.tables}
        self.bounds = {label: bounds_of(own_keys(links, node(label).table)) for label in sorted(CLOSED_LABELS)}
        self.sets = {kept(label): self.new_set(kept(label), label) for label in self.bounds}
        self.rows: dict[str, tuple[tuple[int, int], ...]] = {}
        self.brought: dict[str, Counter[str]] = {}

    def new_set(self, name: str, label: str) -> GrowingIds:
        """A set of ids of a label."""
        return GrowingIds(self.directory / name, self.bounds.get(label))

    def contains(self, name: str, ids: pl.Series) -> pl.Series:
        """Whether each id (Int64; null: no) is in the set of that name."""
        return self.sets[name].contains(ids)

    def slices(self, name: str) -> Iterator[pl.DataFrame]:
        """The links of a table."""
        for path in link_files(self.links, name):
            yield from open_frame(path).iter_slices(SLICE)

    def find_roots(self) -> None:
        """Writes the sets of what was asked for."""
        for label, ids in self.window.people.items():
            self.sets[people(label)] = self.new_set(people(label), label)
            self.sets[people(label)].add(pl.Series(ids, dtype=pl.Int64), SEED)

    def draw_people(self, share: Fraction) -> None:
        """Writes the sets of the people who are drawn, of those whose rows are in time. An auth user is if one of its
        customers is; if it has none, by itself."""
        owned, drawn = (self.new_set(name, "AuthUser") for name in ("owned", "drawn"))
        for links in self.slices("customers.customer"):
            claims = links.select("customer_id", "x_auth_id").drop_nulls()
            mine = is_drawn(claims["customer_id"], share, seed=self.window.seed, kind=CUSTOMERS)
            owned.add(claims["x_auth_id"], SEED)
            drawn.add(claims["x_auth_id"].filter(mine), SEED)
        seen = {label: self.new_set(f"seen/{label}", label) for label in ("Customer", "AuthUser")}
        for label in seen:
            self.sets[people(label)] = self.new_set(people(label), label)
        for table in self.tables:
            for label, column in person_columns(table.name, self.window):
                for links in self.slices(table.name):
                    in_time = links.filter(frame.IN_TIME) if frame.IN_TIME in links.columns else links
                    # Each id is drawn once: to draw costs ten times as much as to know it.
                    ids = seen[label].missing(in_time[column])
                    seen[label].add(ids, SEED)
                    kind = CUSTOMERS if label == "Customer" else AUTH_USERS
                    found = is_drawn(ids, share, seed=self.window.seed, kind=kind)
                    if label == "AuthUser":
                        found = drawn.contains(ids) | (found & ~owned.contains(ids))
                    self.sets[people(label)].add(ids.filter(found), SEED)
        for done in (owned, drawn, *seen.values()):
            shutil.rmtree(done.directory)

    def complete(self) -> None:
        """Scans tables until no set by which rows may be in has grown since."""
        scanned: dict[str, list[int]] = {}
        grown = True
        while grown:
            grown = False
            for table in self.tables:
                counts = [self.sets[way.ids].count for way in self.ways[table.name] if way.ids]
                if scanned.get(table.name) != counts:
                    scanned[table.name], grown = counts, True
                    self.scan(table)

    def scan(self, table: Table) -> None:
        """Counts the rows of a table that are in, and adds what they keep."""
        rows = []
        staged = list[tuple[int, str, Path]]()
        self.brought[table.name] = Counter()
        for path in link_files(self.links, table.name):
            inside = 0
            links = open_frame(path)
            for part in links.iter_slices(SLICE):
                ways = way_of_rows(part, self.ways[table.name], self.contains)
                inside += int((ways > 0).sum())
                self.count_brought(table, part, ways)
                for mark, name, ids in self.new_ids(table, part, ways):
                    if len(ids):
                        staged.append((mark, name, self.directory / f"new-{len(staged)}.arrow"))
                        write_frame(staged[-1][-1], ids.to_frame())
            rows.append((links.height, inside))
        self.rows[table.name] = tuple(rows)
        for mark, name, path in sorted(staged):
            self.sets[name].add(open_frame(path).to_series(), mark)
            path.unlink()

    def new_ids(self, table: Table, links: pl.DataFrame, ways: pl.Series) -> Iterator[tuple[int, str, pl.Series]]:
        """What rows that are in, by these ways, keep: marks, names of sets, ids that are not in them yet."""
        for number, way in enumerate(self.ways[table.name], 1):
            if table.node and table.node.label in CLOSED_LABELS and (way.seed or way.pattern):
                name = kept(table.node.label)
                ids = links[table.key_columns[0]].filter(ways == number)
                yield mark_of(way.pattern), name, self.sets[name].missing(ids)
        for up in up_references(table.name):
            yield (
                mark_of(up.pattern),
                kept(up.label),
                self.sets[kept(up.label)].missing(links[up.column].filter(ways > 0)),
            )

    def count_brought(self, table: Table, links: pl.DataFrame, ways: pl.Series) -> None:
        """Counts the rows that are in and no seeds, by the pattern that brought them."""
        for number, way in enumerate(self.ways[table.name], 1):
            if way.pattern:
                self.brought[table.name][way.pattern] += int((ways == number).sum())
            elif not way.seed:
                assert way.ids and way.column
                marks = self.sets[way.ids].marks(links[way.column].filter(ways == number))
                for mark, count in marks.value_counts().iter_rows():
                    if mark >= FIRST_PATTERN:
                        self.brought[table.name][PATTERNS[mark - FIRST_PATTERN]] += count

    def pulled(self) -> dict[str, int]:
        """The rows that each pattern brought in first, in the order of the patterns."""
        total = sum(self.brought.values(), Counter[str]())
        return {name: total[name] for name in PATTERNS if total[name]}


def mark_of(name: str | None) -> int:
    """The mark of ids that a relationship keeps; of seeds if it is None."""
    return SEED if name is None else FIRST_PATTERN + PATTERNS.index(name)


def rows_in(directory: Path, window: Window, name: str, raw: pl.DataFrame) -> pl.Series:
    """Which rows of a raw frame of a table are in, by the sets that `close` wrote (Boolean)."""
    return way_of_rows(links_of(raw, name, window), ways_in(name, window), Kept(directory).contains) > 0


def unkept(directory: Path, name: str, raw: pl.DataFrame) -> pl.Series:
    """Which rows of a raw frame, all of them in, refer to something that is not kept (Boolean): none, or the closure is
    wrong."""
    found = pl.repeat(False, raw.height, dtype=pl.Boolean, eager=True)
    for up in up_references(name):
        ids = canonical(raw[up.column], up.id_rule)
        found |= ids.is_not_null() & ~Kept(directory).contains(kept(up.label), ids)
    return found

"""The links of a table's rows: what decides whether a row is in a window, and what it keeps, in canonical form."""

from collections.abc import Callable, Sequence

import polars as pl

from exporter.model import frame
from exporter.model.tables import Table, tables
from exporter.model.vocabulary import IdRule, Type
from exporter.model.ways_in import WayIn, person_columns, ways_in
from exporter.model.window import CLOSED_LABELS, SINGLE_ROOTS, Window, table_of, up_references
from exporter.shape.draw import ROWS, is_drawn, number_of
from exporter.shape.ids import canonical

# Columns of links beside the canonical ids, which have their column's name.
KNOWN = "key is known"
DRAWN = "is drawn"

# Whether each id (Int64; null: no) is in the set of that name.
Contains = Callable[[str, pl.Series], pl.Series]


def links_of(raw: pl.DataFrame, name: str, window: Window) -> pl.DataFrame:
    """The links of a table's rows, from a raw frame (model/frame.py) with the columns `link_columns`; where a column of
    the own key is missing, it is neither null nor malformed.

    The columns are the canonical ids (Int64), `in time`, and, if the window's ways in need them, whether the own key is
    neither null nor malformed and whether a row that is nobody's is drawn (Boolean).
    """
    table, ways = table_of(name), ways_in(name, window)
    links = {column: canonical_ids(raw, table, column) for column in id_columns(table, window)}
    if any(way.timed for way in ways):
        links[frame.IN_TIME] = raw[frame.IN_TIME]
    if any(way.with_key for way in ways):
        links[KNOWN] = known_keys(raw, table)
    for way in ways:
        if way.nulls and way.column:
            links[DRAWN] = drawn_by_key(raw, table, window, links[way.column].is_null())
    return pl.DataFrame(links)


def id_columns(table: Table, window: Window) -> list[str]:
    """The columns of a table whose canonical ids the closure compares."""
    label = table.node.label if table.node else ""
    closed = label in CLOSED_LABELS or (label in SINGLE_ROOTS and label in window.people)
    own = table.key_columns if closed else ()
    up = [up.column for up in up_references(table.name)]
    return list(dict.fromkeys([*own, *up, *(column for _, column in person_columns(table.name, window))]))


def canonical_ids(raw: pl.DataFrame, table: Table, column: str) -> pl.Series:
    """The canonical form of a column (Int64; String for UUIDs)."""
    use = table.uses()[column]
    assert isinstance(use, IdRule)
    return canonical(raw[column], use)


def known_keys(raw: pl.DataFrame, table: Table) -> pl.Series:
    """Whether each row's own key is neither null nor malformed (Boolean)."""
    known = pl.repeat(True, raw.height, dtype=pl.Boolean, eager=True)
    for column in table.key_columns:
        if column in raw.columns:
            is_text = table.uses()[column] is Type.STRING  # the second part of a pair
            known &= (raw[column] if is_text else canonical_ids(raw, table, column)).is_not_null()
    return known


def drawn_by_key(raw: pl.DataFrame, table: Table, window: Window, nobodys: pl.Series) -> pl.Series:
    """Which of the rows that are nobody's (Boolean) are drawn by their own key; not if that is null or malformed."""
    assert window.sample is not None
    if not nobodys.any():
        return nobodys
    keys = canonical_ids(raw.filter(nobodys), table, table.key_columns[0])
    numbers = number_of(keys) if keys.dtype == pl.String else keys
    found = is_drawn(numbers, window.sample, seed=window.seed, kind=ROWS + tables().index(table) + 1)
    return nobodys.scatter(nobodys.arg_true(), found)


def way_of_rows(links: pl.DataFrame, ways: Sequence[WayIn], contains: Contains) -> pl.Series:
    """By which of the ways each row is in, the first that holds, from 1 (UInt8); 0 for rows that are out."""
    found = pl.zeros(links.height, dtype=pl.UInt8, eager=True)
    for number, way in reversed(list(enumerate(ways, 1))):
        found = found.set(holds(links, way, contains), number)
    return found


def holds(links: pl.DataFrame, way: WayIn, contains: Contains) -> pl.Series:
    """For which rows a way in holds (Boolean)."""
    conditions = []
    if way.timed:
        conditions.append(links[frame.IN_TIME])
    if way.with_key:
        conditions.append(links[KNOWN])
    if way.nulls:
        conditions.append(links[DRAWN])
    elif way.column and way.ids:
        conditions.append(contains(way.ids, links[way.column]))
    holding = pl.repeat(True, links.height, dtype=pl.Boolean, eager=True)
    for condition in conditions:
        holding &= condition
    return holding

"""Why a row is in a window: each reason as plain data, for the closure that counts such rows, for the queries that read
them, and for the workers that judge them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from exporter.model.tables import Table, tables
from exporter.model.window import (
    CLOSED_LABELS,
    COMPANIONS,
    GUIDES,
    PEOPLE_TABLES,
    PERSONS,
    SINGLE_ROOTS,
    WHOLE,
    Window,
    table_of,
    up_references,
)


@dataclass(frozen=True, slots=True)
class WayIn:
    """One reason for which a row is in: the canonical id of `column` is in the set `ids` (both None: whatever it is),
    and, if `timed`, the row is in time.

    `nulls`: instead, the column has no canonical id, and the row's own key is drawn. `with_key`: only rows whose own
    key is neither null nor malformed. `seed`: such rows are seeds. `pattern`: the relationship of a companion.
    """

    column: str | None = None
    ids: str | None = None
    timed: bool = False
    nulls: bool = False
    with_key: bool = False
    seed: bool = False
    pattern: str | None = None


def kept(label: str) -> str:
    """The name of the set of a closed label's kept ids."""
    return f"kept/{label}"


def people(label: str) -> str:
    """The name of the set of the ids of a label that were asked for, or drawn and found."""
    return f"people/{label}"


def ways_in(name: str, window: Window) -> tuple[WayIn, ...]:
    """The reasons for which a row of a table is in, one of which must hold; if there are none, no row is."""
    table = table_of(name)
    if is_left_out(table, window):
        return ()
    if name in WHOLE:
        return (WayIn(seed=True),)
    return (*seeds(table, window), *pulls(table))


def is_left_out(table: Table, window: Window) -> bool:
    """Whether a table's label is left out of a window."""
    return table.node is not None and table.node.label in window.without


def seeds(table: Table, window: Window) -> Iterator[WayIn]:
    """For which reasons a dated row is a seed: the others do not hold for rows that nobody asked for."""
    if not window.of_people:
        yield WayIn(timed=window.timed, seed=True)
        return
    assert table.node is not None
    timed = window.timed and table.name not in PEOPLE_TABLES
    for label, column in person_columns(table.name, window):
        yield WayIn(column, people(label), timed=timed, seed=True)
        if window.sample is not None and column not in table.key_columns:
            yield WayIn(column, timed=timed, nulls=True, seed=True)
    if table.node.label in SINGLE_ROOTS and window.people.get(table.node.label):
        yield WayIn(table.key_columns[0], people(table.node.label), seed=True)


def pulls(table: Table) -> Iterator[WayIn]:
    """For which reasons a dated row that is no seed is in."""
    assert table.node is not None
    if table.node.label in CLOSED_LABELS:
        yield WayIn(table.key_columns[0], kept(table.node.label))
    for up in up_references(table.name):
        if up.column in COMPANIONS.get(table.name, ()):
            yield WayIn(up.column, kept(up.label), with_key=True, pattern=up.pattern)


def person_columns(name: str, window: Window) -> Iterator[tuple[str, str]]:
    """The labels and columns by which a row of a table is somebody's who may be asked for."""
    persons = (PERSONS.get(name), GUIDES.get(name))
    yield from (person for person in persons if person and (drawn(person[0], window) or window.people.get(person[0])))


def drawn(label: str, window: Window) -> bool:
    """Whether ids of a label are drawn."""
    return window.sample is not None and label in ("Customer", "AuthUser")


def link_columns(name: str, window: Window) -> tuple[str, ...]:
    """The columns that decide whether a row of a table is in, and what it keeps. Those of its own key that cannot be
    null or malformed may be left out, unless the label is closed, a root, or people are drawn."""
    table = table_of(name)
    of_people = [column for _, column in person_columns(name, window)]
    own = table.key_columns if name not in WHOLE else ()
    return tuple(dict.fromkeys([*own, *(up.column for up in up_references(name)), *of_people]))


@cache
def link_tables() -> tuple[Table, ...]:
    """The tables whose links are read: the dated ones and those that refer to a closed label, in the order in which
    their patterns are declared."""
    return tuple(sorted((each for each in tables() if each.name not in WHOLE or up_references(each.name)), key=place))


def place(table: Table) -> int:
    """The place of a table's first relationship in the declaration; after the last if it makes none."""
    declared = table.graph.relationships
    return declared.index(table.relationships[0]) if table.relationships else len(declared)


def is_activity(name: str) -> bool:
    """Whether rows of a table are in only as seeds: nothing that is kept brings them in."""
    return name not in WHOLE and not any(pulls(table_of(name)))

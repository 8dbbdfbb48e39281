"""The declaration of windows checked against the graph: what would make a window wrong, one sentence each."""

from collections.abc import Iterator

from exporter.model import window
from exporter.model.tables import Table, ends, is_declared, node, tables
from exporter.model.vocabulary import IdRule, Type


def window_problems() -> Iterator[str]:
    """Everything that would make a window of the declared graph wrong or impossible."""
    known = {table.name for table in tables()}
    for name in sorted({*window.WHOLE, *window.TIMES, *window.COMPANIONS, *window.PERSONS, *window.GUIDES} - known):
        yield f"windows: there is no table {name}"
    for table in tables():
        yield from unfollowed(table)
        if table.name not in window.WHOLE:
            yield from bad_dated_table(table)


def bad_dated_table(table: Table) -> Iterator[str]:
    """Why the rows of a table cannot be judged one by one; then they must all be in."""
    if table.node is None:
        yield f"windows: {table.name} is a join table, so it must be whole"
        return
    time = window.time_column(table.name)
    if table.uses().get(time) is not Type.DATETIME:
        yield f"windows: {table.name} has no {time} that says when its rows are made, so it must be whole"
    up = {up.column for up in window.up_references(table.name)}
    for column in window.COMPANIONS.get(table.name, ()):
        if column not in up:
            yield f"windows: {table.name}.{column} brings no row in, since it refers to no label that can be left out"
    for persons in (window.PERSONS, window.GUIDES):
        label, column = persons.get(table.name, ("", table.key_columns[0]))
        if not isinstance(table.uses().get(column), IdRule) or (label and not is_declared(label)):
            yield f"windows: {table.name}.{column} says whose a row is, and is the id of no {label}"


def unfollowed(table: Table) -> Iterator[str]:
    """The references of a table's rows that a window cannot follow: to rows that it may leave out, found by anything
    but an integer."""
    for relationship in table.relationships:
        for label, reference in ends(relationship):
            if table.owns(label, reference) or node(label).table in window.WHOLE:
                continue
            if reference.by_value or node(label).key.id_rule not in (IdRule.INTEGER, IdRule.PAIR):
                yield f"windows: {relationship.name} finds {label} by no integer, so {node(label).table} must be whole"

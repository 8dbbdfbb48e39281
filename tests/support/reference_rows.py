"""What a row gives to each entity of its table, by graph-model.md, row by row: slow and obvious.

Of the product it takes the declaration as data, and nothing that follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exporter.model.tables import Table
from exporter.model.vocabulary import Constant, IdRule, Node, Reference, Relationship
from tests.support import reference_rules as obvious

Row = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """What else is exported: keys by label, and (key, canonical value) of owners by label and column."""

    keys: Mapping[str, set[int | str]]
    values: Mapping[tuple[str, str], list[tuple[int, str]]]

    def owners(self, label: str, column: str, value: str | None) -> list[int]:
        return sorted(key for key, owned in self.values[label, column] if owned == value)


@dataclass(frozen=True)
class Fate:
    """Why a row is left out; no reason is no target."""

    reason: str | None
    columns: tuple[str, ...] = ()
    references: str | None = None


NO_TARGET = Fate(None)
READ = {
    IdRule.UUID: obvious.uuid,
    IdRule.TEXT_AUTH_ID: obvious.text_auth_id,
    IdRule.CODE: obvious.code,
    IdRule.PHONE: obvious.phone,
}


@dataclass(frozen=True)
class End:
    """One end of a relationship: the label, the reference, how its columns are read, whether it is the row's own."""

    label: str
    reference: Reference
    id_rule: IdRule
    own: bool


def ends(table: Table, relationship: Relationship) -> tuple[End, End]:
    """Start and end."""
    nodes = {node.label: node for group in table.graph.groups for node in group.nodes}

    def end(label: str, reference: Reference) -> End:
        own = table.node is not None and (label, reference.columns) == (table.node.label, table.node.key.columns)
        return End(label, reference, reference.id_rule or nodes[label].key.id_rule, own)

    return (
        end(relationship.start, relationship.start_reference),
        end(relationship.end, relationship.end_reference),
    )


def key_columns(table: Table) -> tuple[str, ...]:
    """The columns by which two rows of the table are the same: the node's key, or both references."""
    if table.node:
        return table.node.key.columns
    [relationship] = table.relationships
    return (*relationship.start_reference.columns, *relationship.end_reference.columns)


def read(cell: Any, id_rule: IdRule) -> Any:
    """The canonical form of a cell."""
    if id_rule is IdRule.INTEGER:
        return cell if isinstance(cell, int) else obvious.integer_id(cell)
    return READ[id_rule](cell)


def key_of(row: Row, columns: tuple[str, ...], id_rule: IdRule) -> Any:
    """The canonical key in some columns of a row."""
    if id_rule is not IdRule.PAIR:
        return read(row[columns[0]], id_rule)
    first = read(row[columns[0]], IdRule.INTEGER)
    return None if first is None or row[columns[1]] is None else f"{first}:{row[columns[1]]}"


def node_fate(row: Row, node: Node, *, duplicate: bool) -> Fate | None:
    """Why a row is no node."""
    columns = node.key.columns
    for column in columns:
        if row[column] is None:
            return Fate("null_id", (column,))
    if key_of(row, columns, node.key.id_rule) is None:
        return Fate("malformed_id", columns[:1])
    return Fate("duplicate_id", columns) if duplicate else None


def is_without_target(row: Row, end: End) -> bool:
    """Whether an optional reference is null, or blank where it is text."""
    reference = end.reference
    if not reference.columns:
        assert reference.by_value is not None
        return read(row[reference.by_value.column], reference.by_value.id_rule) is None
    if reference.optional is None:
        return False
    cell = row[reference.optional]
    if cell is None:
        return True
    if end.id_rule is IdRule.PAIR or isinstance(cell, int):
        return False
    return obvious.names_nobody(cell) if end.id_rule is IdRule.TEXT_AUTH_ID else cell.strip(obvious.WHITE_SPACE) == ""


def relationship_fate(
    row: Row, table: Table, relationship: Relationship, world: World, *, duplicate: bool
) -> Fate | None:
    """Why a row makes no relationship: the first that applies."""
    if table.node and (own := node_fate(row, table.node, duplicate=duplicate)):
        return own
    reasons = zip(("dangling_start", "dangling_end"), ends(table, relationship), strict=True)
    foreign = [(reason, end) for reason, end in reasons if not end.own]
    if any(is_without_target(row, end) for _, end in foreign):
        return NO_TARGET
    for _, end in foreign:
        for column in end.reference.columns:
            if row[column] is None:
                return Fate("null_id", (column,), end.label)
    for _, end in foreign:
        columns = end.reference.columns
        if columns and key_of(row, columns, end.id_rule) is None:
            return Fate("malformed_id", columns[:1], end.label)
    for _, end in foreign:
        if end.reference.by_value and len(possible(row, table, end, world)) > 1:
            return Fate("ambiguous_link", (end.reference.by_value.column,), end.label)
    for reason, end in foreign:
        if not possible(row, table, end, world):
            link = end.reference.by_value
            return Fate(reason, end.reference.columns or (link.column if link else "",), end.label)
    return Fate("duplicate_relationship", key_columns(table)) if duplicate and not table.node else None


def is_found_by_key(row: Row, end: End, world: World) -> bool:
    """Whether a node has the key in the reference's columns."""
    columns = end.reference.columns
    return bool(columns) and key_of(row, columns, end.id_rule) in world.keys[end.label]


def possible(row: Row, table: Table, end: End, world: World) -> list[Any]:
    """The keys of all nodes that an end may be; more than one where a value that is shared leaves it open."""
    if is_found_by_key(row, end, world):
        return [key_of(row, end.reference.columns, end.id_rule)]
    link = end.reference.by_value
    if link is None:
        return []
    value = read(row[link.column], link.id_rule)
    owners = world.owners(end.label, link.owner_column, value)
    if link.exclusive and owners:
        assert table.node
        sharers = world.owners(table.node.label, link.column, value)
        return owners if len(sharers) < 2 else [*owners, None]
    return owners


@dataclass
class Shaped:
    """What rows give to one entity: importable rows, reject lines, how many refer to nobody."""

    rows: list[tuple[Any, ...]]
    rejects: list[tuple[str | None, ...]]
    no_target: int = 0


def joined(row: Row, columns: tuple[str, ...]) -> str | None:
    """The raw text of some columns; of one alone a null stays null."""
    texts = [None if row[column] is None else str(row[column]) for column in columns]
    return texts[0] if len(texts) == 1 else ":".join(text or "" for text in texts)


def shape(table: Table, rows: list[Row], duplicates: list[bool], keys: list[str] | None, world: World) -> list[Shaped]:
    """What the rows give to each entity of the table, the node first; `keys` are their primary keys, if it has one."""
    entities: list[Node | Relationship] = [table.node] if table.node else []
    entities += table.relationships
    all_shaped = []
    for entity in entities:
        shaped = Shaped([], [])
        for number, row in enumerate(rows):
            key = keys[number] if keys else joined(row, key_columns(table))
            add(shaped, row, table, entity, duplicates[number], key, world)
        all_shaped.append(shaped)
    return all_shaped


def add(
    shaped: Shaped, row: Row, table: Table, entity: Node | Relationship, duplicate: bool, key: str | None, world: World
) -> None:
    """Adds what one row gives to an entity."""
    if isinstance(entity, Node):
        fate = node_fate(row, entity, duplicate=duplicate)
        own_keys = [key_of(row, entity.key.columns, entity.key.id_rule)]
    else:
        fate = relationship_fate(row, table, entity, world, duplicate=duplicate)
        own_keys = [] if fate else [end_key(row, table, end, world) for end in ends(table, entity)]
    if fate == NO_TARGET:
        shaped.no_target += 1
        return
    if fate:
        value = joined(row, fate.columns)
        shaped.rejects.append((fate.reason, table.name, ":".join(fate.columns), key, value, fate.references))
        return
    values = []
    for prop in entity.properties:
        if isinstance(prop, Constant):
            assert isinstance(entity, Relationship)
            values.append(constant(row, table, entity, prop, world))
            continue
        value, lost = obvious.property_value(prop.type, row[prop.name])
        values.append(value)
        if lost is not None:
            shaped.rejects.append(("unrepresentable_value", table.name, prop.name, key, lost, None))
    shaped.rows.append((*own_keys, *values))


def end_key(row: Row, table: Table, end: End, world: World) -> Any:
    """The key of the node at an end of an exported relationship."""
    return key_of(row, end.reference.columns, end.id_rule) if end.own else possible(row, table, end, world)[0]


def constant(row: Row, table: Table, relationship: Relationship, prop: Constant, world: World) -> str:
    """The constant of a link by key, or the other one where an end goes by value because no node has its key."""
    fallen_back = any(
        end.reference.columns and end.reference.by_value and not end.own and not is_found_by_key(row, end, world)
        for end in ends(table, relationship)
    )
    return prop.by_value if prop.by_value and fallen_back else prop.value

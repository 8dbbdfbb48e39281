"""What a row gives to each entity of its table, by graph-model.md, row by row: slow and obvious."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exporter.model.tables import Table, ends, id_rule_of
from exporter.model.vocabulary import Constant, IdRule, Node, Property, Reference, Relationship, Type
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


def names_nobody(row: Row, label: str, reference: Reference) -> bool:
    """Whether an optional reference is null, or blank where it is text."""
    if not reference.columns:
        assert reference.by_value is not None
        return read(row[reference.by_value.column], reference.by_value.id_rule) is None
    if reference.optional is None:
        return False
    cell = row[reference.optional]
    id_rule = id_rule_of(label, reference)
    if cell is None:
        return True
    if id_rule is IdRule.PAIR or isinstance(cell, int):
        return False
    return obvious.names_nobody(cell) if id_rule is IdRule.TEXT_AUTH_ID else cell.strip(obvious.WHITE_SPACE) == ""


def relationship_fate(row: Row, table: Table, made: Relationship, world: World, *, duplicate: bool) -> Fate | None:
    """Why a row makes no relationship: the first that applies."""
    if table.node and (own := node_fate(row, table.node, duplicate=duplicate)):
        return own
    places = zip(("dangling_start", "dangling_end"), ends(made), strict=True)
    foreign = [(reason, *end) for reason, end in places if not table.owns(*end)]
    if any(names_nobody(row, label, reference) for _, label, reference in foreign):
        return NO_TARGET
    for _, label, reference in foreign:
        for column in reference.columns:
            if row[column] is None:
                return Fate("null_id", (column,), label)
    for _, label, reference in foreign:
        if reference.columns and key_of(row, reference.columns, id_rule_of(label, reference)) is None:
            return Fate("malformed_id", reference.columns[:1], label)
    for _, label, reference in foreign:
        if reference.by_value and len(found(row, table, label, reference, world)) > 1:
            return Fate("ambiguous_link", (reference.by_value.column,), label)
    for reason, label, reference in foreign:
        if not found(row, table, label, reference, world):
            assert reference.columns or reference.by_value
            return Fate(reason, reference.columns or (reference.by_value.column,), label)  # type: ignore[union-attr]
    return Fate("duplicate_relationship", table.key_columns) if duplicate and not table.node else None


def found(row: Row, table: Table, label: str, reference: Reference, world: World) -> list[Any]:
    """The keys of all nodes that an end may be; more than one where a shared phone leaves it open."""
    if reference.columns:
        key = key_of(row, reference.columns, id_rule_of(label, reference))
        if key in world.keys[label]:
            return [key]
    link = reference.by_value
    if link is None:
        return []
    value = read(row[link.column], link.id_rule)
    owners = world.owners(label, link.owner_column, value)
    if link.exclusive and owners:
        assert table.node
        sharers = world.owners(table.node.label, link.column, value)
        return owners if len(sharers) < 2 else [*owners, None]
    return owners


def property_value(type: Type, cell: Any) -> tuple[Any, str | None]:
    """A property's value, and the raw text of one that was lost; a moment's cell is (its text, its lost raw text)."""
    if type in (Type.DATETIME, Type.DATE):
        return cell
    if cell is None:
        return None, None
    if type is Type.LONG and isinstance(cell, str):
        number = obvious.integer_id(cell)
        return number, cell if number is None else None
    if type is Type.DOUBLE and "Infinity" not in cell and abs(float(cell)) == float("inf"):
        return None, cell
    if type is Type.LOCALTIME and cell == "24:00:00":
        return None, cell
    return cell, None


def constant(row: Row, table: Table, made: Relationship, given: Constant, world: World) -> str | None:
    """The constant of a link by key, or the other one of a link by value."""
    label, reference = ends(made)[0]
    if given.by_value and key_of(row, reference.columns, id_rule_of(label, reference)) not in world.keys[label]:
        return given.by_value
    return given.value


@dataclass
class Given:
    """What rows give to one entity: importable rows, reject lines, how many refer to nobody."""

    rows: list[tuple[Any, ...]]
    rejects: list[tuple[str | None, ...]]
    no_target: int = 0


def joined(row: Row, columns: tuple[str, ...]) -> str | None:
    """The raw text of some columns; of one alone a null stays null."""
    texts = [None if row[column] is None else str(row[column]) for column in columns]
    return texts[0] if len(texts) == 1 else ":".join(text or "" for text in texts)


def shape(table: Table, rows: list[Row], duplicates: list[bool], keys: list[str] | None, world: World) -> list[Given]:
    """What the rows give to each entity of the table, the node first; `keys` are their primary keys, if it has one."""
    entities: list[Node | Relationship] = [table.node] if table.node else []
    entities += table.relationships
    all_given = []
    for entity in entities:
        given = Given([], [])
        for number, row in enumerate(rows):
            key = keys[number] if keys else joined(row, table.key_columns)
            add(given, row, table, entity, duplicates[number], key, world)
        all_given.append(given)
    return all_given


def add(
    given: Given, row: Row, table: Table, entity: Node | Relationship, duplicate: bool, key: str | None, world: World
) -> None:
    """Adds what one row gives to an entity."""
    if isinstance(entity, Node):
        fate = node_fate(row, entity, duplicate=duplicate)
    else:
        fate = relationship_fate(row, table, entity, world, duplicate=duplicate)
    if fate == NO_TARGET:
        given.no_target += 1
    elif fate:
        value = joined(row, fate.columns)
        given.rejects.append((fate.reason, table.name, ":".join(fate.columns), key, value, fate.references))
    elif isinstance(entity, Node):
        values = [(each, property_value(each.type, row[each.name])) for each in entity.properties]
        given.rows.append((key_of(row, entity.key.columns, entity.key.id_rule), *(value for _, (value, _) in values)))
        given.rejects += [
            ("unrepresentable_value", table.name, each.name, key, lost, None)
            for each, (_, lost) in values
            if lost is not None
        ]
    else:
        keys = [
            found(row, table, *end, world)[0] if not table.owns(*end) else own_key(row, table) for end in ends(entity)
        ]
        given.rows.append((*keys, *(relationship_value(row, table, entity, each, world) for each in entity.properties)))


def own_key(row: Row, table: Table) -> Any:
    assert table.node
    return key_of(row, table.node.key.columns, table.node.key.id_rule)


def relationship_value(row: Row, table: Table, made: Relationship, given: Property | Constant, world: World) -> Any:
    return constant(row, table, made, given, world) if isinstance(given, Constant) else row[given.name]

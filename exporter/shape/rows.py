"""One frame of a table in; the rows and rejects of its node label and of each of its relationships out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import polars as pl

from exporter.model import frame
from exporter.model.tables import Table, ends
from exporter.model.vocabulary import Constant, Entity, Node, Property
from exporter.shape.key_index import KeyIndex, key_of
from exporter.shape.references import Side, malformed, nulls, read_side
from exporter.shape.rejects import Condition, Decision, Reason, decide, joined_text, reject_lines
from exporter.shape.values import Values, property_values

START, END = ":START_ID", ":END_ID"
ID = ":ID"
DANGLING = (Reason.DANGLING_START, Reason.DANGLING_END)


@dataclass(frozen=True, slots=True)
class Shaped:
    """What a frame contributes to one entity.

    `rows` has the header's columns: the key (named as its property; `:ID` for a pair) or `:START_ID` and `:END_ID`,
    then the properties, as integers, booleans, or else text. `rejects` has the columns of `REJECTS`. `no_target` is the
    number of rows without a target, `suppressed` how many values of each property a masked copy leaves out.
    """

    entity: Entity
    rows: pl.DataFrame
    rejects: pl.DataFrame
    no_target: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)


def shape(raw: pl.DataFrame, table: Table, key_index: KeyIndex) -> list[Shaped]:
    """What a raw frame (model/frame.py) of a table contributes to each of its entities, the node first."""
    reject_key = pl.col(frame.PRIMARY_KEY) if frame.PRIMARY_KEY in raw.columns else joined_text(table.key_columns)
    duplicate = duplicates(raw, table, key_index)
    node_conditions: tuple[Condition, ...] = ()
    node_key = None
    shaped = []
    if table.node:
        node_key = key_of(raw, table.node.key)
        node_conditions = tuple(own_conditions(raw, table.node, node_key, duplicate))
        name = table.node.key_properties[0].name if table.node.key_properties else ID
        shaped.append(shape_entity(raw, table.node, [node_key.alias(name)], decide(node_conditions), reject_key))
    for relationship in table.relationships:
        sides = [
            Side(node_key)
            if node_key is not None and table.owns(label, reference)
            else read_side(raw, table, label, reference, key_index, dangling)
            for (label, reference), dangling in zip(ends(relationship), DANGLING, strict=True)
        ]
        conditions = [*node_conditions, *in_order(sides)]
        if not table.node:
            conditions.append(Condition(Reason.DUPLICATE_RELATIONSHIP, duplicate, table.key_columns))
        keys = [side.key.alias(name) for side, name in zip(sides, (START, END), strict=True)]
        by_value = next((side.by_value for side in sides if side.by_value is not None), None)
        shaped.append(shape_entity(raw, relationship, keys, decide(conditions), reject_key, by_value))
    return shaped


def duplicates(raw: pl.DataFrame, table: Table, key_index: KeyIndex) -> pl.Series | None:
    """The rows (Boolean) that lose their key to another row of the table; None if the catalog proves that there are
    none."""
    if frame.DUPLICATE in raw.columns:
        return raw[frame.DUPLICATE]
    if frame.ROW in raw.columns:
        return key_index.is_duplicate(table.name, raw[frame.ROW])
    return None


def own_conditions(raw: pl.DataFrame, node: Node, key: pl.Series, duplicate: pl.Series | None) -> Iterator[Condition]:
    """Why a row does not become a node (graph-model.md, One fate a row)."""
    columns = node.key.columns
    yield from (Condition(Reason.NULL_ID, nulls(raw[column]), (column,)) for column in columns)
    yield Condition(Reason.MALFORMED_ID, malformed(raw, columns, key), columns[:1])
    yield Condition(Reason.DUPLICATE_ID, duplicate, columns)


def in_order(sides: list[Side]) -> Iterator[Condition]:
    """The conditions of both ends in the order in which they decide."""
    return chain(
        *(side.no_target for side in sides),
        *(side.null for side in sides),
        *(side.malformed for side in sides),
        *(side.ambiguous for side in sides),
        *(side.dangling for side in sides),
    )


def shape_entity(
    raw: pl.DataFrame,
    entity: Entity,
    keys: list[pl.Series],
    decision: Decision,
    reject_key: pl.Expr,
    by_value: pl.Series | None = None,
) -> Shaped:
    """The rows and rejects of one entity.

    `keys` are its key or both ends, named as in the header. A row that is left out is a reject, and so is each value
    that an exported row loses. `by_value` (Boolean) tells which rows get the constants of a link by value.
    """
    columns = list(keys)
    lost = []
    for prop in entity.properties:
        if isinstance(prop, Constant):
            columns.append(constants(prop, raw.height, by_value))
            continue
        values = property_values(raw, prop)
        columns.append(values.values.alias(prop.name))
        if values.lost is not None:
            lost.append(lost_values(raw, entity.table, prop, values, decision, reject_key))
    rejects = pl.concat([decision.rejects(raw, entity.table, reject_key), *lost])
    return Shaped(entity, decision.keep(pl.DataFrame(columns)), rejects, decision.no_target())


def constants(prop: Constant, height: int, by_value: pl.Series | None) -> pl.Series:
    """A constant property of `height` rows (String)."""
    if by_value is None or prop.by_value is None:
        return pl.repeat(prop.value, height, eager=True).alias(prop.name)
    choice = pl.when(by_value).then(pl.lit(prop.by_value)).otherwise(pl.lit(prop.value))
    return pl.select(choice.alias(prop.name)).to_series()


def lost_values(
    raw: pl.DataFrame, table: str, prop: Property, values: Values, decision: Decision, reject_key: pl.Expr
) -> pl.DataFrame:
    """A reject line for each value of a property that an exported row loses."""
    assert values.lost is not None
    lost = values.lost if decision.exported is None else values.lost & decision.exported
    condition = Condition(Reason.UNREPRESENTABLE_VALUE, lost, (prop.name,))
    return reject_lines(raw.filter(lost), table, reject_key, condition, (values.raw,))

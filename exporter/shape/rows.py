"""One frame of a table in; the rows and rejects of its node label and of each of its relationships out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

import polars as pl

from exporter.model import frame
from exporter.model.tables import Table, ends, id_rule_of
from exporter.model.vocabulary import ByValue, Constant, IdRule, Key, Node, Reference, Relationship
from exporter.shape.ids import canonical, is_blank, names_nobody
from exporter.shape.key_index import KeyIndex, key_of
from exporter.shape.rejects import Condition, Decision, Reason, decide, joined_text
from exporter.shape.values import property_values

START, END = ":START_ID", ":END_ID"
ID = ":ID"
DANGLING = (Reason.DANGLING_START, Reason.DANGLING_END)


@dataclass(frozen=True, slots=True)
class Shaped:
    """What a frame gives to one entity.

    `rows` has the header's columns: the key (named as its property; `:ID` for a pair) or `:START_ID` and `:END_ID`,
    then the properties; integers, booleans, and text for the rest. `rejects` has the columns of `REJECTS`.
    """

    entity: Node | Relationship
    rows: pl.DataFrame
    rejects: pl.DataFrame
    no_target: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a relationship, read: its canonical key, and the conditions under which there is none, by kind."""

    key: pl.Series
    no_target: list[Condition] = field(default_factory=list)
    null: list[Condition] = field(default_factory=list)
    malformed: list[Condition] = field(default_factory=list)
    ambiguous: list[Condition] = field(default_factory=list)
    dangling: list[Condition] = field(default_factory=list)
    by_value: pl.Series | None = None


def shape(raw: pl.DataFrame, table: Table, key_index: KeyIndex) -> list[Shaped]:
    """What a raw frame (model/frame.py) of a table gives to each of its entities, the node first."""
    reject_key = pl.col(frame.PRIMARY_KEY) if frame.PRIMARY_KEY in raw.columns else joined_text(table.key_columns)
    duplicate = duplicates(raw, table, key_index)
    own: tuple[Condition, ...] = ()
    key = None
    parts = []
    if table.node:
        key = key_of(raw, table.node.key)
        own = tuple(own_conditions(raw, table.node, key, duplicate))
        parts.append(shape_node(raw, table.node, key, decide(own), reject_key))
    for relationship in table.relationships:
        sides = [
            Side(key)
            if key is not None and table.owns(label, reference)
            else read_side(raw, table, label, reference, key_index, dangling)
            for (label, reference), dangling in zip(ends(relationship), DANGLING, strict=True)
        ]
        conditions = [*own, *in_order(sides)]
        if not table.node:
            conditions.append(Condition(Reason.DUPLICATE_RELATIONSHIP, duplicate, table.key_columns))
        parts.append(shape_relationship(raw, relationship, sides, decide(conditions), reject_key))
    return parts


def duplicates(raw: pl.DataFrame, table: Table, key_index: KeyIndex) -> pl.Series | None:
    """Rows whose key another row of the table has won; None where the catalog proves that there are none."""
    if frame.DUPLICATE in raw.columns:
        return raw[frame.DUPLICATE]
    if frame.ROW in raw.columns:
        return key_index.is_duplicate(table.name, raw[frame.ROW])
    return None


def own_conditions(raw: pl.DataFrame, node: Node, key: pl.Series, duplicate: pl.Series | None) -> Iterator[Condition]:
    """Why a row makes no node (graph-model.md, One fate a row)."""
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


def nulls(column: pl.Series) -> pl.Series | None:
    return column.is_null() if column.null_count() else None


def malformed(raw: pl.DataFrame, columns: tuple[str, ...], key: pl.Series) -> pl.Series | None:
    """Where there is no canonical key although no column is null."""
    if not key.null_count():
        return None
    where = key.is_null()
    for column in columns:
        where &= raw[column].is_not_null()
    return where


def read_side(
    raw: pl.DataFrame, table: Table, label: str, reference: Reference, key_index: KeyIndex, dangling: Reason
) -> Side:
    """The end of a relationship that is another row's node."""
    if not reference.columns:
        assert reference.by_value is not None
        return read_by_value(raw, label, reference.by_value, key_index, dangling)
    columns = reference.columns
    id_rule = id_rule_of(label, reference)
    key = key_of(raw, Key(columns, id_rule))
    side = Side(
        key,
        no_target=[Condition(None, nobody(raw, reference, id_rule, key), columns)] if reference.optional else [],
        null=[Condition(Reason.NULL_ID, nulls(raw[column]), (column,), label) for column in columns],
        malformed=[Condition(Reason.MALFORMED_ID, malformed(raw, columns, key), columns[:1], label)],
    )
    missing = ~key_index.keys(label).contains(key)
    if reference.by_value and table.node:
        return read_else_by_value(raw, table.node, label, reference.by_value, key_index, side, missing)
    side.dangling.append(Condition(dangling, missing, columns, label))
    return side


def nobody(raw: pl.DataFrame, reference: Reference, id_rule: IdRule, key: pl.Series) -> pl.Series | None:
    """Where an optional reference is null, or blank where it is a text link."""
    if not key.null_count():
        return None
    assert reference.optional is not None
    column = raw[reference.optional]
    if column.dtype != pl.String or id_rule is IdRule.PAIR:
        return column.is_null()
    blank = names_nobody if id_rule is IdRule.TEXT_AUTH_ID else is_blank
    # Only a text without a canonical form can be blank; those are few.
    unread = key.is_null()
    found = column.filter(unread).to_frame().select(blank(pl.col(column.name))).to_series()
    return pl.repeat(False, len(key), eager=True).scatter(unread.arg_true(), found)


def read_by_value(raw: pl.DataFrame, label: str, link: ByValue, key_index: KeyIndex, dangling: Reason) -> Side:
    """An end that is found by value alone (graph-model.md, Links by value)."""
    value = canonical(raw[link.column], link.id_rule)
    found = key_index.values(label, link.owner_column).find(value)
    columns = (link.column,)
    return Side(
        found["id"],
        no_target=[Condition(None, nulls(value), columns)],
        ambiguous=[Condition(Reason.AMBIGUOUS_LINK, found["count"] > 1, columns, label)],
        dangling=[Condition(dangling, found["count"] == 0, columns, label)],
    )


def read_else_by_value(
    raw: pl.DataFrame, sharing: Node, label: str, link: ByValue, key_index: KeyIndex, side: Side, missing: pl.Series
) -> Side:
    """An end that goes by value where no node has the key; `sharing` is the label whose rows may share the value."""
    value = canonical(raw[link.column], link.id_rule)
    owners = key_index.values(label, link.owner_column).find(value)
    sharers = key_index.values(sharing.label, link.column)
    known = missing & (owners["count"] > 0)
    several = (owners["count"] > 1) | (sharers.find(value)["count"] > 1)
    side.ambiguous.append(Condition(Reason.AMBIGUOUS_LINK, known & several, (link.column,), label))
    side.dangling.append(Condition(Reason.DANGLING_START, missing & (owners["count"] == 0), sharing.key.columns, label))
    key = side.key.zip_with(~missing, owners["id"])
    return Side(key, side.no_target, side.null, side.malformed, side.ambiguous, side.dangling, by_value=missing)


def shape_node(raw: pl.DataFrame, node: Node, key: pl.Series, decision: Decision, reject_key: pl.Expr) -> Shaped:
    """The nodes of a frame."""
    name = node.key_properties[0].name if node.key_properties else ID
    values = [property_values(raw, prop) for prop in node.properties]
    rows = pl.DataFrame(
        [key.alias(name), *(value.values.alias(p.name) for p, value in zip(node.properties, values, strict=True))]
    )
    lost = [
        decision.keep(raw).select(
            reason=pl.lit(Reason.UNREPRESENTABLE_VALUE, pl.String),
            table=pl.lit(node.table),
            column=pl.lit(prop.name),
            key=reject_key,
            value=pl.col(value.raw).cast(pl.String),
            references=pl.lit(None, pl.String),
        ).filter(value.lost if decision.exported is None else value.lost.filter(decision.exported))
        for prop, value in zip(node.properties, values, strict=True)
        if value.lost is not None
    ]  # fmt: skip
    rejects = pl.concat([decision.rejects(raw, node.table, reject_key), *lost])
    return Shaped(node, decision.keep(rows), rejects)


def shape_relationship(
    raw: pl.DataFrame, relationship: Relationship, sides: list[Side], decision: Decision, reject_key: pl.Expr
) -> Shaped:
    """The relationships of a frame."""
    start, end = sides
    by_value = start.by_value if start.by_value is not None else end.by_value
    columns = [start.key.alias(START), end.key.alias(END)]
    for prop in relationship.properties:
        if not isinstance(prop, Constant):
            columns.append(property_values(raw, prop).values.alias(prop.name))
        elif by_value is None:
            columns.append(pl.repeat(prop.value, len(raw), eager=True).alias(prop.name))
        else:
            choice = pl.when(by_value).then(pl.lit(prop.by_value)).otherwise(pl.lit(prop.value))
            columns.append(pl.select(choice.alias(prop.name)).to_series())
    rows = decision.keep(pl.DataFrame(columns))
    return Shaped(relationship, rows, decision.rejects(raw, relationship.table, reject_key), decision.no_target())

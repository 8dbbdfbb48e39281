"""One end of a relationship for every row of a frame: which node it is, or why there is none.

Source of the rules: graph-model.md, One fate a row and Links by value.
"""

from dataclasses import dataclass, field

import polars as pl

from exporter.model.tables import Table, id_rule_of
from exporter.model.vocabulary import ByValue, IdRule, Key, Reference
from exporter.shape.ids import RULES
from exporter.shape.key_index import KeyIndex, key_of
from exporter.shape.rejects import Condition, Reason


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a relationship for every row of a frame.

    `key` is the canonical key of the end's node (Int64 or String); if it is null, or no node has it, one of the
    conditions holds. They are grouped by kind, because the conditions of both ends decide kind by kind. `by_value`
    (Boolean) tells where the node was found by value because no node has the key; None if the end has no such link.
    """

    key: pl.Series
    no_target: list[Condition] = field(default_factory=list)
    null: list[Condition] = field(default_factory=list)
    malformed: list[Condition] = field(default_factory=list)
    ambiguous: list[Condition] = field(default_factory=list)
    dangling: list[Condition] = field(default_factory=list)
    by_value: pl.Series | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link by value finds for every row of a frame.

    `value` is the row's canonical value (String) and `key` the smallest key (Int64) of the nodes that own it, both null
    if there is none; `ambiguous` and `missing` are Boolean.
    """

    value: pl.Series
    key: pl.Series
    ambiguous: pl.Series
    missing: pl.Series


def nulls(column: pl.Series) -> pl.Series | None:
    """Where a column is null (Boolean); None if it never is."""
    return column.is_null() if column.null_count() else None


def malformed(raw: pl.DataFrame, columns: tuple[str, ...], key: pl.Series) -> pl.Series | None:
    """Where the canonical `key` is null although none of its raw columns is (Boolean); None if every row has a key."""
    if not key.null_count():
        return None
    where = key.is_null()
    for column in columns:
        where &= raw[column].is_not_null()
    return where


def without_target(raw: pl.DataFrame, reference: Reference, id_rule: IdRule, key: pl.Series) -> pl.Series | None:
    """Where an optional reference is null, or for a text link blank (Boolean); None if every row has a canonical
    `key`."""
    if not key.null_count():
        return None
    assert reference.optional is not None
    column = raw[reference.optional]
    if column.dtype != pl.String or id_rule is IdRule.PAIR:
        return column.is_null()
    # Only text without a canonical form can be blank, and there is little of it.
    unread = key.is_null()
    means_no_target = RULES[id_rule].means_no_target
    found = column.filter(unread).to_frame().select(means_no_target(pl.col(column.name))).to_series()
    return pl.repeat(False, len(key), eager=True).scatter(unread.arg_true(), found)


def read_side(
    raw: pl.DataFrame, table: Table, label: str, reference: Reference, key_index: KeyIndex, dangling: Reason
) -> Side:
    """An end of a relationship that is another row's node, of a label; `dangling` is the reason if no node is found."""
    columns, link = reference.columns, reference.by_value
    linked = find_by_value(raw, table, label, link, key_index) if link else None
    if not columns:
        assert link is not None and linked is not None
        columns = (link.column,)
        return Side(
            linked.key,
            no_target=[Condition(None, nulls(linked.value), columns)],
            ambiguous=[Condition(Reason.AMBIGUOUS_LINK, linked.ambiguous, columns, label)],
            dangling=[Condition(dangling, linked.missing, columns, label)],
        )
    id_rule = id_rule_of(label, reference, table.graph)
    key = key_of(raw, Key(columns, id_rule))
    missing = ~key_index.keys(label).contains(key)
    side = Side(
        key if linked is None else key.zip_with(~missing, linked.key),
        null=[Condition(Reason.NULL_ID, nulls(raw[column]), (column,), label) for column in columns],
        malformed=[Condition(Reason.MALFORMED_ID, malformed(raw, columns, key), columns[:1], label)],
        by_value=None if linked is None else missing,
    )
    if reference.optional:
        side.no_target.append(Condition(None, without_target(raw, reference, id_rule, key), columns))
    if link and linked:
        ambiguous = missing & linked.ambiguous
        side.ambiguous.append(Condition(Reason.AMBIGUOUS_LINK, ambiguous, (link.column,), label))
        missing = missing & linked.missing
    side.dangling.append(Condition(dangling, missing, columns, label))
    return side


def find_by_value(raw: pl.DataFrame, table: Table, label: str, link: ByValue, key_index: KeyIndex) -> Linked:
    """The nodes of a label that a link by value finds; if exclusive, no other row of `table` may have the value."""
    value = key_index.linked_value(raw[link.column], label, link.owner_column, link.id_rule)
    owners = key_index.values(label, link.owner_column).find(value)
    several = owners["count"] > 1
    if link.exclusive:
        assert table.node is not None
        sharers = key_index.values(table.node.label, link.column).find(value)
        several |= sharers["count"] > 1
    missing = owners["count"] == 0
    return Linked(value, owners["id"], several & ~missing, missing)

"""SQL text: quoted names of a mapped table, the precedence of rows with the same key, and when keys are equal."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from exporter.model.tables import Table, Use
from exporter.model.vocabulary import IdRule, Type
from exporter.source.catalog import Column, Relation
from exporter.source.columns import INTEGERS, in_utc
from exporter.source.mapping import NameMapping


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of the model as the source has it."""

    relation: Relation
    table: Table
    mapping: NameMapping
    timezone: str

    @property
    def name(self) -> sql.Identifier:
        """The real name, quoted."""
        return sql.Identifier(self.relation.schema, self.relation.name)

    def column(self, name: str) -> Column:
        """The catalog's column for a column of the model."""
        return self.relation.columns[self.mapping.column(self.table.name, name)]

    def quoted(self, name: str) -> sql.Identifier:
        """The real name of a column of the model, quoted."""
        return sql.Identifier(self.column(name).name)

    def row_id(self) -> sql.Composable:
        """Text that identifies a row within one snapshot."""
        return sql.SQL("tableoid::text || ctid::text" if self.relation.children else "ctid::text")


def joined_text(columns: Sequence[str]) -> sql.Composable:
    """Columns (real names) as text, joined by a colon; nulls are skipped."""
    texts = [sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns]
    return texts[0] if len(texts) == 1 else sql.SQL("concat_ws(':', {})").format(sql.SQL(", ").join(texts))


def precedence(source: SourceTable) -> sql.Composable:
    """The ORDER BY that puts first, of several rows with the same key, the one to export (graph-model.md, Duplicates
    and Device): latest first if the label says so, then by primary key, or else by ctid."""
    order: list[sql.Composable] = []
    keep_latest = source.table.node.keep_latest if source.table.node else None
    if keep_latest:
        columns = [source.column(name) for name in keep_latest.columns]
        mixed = len({column.base for column in columns}) > 1
        values = [moment(column, source.timezone) if mixed else sql.Identifier(column.name) for column in columns]
        order.append(sql.SQL("coalesce({}) desc nulls last").format(sql.SQL(", ").join(values)))
        order.append(sql.SQL("{} desc nulls last").format(source.quoted(keep_latest.tiebreaker)))
    order += [sql.Identifier(name) for name in source.relation.primary_key]
    if source.relation.is_table:
        order += [sql.SQL("tableoid"), sql.SQL("ctid")]
    return sql.SQL(", ").join(order or [sql.SQL("1")])


def moment(column: Column, timezone: str) -> sql.Composable:
    """A timestamp of either kind, made comparable with the other. Where AT TIME ZONE would overflow, in the last days
    of PostgreSQL's range, it becomes the end of that range; infinities stay."""
    quoted = sql.Identifier(column.name)
    if column.base != "timestamp":
        return quoted
    return sql.SQL(
        "case when {0} > '294276-12-29' and {0} < 'infinity' then '294276-12-31 23:59:59.999999+00'::timestamptz"
        " when {0} < '4714-11-26 BC' and {0} > '-infinity' then '4714-11-24 00:00+00 BC'::timestamptz else {1} end"
    ).format(quoted, in_utc(column, source=quoted, timezone=timezone))


# What `shape` trims, in PostgreSQL's notation (graph-model.md, Rules: trimming); before version 16, \v means v.
WHITE_SPACE = sql.SQL(r"E' \t\n\x0B\f\r'")


def comparable(source: SourceTable, name: str, use: Use) -> sql.Composable:
    """An expression that is equal for two rows exactly if their canonical keys are, for each rule that keys may have
    (`validate.KEY_RULES`) and for the text of a pair.

    Malformed and null keys may coincide, which is harmless: their rejects come before `duplicate_id`.
    """
    column, quoted = source.column(name), source.quoted(name)
    if column.base in INTEGERS | {"uuid"} or (column.base == "numeric" and use is IdRule.INTEGER):
        return quoted
    if use is IdRule.INTEGER:
        digits = "substring(btrim({}::text, {}) from '^(-?0*[0-9]{{1,19}})(?:[.]0+)?$')::numeric"
        return sql.SQL(digits).format(quoted, WHITE_SPACE)
    if use is IdRule.UUID:
        return sql.SQL('lower({}::text) collate "C"').format(quoted)
    if use is IdRule.CODE:
        return sql.SQL('btrim({}::text, {}) collate "C"').format(quoted, WHITE_SPACE)
    assert use is Type.STRING
    return sql.SQL('{}::text collate "C"').format(quoted)


def rank(source: SourceTable, comparison: str = "") -> sql.Composed:
    """The rank of a row, from 1, among those with the same canonical key; with a `comparison` such as `> 1`, a
    boolean."""
    uses = source.table.uses()
    keys = sql.SQL(", ").join(comparable(source, name, uses[name]) for name in source.table.key_columns)
    window = sql.SQL("(row_number() over (partition by {} order by {})").format(keys, precedence(source))
    return window + sql.SQL(f" {comparison})" if comparison else ")")


def promised_unique(source: SourceTable) -> bool:
    """Whether the catalog promises that no two rows have the same canonical key: by a unique index on a column whose
    type has one form per key (a text column may hold 7 and 07), on a table without child tables."""
    keys = source.table.key_columns
    if len(keys) > 1 or (source.relation.children and source.relation.kind == "r"):
        return False
    column = source.column(keys[0])
    return column.name in source.relation.unique and column.base in INTEGERS | {"numeric", "uuid"}

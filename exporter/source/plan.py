"""The plan: model × catalog. The queries that read each table, and those that read the key index first."""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from exporter.model import frame
from exporter.model.tables import Table, Use, linked_values, node, parts, referenced_labels, tables
from exporter.model.vocabulary import IdRule
from exporter.source.chunks import Chunker
from exporter.source.columns import INTEGERS, TEMPORAL, expression, raw_expression
from exporter.source.leader import Source
from exporter.source.queries import DuplicateQuery, IndexQuery, KeyQueries, TableQueries, ValueQueries
from exporter.source.refusals import run_error
from exporter.source.select import SourceTable, comparable, joined_text, precedence

# A chunk of the key index may span this many times the bytes of whole rows, since it reads only one or two columns.
KEY_FACTOR, PAIR_FACTOR = 4, 2


class Planner:
    """Composes the queries for one source, in which timestamps without a zone are in `timezone`.

    `distrusted` are the tables (the model's names) of which the catalog promises unique keys that are not.
    """

    def __init__(self, source: Source, timezone: str, chunker: Chunker) -> None:
        self.distrusted: frozenset[str] = frozenset()
        self.mapping = source.mapping
        self.relations = source.relations()
        self.timezone = timezone
        self.chunker = chunker
        self.connection = source.connection

    def table_queries(self) -> tuple[TableQueries, ...]:
        """The queries of every table, in the model's order. Raises `RunError` when the source fails."""
        try:
            return tuple(self.queries_of(table) for table in tables())
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None

    def index_queries(self) -> list[IndexQuery]:
        """The queries of the key index, which is complete before the first row is shaped; those of the largest tables
        come first. Raises `RunError` when the source fails."""
        try:
            bounds = self.key_bounds()
            keys = [self.key_queries(label, *bounds.get(label, (None, None))) for label in referenced_labels()]
            values = [self.value_queries(*value) for value in linked_values()]
            queries: list[IndexQuery] = [*keys, *self.duplicate_queries(tables()), *values]
            return sorted(queries, key=lambda query: -query.bytes)
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None

    def distrust(self, names: Iterable[str]) -> list[IndexQuery]:
        """From now on, the planner looks for duplicates in these tables (the model's names), whatever the catalog
        promises. Returns the queries that replace their part of the key index. Raises `RunError` when the source
        fails."""
        wanted = frozenset(names)
        found = [table for table in tables() if table.name in wanted and self.trusts(self.source(table))]
        self.distrusted |= {table.name for table in found}
        labels = {table.node.label for table in found if table.node}
        try:
            values = [self.value_queries(*value) for value in linked_values() if value[0] in labels]
            return [*self.duplicate_queries(found), *values]
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None

    def trusts(self, source: SourceTable) -> bool:
        """Whether the catalog's promise that keys are unique is believed; that it holds is proved by the data."""
        return promised_unique(source) and source.table.name not in self.distrusted

    def source(self, table: Table) -> SourceTable:
        """The table as the source has it."""
        return SourceTable(self.relations[table.name], table, self.mapping, self.timezone)

    def source_of(self, label: str) -> SourceTable:
        """The table of a label as the source has it."""
        return self.source(next(table for table in tables() if table.node and table.node.label == label))

    def queries_of(self, table: Table) -> TableQueries:
        """The queries of a whole table, and the fallback queries for the same chunks."""
        source = self.source(table)
        conditions = self.chunker.conditions(source)
        queries = fallback = self.chunker.once_each(self.rows(source, fallback=False), conditions)
        if TEMPORAL & set(table.uses().values()):
            fallback = self.chunker.once_each(self.rows(source, fallback=True), conditions)
        return TableQueries(table.name, queries, fallback, self.chunker.bytes(source))

    def rows(self, source: SourceTable, *, fallback: bool) -> sql.Composed:
        """The SELECT of a table's raw frame (model/frame.py)."""
        table = source.table
        selected = [self.column(source, name, use, fallback=fallback) for name, use in table.uses().items()]
        if fallback:
            selected += [self.raw_column(source, name) for name, use in table.uses().items() if use in TEMPORAL]
        if (key := source.relation.primary_key) and key != tuple(source.column(c).name for c in table.key_columns):
            selected.append(named(joined_text(key), frame.PRIMARY_KEY))
        if not self.trusts(source):
            # A view's rows have no id, but a chunk of a view holds all rows with the same key.
            has_id = source.relation.is_table
            selected.append(
                named(source.row_id(), frame.ROW) if has_id else named(rank(source, "> 1"), frame.DUPLICATE)
            )
        return select(selected, source.name)

    def raw_column(self, source: SourceTable, name: str) -> sql.Composed:
        """The text of a column's unrepresentable values in a SELECT list."""
        text = raw_expression(source.column(name), source=source.quoted(name), timezone=self.timezone)
        return named(text, frame.raw(name))

    def column(self, source: SourceTable, name: str, use: Use, *, fallback: bool = False) -> sql.Composed:
        """A column of the model in a SELECT list."""
        quoted = source.quoted(name)
        read = expression(source.column(name), use, source=quoted, timezone=self.timezone, fallback=fallback)
        return named(read, name)

    def duplicate_queries(self, wanted: Iterable[Table]) -> list[DuplicateQuery]:
        """For each table whose keys are not promised to be unique, the query for the rows that are preceded by another
        row with the same key."""
        sources = [source for source in map(self.source, wanted) if source.relation.is_table]
        text = "select row_id from (select {} as row_id, {} as rank from {}) ranked where rank > 1"
        return [
            DuplicateQuery(
                source.table.name,
                sql.SQL(text).format(source.row_id(), rank(source), source.name).as_string(self.connection),
                self.chunker.bytes(source),
            )
            for source in sources
            if not self.trusts(source)
        ]

    def key_bounds(self) -> dict[str, tuple[int | None, int | None]]:
        """The least and greatest key of each label whose keys are plain integers, in one statement."""
        sources = {label: self.source_of(label) for label in referenced_labels()}
        integers = [
            label
            for label, source in sources.items()
            if len(source.table.key_columns) == 1 and source.column(source.table.key_columns[0]).base in INTEGERS
        ]
        bounds = [
            sql.SQL("(select array[min({0}), max({0})] from {1})").format(
                sources[label].quoted(sources[label].table.key_columns[0]), sources[label].name
            )
            for label in integers
        ]
        row = self.connection.execute(sql.SQL("select {}").format(sql.SQL(", ").join(bounds))).fetchone()
        return {label: (low, high) for label, (low, high) in zip(integers, row or (), strict=True)}

    def key_queries(self, label: str, low: int | None, high: int | None) -> KeyQueries:
        """The queries for a label's keys, which are between `low` and `high` if those are known."""
        source = self.source_of(label)
        uses = parts(node(label).key.columns, node(label).key.id_rule)
        gathered = all(source.column(name).base in INTEGERS for name in uses) and len(uses) == 1
        if gathered:
            # Measured: one array takes a twelfth of the client's time for rows, and the same time on the server.
            keys = sql.SQL("array_agg({}::bigint)").format(source.quoted(*uses))
            text = select([named(keys, *uses)], source.name)
        else:
            text = select([self.column(source, name, use) for name, use in uses.items()], source.name)
        queries = self.chunker.queries(source, text, factor=KEY_FACTOR if len(uses) == 1 else PAIR_FACTOR)
        return KeyQueries(label, queries, gathered, low, high, self.chunker.bytes(source))

    def value_queries(self, label: str, column: str, id_rule: IdRule) -> ValueQueries:
        """The queries for (key, value) of every row of a label that does not lose its key to another row."""
        source = self.source_of(label)
        key = node(label).key.columns[0]
        value = expression(source.column(column), id_rule, source=source.quoted(column), timezone=self.timezone)
        selected = [self.column(source, key, IdRule.INTEGER), named(value, "value")]
        if self.trusts(source):
            queries = self.chunker.queries(source, select(selected, source.name), factor=PAIR_FACTOR)
        else:
            rows = select([*selected, named(rank(source), "rank")], source.name)
            winners = sql.SQL("select {}, value from ({}) ranked where rank = 1")
            queries = (winners.format(sql.Identifier(key), rows).as_string(self.connection),)
        return ValueQueries(label, column, id_rule, queries, self.chunker.bytes(source))


def promised_unique(source: SourceTable) -> bool:
    """Whether the catalog promises that no two rows have the same canonical key: by a unique index on a column whose
    type has one form per key (a text column may hold 7 and 07), on a table without child tables."""
    keys = source.table.key_columns
    if len(keys) > 1 or (source.relation.children and source.relation.kind == "r"):
        return False
    column = source.column(keys[0])
    return column.name in source.relation.unique and column.base in INTEGERS | {"numeric", "uuid"}


def rank(source: SourceTable, comparison: str = "") -> sql.Composed:
    """The rank of a row, from 1, among those with the same canonical key; with a `comparison` such as `> 1`, a
    boolean."""
    uses = source.table.uses()
    keys = sql.SQL(", ").join(comparable(source, name, uses[name]) for name in source.table.key_columns)
    window = sql.SQL("(row_number() over (partition by {} order by {})").format(keys, precedence(source))
    return window + sql.SQL(f" {comparison})" if comparison else ")")


def named(expression: sql.Composable, name: str) -> sql.Composed:
    return sql.SQL("{} as {}").format(expression, sql.Identifier(name))


def select(selected: list[sql.Composed], name: sql.Composable) -> sql.Composed:
    return sql.SQL("select {} from {}").format(sql.SQL(", ").join(selected), name)

"""The plan: model × catalog. The queries that read each table, and those that read the key index first."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from exporter.model.tables import Table, Use, linked_values, node, parts, referenced_labels, tables
from exporter.model.vocabulary import IdRule
from exporter.source.chunks import Chunker, Span
from exporter.source.columns import INTEGERS, TEMPORAL
from exporter.source.leader import Source
from exporter.source.packing import (
    Selected,
    group_blocks,
    limited,
    named,
    packed_select,
    packed_whole,
    select,
    text_of,
)
from exporter.source.queries import (
    DuplicateQuery,
    IndexQuery,
    KeyQueries,
    Read,
    TableQueries,
    ValueQueries,
)
from exporter.source.refusals import run_error
from exporter.source.select import SourceTable, promised_unique, rank
from exporter.source.selection import Selection
from exporter.source.window_spans import limited_to

if TYPE_CHECKING:
    from exporter.source.masking import Masking

# A chunk of the key index may span this many times the bytes of whole rows, since it reads only one or two columns.
KEY_FACTOR, PAIR_FACTOR = 4, 2
# TID range scans came with this version.
PACKING_SERVER = 140_000
# Tables below this size are read together, since most of the 35 are nearly empty, and so are the integer keys of tables
# below the other: over a long way a query costs more than they do.
SMALL_TABLE, SMALL_KEYS = 1 << 20, 8 << 20


class Planner:
    """Composes the queries for one source, in which timestamps without a zone are in `timezone`.

    `distrusted` are the tables (the model's names) of which the catalog promises unique keys that are not.
    """

    def __init__(self, source: Source, timezone: str, chunker: Chunker, masking: "Masking | None" = None) -> None:
        self.distrusted: frozenset[str] = frozenset()
        self.mapping = source.mapping
        self.relations = source.relations()
        self.timezone = timezone
        self.chunker = chunker
        self.connection = source.connection
        self.selection = Selection(timezone, masking)

    def table_queries(self) -> tuple[TableQueries, ...]:
        """The queries of every table, in the model's order. Raises `RunError` when the source fails."""
        try:
            return tuple(self.queries_of(table) for table in tables())
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None

    def index_queries(
        self, labels: Sequence[str] | None = None, wanted: Iterable[Table] | None = None
    ) -> list[IndexQuery]:
        """The queries of the key index, which is complete before the first row is shaped; those of the largest tables
        come first: the keys of some labels if they are given, else of all that rows refer to, and the duplicates of the
        wanted tables, else of all. Raises `RunError` when the source fails."""
        labels = referenced_labels() if labels is None else labels
        wanted = tables() if wanted is None else wanted
        try:
            bounds = self.key_bounds(labels)
            keys = [self.key_queries(label, *bounds.get(label, (None, None))) for label in labels]
            values = [self.value_queries(*value) for value in linked_values()]
            queries: list[IndexQuery] = [*keys, *self.duplicate_queries(wanted), *values]
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

    def queries_of(
        self, table: Table, spans: list[Span] | None = None, beside: Sequence[Selected] = ()
    ) -> TableQueries:
        """The queries of a table, whole or in these chunks, and the fallback queries for the same chunks. What is read
        `beside` its rows are further columns."""
        source = self.source(table)
        spans = self.chunker.spans(source) if spans is None else spans
        reads = self.reads(source, [*self.rows(source, fallback=False), *beside], spans)
        fallback = reads
        if TEMPORAL & set(table.uses().values()):
            text = select([*self.rows(source, fallback=True), *beside], source.name)
            fallback = tuple(plain_read(source, self.chunker.query(text, span)) for span in spans)
        return TableQueries(table.name, reads, fallback, self.chunker.bytes(source))

    def reads(self, source: SourceTable, selected: list[Selected], spans: list[Span]) -> tuple[Read, ...]:
        """How each chunk is read: packed where the server finds a range of rows by their ids, which is so for tables
        from PostgreSQL 14 on; before, each group would take a scan of the whole table."""
        text = select(selected, source.name)
        plain = [self.chunker.query(text, span) for span in spans]
        if not source.relation.is_table or self.connection.info.server_version < PACKING_SERVER:
            return tuple(plain_read(source, query) for query in plain)
        if self.small(source, spans):
            return (self.read(source, selected, limited(source.name, spans[0].condition), joinable=True),)
        step = group_blocks(self.chunker.blocks(source), self.chunker.bytes(source))
        packed = [packed_select(selected, source.name, span, step).as_string(self.connection) for span in spans]
        columns = tuple(column.packed for column in selected)
        pairs = zip(plain, packed, strict=True)
        return tuple(replace(plain_read(source, query), packed=groups, columns=columns) for query, groups in pairs)

    def read(self, source: SourceTable, selected: list[Selected], rows: sql.Composable, *, joinable: bool) -> Read:
        """How all `rows` of a table, which may be a subquery, are read: packed if they are few enough to be joined to
        others."""
        plain = plain_read(source, select(selected, rows).as_string(self.connection))
        if not joinable:
            return plain
        packed = packed_whole(selected, rows).as_string(self.connection)
        return replace(plain, packed=packed, columns=tuple(column.packed for column in selected), joinable=True)

    def small(self, source: SourceTable, spans: list[Span], limit: int = SMALL_TABLE) -> bool:
        """Whether a table is so small that it is read together with others."""
        return source.relation.is_table and len(spans) == 1 and max(self.chunker.bytes(source), spans[0].bytes) < limit

    def rows(self, source: SourceTable, *, fallback: bool) -> list[Selected]:
        """The SELECT list of a table's raw frame (model/frame.py)."""
        return self.selection.rows(source, ranked=not self.trusts(source), fallback=fallback)

    def column(self, source: SourceTable, name: str, use: Use, *, as_name: str = "") -> Selected:
        """A column of the model in a SELECT list."""
        return self.selection.column(source, name, use, fallback=False, as_name=as_name)

    def duplicate_queries(self, wanted: Iterable[Table], only: sql.Composable | None = None) -> list[DuplicateQuery]:
        """For each table whose keys are not promised to be unique, the query for the rows that are preceded by another
        row with the same key. With a condition (`only`), rows with one key must all meet it or none of them."""
        sources = [source for source in map(self.source, wanted) if source.relation.is_table]
        return [
            DuplicateQuery(source.table.name, self.duplicates_read(source, only), self.chunker.bytes(source))
            for source in sources
            if not self.trusts(source)
        ]

    def duplicates_read(self, source: SourceTable, only: sql.Composable | None) -> Read:
        """The read of a table's duplicates, by their row ids."""
        duplicates = sql.SQL(
            "(select row_id from (select {} as row_id, {} as rank from {}) ranked where rank > 1) duplicates"
        ).format(source.row_id(), rank(source), limited(source.name, only))
        joinable = self.small(source, self.chunker.spans(source, factor=KEY_FACTOR))
        return self.read(
            source, [text_of(sql.Identifier("row_id"), "row_id", unambiguous=True)], duplicates, joinable=joinable
        )

    def key_bounds(self, labels: Sequence[str]) -> dict[str, tuple[int | None, int | None]]:
        """The least and greatest key of those of the labels whose keys are plain integers, in one statement."""
        sources = {label: self.source_of(label) for label in labels}
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

    def key_queries(
        self, label: str, low: int | None, high: int | None, only: sql.Composable | None = None
    ) -> KeyQueries:
        """The queries for a label's keys, which are between `low` and `high` if those are known; of rows that meet a
        condition, if there is one."""
        source = self.source_of(label)
        uses = parts(node(label).key.columns, node(label).key.id_rule)
        gathered = all(source.column(name).base in INTEGERS for name in uses) and len(uses) == 1
        if gathered:
            # Measured: one array takes a twelfth of the client's time for rows, and the same time on the server.
            array = named(sql.SQL("array_agg({}::bigint)").format(source.quoted(*uses)), *uses)
            keys = sql.SQL("select {} from {}").format(array, source.name)
            spans = limited_to(self.chunker.spans(source, factor=KEY_FACTOR), only)
            joinable = self.small(source, spans, SMALL_KEYS)
            queries = [self.chunker.query(keys, span) for span in spans]
            reads = tuple(replace(plain_read(source, query), joinable=joinable) for query in queries)
        else:
            factor = KEY_FACTOR if len(uses) == 1 else PAIR_FACTOR
            spans = limited_to(self.chunker.spans(source, factor=factor), only)
            reads = self.reads(source, [self.column(source, name, use) for name, use in uses.items()], spans)
        return KeyQueries(label, reads, gathered, low, high, self.chunker.bytes(source))

    def value_queries(self, label: str, column: str, id_rule: IdRule) -> ValueQueries:
        """The queries for (key, value) of every row of a label that does not lose its key to another row."""
        source = self.source_of(label)
        key = node(label).key.columns[0]
        value = self.column(source, column, id_rule, as_name="value")
        selected = [self.column(source, key, IdRule.INTEGER), value]
        if self.trusts(source):
            reads = self.reads(source, selected, self.chunker.spans(source, factor=PAIR_FACTOR))
        else:
            rows = select([*selected, text_of(rank(source), "rank")], source.name)
            winners = sql.SQL("(select {}, value from ({}) ranked where rank = 1) winners")
            columns = [replace(column, expression=sql.Identifier(column.packed.name)) for column in selected]
            joinable = self.small(source, self.chunker.spans(source, factor=PAIR_FACTOR))
            reads = (self.read(source, columns, winners.format(sql.Identifier(key), rows), joinable=joinable),)
        id_rule = IdRule.CODE if self.selection.is_token(source, column) else id_rule
        return ValueQueries(label, column, id_rule, reads, self.chunker.bytes(source))


def plain_read(source: SourceTable, query: str) -> Read:
    """The plain read of a table or of a part of it."""
    return Read(query, of_view=not source.relation.is_table, key=source.table.key_columns)

"""The plan of a window: the reads of links, by which the closure finds the rows that are in, and of those rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from exporter.model.tables import Table, Use, node, referenced_labels, tables
from exporter.model.vocabulary import IdRule, Type
from exporter.model.ways_in import is_activity, link_columns, link_tables, ways_in
from exporter.model.window import CLOSED_LABELS, WHOLE, Closed, Window, dated_tables, up_references
from exporter.source.chunks import Span
from exporter.source.columns import INTEGERS
from exporter.source.plan import KEY_FACTOR, Planner
from exporter.source.queries import IdSet, IndexQuery, LinkQuery, TableQueries
from exporter.source.refusals import run_error
from exporter.source.select import SourceTable
from exporter.source.window_rows import condition, filled_length, in_time, time_column_of
from exporter.source.window_spans import limited_to, spans_of_rows_in

# All queries of a table hold its condition, with the ids that the workers put into it; where these would be longer
# together, all rows are read.
TEXT_BYTES = 4 << 20
# From this share of rows on, a table is read without a condition.
MOST = 0.75
DATED = frozenset(table.name for table in dated_tables())


@dataclass(frozen=True, slots=True)
class WindowPlanner:
    """Composes the queries of a window with those of the planner. `link_spans` are the chunks of links, by table."""

    planner: Planner
    window: Window
    link_spans: dict[str, list[Span]] = field(default_factory=dict)

    @property
    def removed(self) -> frozenset[str]:
        """The tables (the model's names) of which no row can be in."""
        return frozenset(table.name for table in tables() if not ways_in(table.name, self.window))

    def reads_every_link(self, name: str) -> bool:
        """Whether the links of all rows of a table are read. Of rows that nothing brings in but their time, those of
        the others are not needed."""
        return not self.window.timed or self.window.of_people or not is_activity(name)

    def link_queries(self) -> list[LinkQuery]:
        """The queries of the links, one for each chunk; those of the largest tables come first. Raises `RunError` when
        the source fails."""
        try:
            wanted = [table for table in link_tables() if table.name not in self.removed]
            found = [self.links_of(self.planner.source(table)) for table in wanted]
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None
        return [query for queries in sorted(found, key=lambda queries: -queries[0].bytes) for query in queries]

    def links_of(self, source: SourceTable) -> list[LinkQuery]:
        """The queries of one table's links."""
        table, planner = source.table, self.planner
        self.link_spans[table.name] = spans = planner.chunker.spans(source, factor=KEY_FACTOR)
        uses = table.uses()
        selected = [planner.column(source, name, uses[name]) for name in self.columns(source)]
        if table.name in DATED:
            selected += time_column_of(source, self.window)
        if not self.reads_every_link(table.name):
            spans = limited_to(spans, in_time(source, self.window))
        size = planner.chunker.bytes(source)
        reads = planner.reads(source, selected, spans)
        return [LinkQuery(table.name, number, read, size) for number, read in enumerate(reads, 1)]

    def columns(self, source: SourceTable) -> list[str]:
        """The columns of a table's links: without those of its own key of which it is only needed whether they are null
        or malformed, if they cannot be."""
        table, ways = source.table, ways_in(source.table.name, self.window)
        wanted = {up.column for up in up_references(table.name)} | {way.column for way in ways if way.column}
        drawn = any(not is_certain(source, way.column) for way in ways if way.nulls and way.column)
        return [
            name
            for name in link_columns(table.name, self.window)
            if name in wanted or drawn or not is_certain(source, name)
        ]

    def index_queries(self) -> list[IndexQuery]:
        """The queries of the rest of the key index, but for what `pair_queries` reads later: the keys of
        closed labels are among the links."""
        pairs = self.pairs()
        labels = [label for label in referenced_labels() if label not in CLOSED_LABELS and label not in pairs]
        wanted = [table for table in self.wanted() if not (table.node and table.node.label in pairs)]
        return self.planner.index_queries(labels, wanted)

    def pairs(self) -> list[str]:
        """The dated labels that are referred to and not closed: their rows with one key are in or out together, by a
        part of the key."""
        return [label for label in referenced_labels() if label not in CLOSED_LABELS and node(label).table in DATED]

    def pair_queries(self, closed: Closed, sets: Mapping[str, IdSet]) -> list[IndexQuery]:
        """The queries of keys and duplicates of rows that are in, of labels whose rows with one key are in or out
        together. Raises `RunError` when the source fails."""
        queries = list[IndexQuery]()
        try:
            for source in map(self.planner.source_of, self.pairs()):
                assert source.table.node is not None
                only = self.only(source, closed, sets)
                queries.append(self.planner.key_queries(source.table.node.label, None, None, only))
                queries += self.planner.duplicate_queries([source.table], only)
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None
        return queries

    def wanted(self) -> list[Table]:
        """The tables of which rows may be in."""
        return [table for table in tables() if table.name not in self.removed]

    def distrust(self, names: Iterable[str]) -> list[IndexQuery]:
        """As `Planner.distrust`."""
        return self.planner.distrust(names)

    def table_queries(self, closed: Closed, sets: Mapping[str, IdSet]) -> tuple[TableQueries, ...]:
        """The queries of every table of which rows are in, in the model's order. Raises `RunError` when the source
        fails."""
        try:
            return tuple(self.queries_of(table, closed, sets) for table in self.wanted())
        except psycopg.Error as error:
            raise run_error(error, "planning the reads") from None

    def queries_of(self, table: Table, closed: Closed, sets: Mapping[str, IdSet]) -> TableQueries:
        """The queries of the rows of a table that are in, and perhaps of some that are not."""
        if table.name in WHOLE:
            return self.planner.queries_of(table)
        source = self.planner.source(table)
        spans, only = self.spans(source, closed.rows[table.name]), self.only(source, closed, sets)
        text = only.as_string(self.planner.connection) if only else ""
        if filled_length(text, sets.values()) * len(spans) < TEXT_BYTES:
            spans = limited_to(spans, only)
        return self.planner.queries_of(table, spans, time_column_of(source, self.window))

    def only(self, source: SourceTable, closed: Closed, sets: Mapping[str, IdSet]) -> sql.Composable | None:
        """The condition under which rows of a dated table are read; None if all are."""
        name = source.table.name
        read, inside = (sum(numbers) for numbers in zip(*closed.rows[name], strict=True))
        few = inside < MOST * read or not self.reads_every_link(name)
        # What precedes a row of a view is asked of all its rows; and to leave out few rows costs more than it saves.
        if not source.relation.is_table or not few:
            return None
        return condition(source, self.window, ways_in(name, self.window), sets)

    def spans(self, source: SourceTable, counts: Sequence[tuple[int, int]]) -> list[Span]:
        """The chunks that hold all rows that are in, from the (rows read, rows in) of each chunk of links."""
        if not any(inside for _, inside in counts):
            return []
        if not source.relation.is_table:
            return self.planner.chunker.spans(source)
        return spans_of_rows_in(self.planner.chunker, source, self.link_spans[source.table.name], counts)


def is_certain(source: SourceTable, name: str) -> bool:
    """Whether a column is neither null nor malformed in any row, by its type and the catalog."""
    column, use = source.column(name), source.table.uses()[name]
    types: dict[Use, frozenset[str]] = {IdRule.INTEGER: INTEGERS, IdRule.TEXT_AUTH_ID: INTEGERS}
    types |= {IdRule.UUID: frozenset({"uuid"})}
    return column.required and (use is Type.STRING or column.base in types.get(use, frozenset()))

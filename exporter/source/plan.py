"""The plan: model × catalog. Which queries read each table, in which chunks, and what the census reads first."""

from dataclasses import dataclass
from itertools import pairwise

from psycopg import sql

from exporter.model import frame
from exporter.model.tables import Table, links_by_value, node, parts, referenced_labels, tables
from exporter.model.vocabulary import Grammar, Type
from exporter.source.catalog import Relation, Size
from exporter.source.columns import INTEGERS, expression, raw_expression
from exporter.source.connection import Connection
from exporter.source.mapping import Mapping
from exporter.source.reads import KeyReads, LoserReads, Plan, TableReads, ValueReads
from exporter.source.select import From, comparable, joined_text, winner_order

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of the source one read may bring, in bytes of heap; and the zone of timestamps without one."""

    chunk_bytes: int
    timezone: str


class Planner:
    """Composes the reads of one source; asks the leader's snapshot for what chunks need."""

    def __init__(
        self,
        connection: Connection,
        catalog: dict[str, Relation],
        sizes: dict[str, Size],
        counts: dict[str, int],
        mapping: Mapping,
        budget: Budget,
    ) -> None:
        self.connection = connection
        self.catalog = catalog
        self.sizes = sizes
        self.counts = counts
        self.mapping = mapping
        self.budget = budget

    def plan(self) -> Plan:
        """The reads of every table and of the census."""
        return Plan(
            tables=tuple(self.table_reads(table) for table in tables()),
            keys=tuple(self.key_reads(label) for label in referenced_labels()),
            values=tuple(self.value_reads()),
            losers=tuple(
                LoserReads(table.name, self.loser_query(table))
                for table in tables()
                if not self.proven_unique(table) and self.source(table).relation.is_table
            ),
        )

    def source(self, table: Table) -> From:
        """The table's FROM clause and quoted columns."""
        return From(self.catalog[self.mapping.table(table.name)], table, self.mapping, self.budget.timezone)

    def proven_unique(self, table: Table) -> bool:
        """Whether the catalog proves that no two rows have the same canonical key: a unique index on a column whose
        type has one form for each key. A text column may hold 7 and 07."""
        source = self.source(table)
        if len(table.key_columns) > 1 or (source.relation.children and source.relation.kind == "r"):
            return False
        column = source.column(table.key_columns[0])
        return column.name in source.relation.unique and column.base in INTEGERS | {"numeric", "uuid"}

    def table_reads(self, table: Table) -> TableReads:
        """The reads of a whole table."""
        source = self.source(table)
        proven = self.proven_unique(table)
        by_window = not proven and not source.relation.is_table
        selected = [
            sql.SQL("{} as {}").format(
                expression(source.column(name), use, source=source.quoted(name), timezone=self.budget.timezone),
                sql.Identifier(name),
            )
            for name, use in table.uses().items()
        ]
        selected += [
            sql.SQL("{} as {}").format(
                raw_expression(source.column(name), source=source.quoted(name), timezone=self.budget.timezone),
                sql.Identifier(frame.raw(name)),
            )
            for name, use in table.uses().items()
            if use in (Type.DATETIME, Type.DATE)
        ]
        if (key := source.relation.primary_key) and set(key) != {source.column(c).name for c in table.key_columns}:
            selected.append(sql.SQL("{} as {}").format(joined_text(key), sql.Identifier(frame.PRIMARY_KEY)))
        if by_window:
            before = sql.SQL("(row_number() over (partition by {} order by {}) > 1)")
            flag = before.format(self.partition(table), winner_order(source))
            selected.append(sql.SQL("{} as {}").format(flag, sql.Identifier(frame.DUPLICATE)))
        elif not proven:
            selected.append(sql.SQL("{} as {}").format(source.row_id(), sql.Identifier(frame.ROW)))
        text = sql.SQL("select {} from {}").format(sql.SQL(", ").join(selected), source.name)
        return TableReads(
            table.name,
            self.chunks(table, text, self.budget.chunk_bytes),
            self.bytes(table),
            losers=not proven and not by_window,
        )

    def bytes(self, table: Table) -> int:
        """The size of a table; a view's is its rows times a middling width."""
        size = self.sizes.get(self.source(table).relation.full_name)
        return size.bytes if size else self.counts[table.name] * 200

    def chunks(self, table: Table, text: sql.Composed, chunk_bytes: int) -> tuple[str, ...]:
        """A query for each chunk: ranges of the heap's blocks, of a view's integer keys, or the whole."""
        source = self.source(table)
        number = max(1, -(-self.bytes(table) // chunk_bytes))
        if number == 1:
            return (text.as_string(self.connection),)
        if source.relation.is_table:
            blocks = self.sizes[source.relation.full_name].blocks
            step = max(1, -(-blocks // number))
            bounds = [sql.Literal(f"({block},0)") for block in range(step, blocks, step)]
            place: sql.Composable = sql.SQL("ctid")
            cast = "tid"
        else:
            column = source.column(table.key_columns[0])
            if column.base not in INTEGERS:
                return (text.as_string(self.connection),)
            bounds = [sql.Literal(value) for value in self.quantiles(source, table.key_columns[0], number)]
            place = source.quoted(table.key_columns[0])
            cast = column.base
        return tuple(
            (text + sql.SQL(" where ") + condition).as_string(self.connection)
            for condition in ranges(place, bounds, cast)
        )

    def quantiles(self, source: From, column: str, number: int) -> list[int]:
        """Keys that cut a view's rows into ranges of about equal length."""
        query = sql.SQL(
            "select distinct percentile_disc(array(select n / {number}::float8 from generate_series(1, {last}) n))"
            " within group (order by {column}) from {name}"
        ).format(
            number=sql.Literal(number), last=sql.Literal(number - 1), column=source.quoted(column), name=source.name
        )
        row = self.connection.execute(query).fetchone()
        return sorted(set(row[0])) if row and row[0] else []

    def partition(self, table: Table) -> sql.Composed:
        """The PARTITION BY of rows that have the same canonical key."""
        source = self.source(table)
        uses = table.uses()
        keys = [comparable(source, name, uses[name]) for name in table.key_columns]
        return sql.SQL(", ").join(keys)

    def loser_query(self, table: Table) -> str:
        """The ROW of each row that another one with the same key comes before."""
        source = self.source(table)
        return (
            sql.SQL(
                "select row_id from (select {} as row_id, row_number() over (partition by {} order by {}) as place"
                " from {}) numbered where place > 1"
            )
            .format(source.row_id(), self.partition(table), winner_order(source), source.name)
            .as_string(self.connection)
        )

    def key_reads(self, label: str) -> KeyReads:
        """The reads of a label's keys; the census needs 8 bytes a row, so its chunks are far larger."""
        table = next(table for table in tables() if table.node and table.node.label == label)
        source = self.source(table)
        uses = parts(node(label).key.columns, node(label).key.grammar)
        selected = [
            sql.SQL("{} as {}").format(
                expression(source.column(name), use, source=source.quoted(name), timezone=self.budget.timezone),
                sql.Identifier(name),
            )
            for name, use in uses.items()
        ]
        text = sql.SQL("select {} from {}").format(sql.SQL(", ").join(selected), source.name)
        low = high = None
        first = next(iter(uses))
        if len(uses) == 1 and source.column(first).base in INTEGERS:
            bounds = sql.SQL("select min({0}), max({0}) from {1}").format(source.quoted(first), source.name)
            low, high = self.connection.execute(bounds).fetchone() or (None, None)
        queries = self.chunks(table, text, self.budget.chunk_bytes * (8 if len(uses) == 1 else 2))
        return KeyReads(label, queries, low, high, self.counts[table.name])

    def value_reads(self) -> list[ValueReads]:
        """The reads of all owners of a linked value, and of the rows that share it where the link is exclusive."""
        found = {}
        for table, label, link in links_by_value():
            owner = next(table for table in tables() if table.node and table.node.label == label)
            found[label, link.owner_column] = (owner, link.owner_column, link.grammar)
            if link.exclusive and table.node:
                found[table.node.label, link.column] = (table, link.column, link.grammar)
        return [
            ValueReads(label, column, grammar, self.value_queries(owner, column, grammar), self.counts[owner.name])
            for (label, _), (owner, column, grammar) in found.items()
        ]

    def value_queries(self, table: Table, column: str, grammar: Grammar) -> tuple[str, ...]:
        """(key, value) of every row that wins its key."""
        source = self.source(table)
        key = table.key_columns[0]
        selected = sql.SQL("{} as {}, {} as value").format(
            expression(source.column(key), Grammar.INTEGER, source=source.quoted(key), timezone=self.budget.timezone),
            sql.Identifier(key),
            expression(source.column(column), grammar, source=source.quoted(column), timezone=self.budget.timezone),
        )
        if self.proven_unique(table):
            text = sql.SQL("select {} from {}").format(selected, source.name)
            return self.chunks(table, text, self.budget.chunk_bytes * 4)
        numbered = sql.SQL("select {}, row_number() over (partition by {} order by {}) as place from {}")
        inner = numbered.format(selected, self.partition(table), winner_order(source), source.name)
        names = sql.SQL("select {}, value from ({}) numbered where place = 1")
        return (names.format(sql.Identifier(key), inner).as_string(self.connection),)


def ranges(place: sql.Composable, bounds: list[sql.Literal], cast: str) -> list[sql.Composed]:
    """Conditions that together hold each row once: the first and the last range are open, nulls are in the first."""
    if not bounds:
        return [sql.Composed([sql.SQL("true")])]
    typed = [sql.SQL("{}::{}").format(bound, sql.SQL(cast)) for bound in bounds]
    first = sql.SQL("({0} < {1} or {0} is null)" if cast != "tid" else "{0} < {1}").format(place, typed[0])
    middle = [sql.SQL("{0} >= {1} and {0} < {2}").format(place, low, high) for low, high in pairwise(typed)]
    return [first, *middle, sql.SQL("{} >= {}").format(place, typed[-1])]

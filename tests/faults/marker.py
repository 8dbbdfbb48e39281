"""A marker that every transaction moves in all tables of a source at once, so that two snapshots cannot hide."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import psycopg
from psycopg import sql

from exporter.model.tables import Table, tables
from exporter.model.vocabulary import Property, Type

# Every transaction adds as many rows to each table as the marker's remainder says; their keys begin here.
REMAINDERS, FIRST_EXTRA, FIRST_EXTRA_INTEGER = 3, 8_123_456_789_000_000_000, 1_000_000_000
# By the type of their keys.
INTEGERS = ("guide.skills", "guide.languages", "wallet.payment_gateways", "wallet.promotion_rules")
UUIDS = ("auth.user_sessions", "notifications.notifications")


def marked(table: Table) -> str | None:
    """The property that carries the marker: the first one that can, and is no part of a key."""
    for prop in table.node.properties if table.node else ():
        if isinstance(prop, Property) and prop.type in (Type.STRING, Type.LONG, Type.DOUBLE) \
                and prop.name not in table.key_columns:  # fmt: skip
            return prop.name
    return None


def statement(text: str, table: Table, **parts: sql.Composable) -> sql.Composed:
    """A statement with a table's names filled in."""
    names = {"table": sql.Identifier(*table.name.split(".")), "base": sql.Identifier(table.name)}
    return sql.SQL(text).format(**names, **parts)  # type: ignore[arg-type]


class Mover:
    """Moves the marker: in one transaction every row of every table gets the next number, and each table as many more
    rows as `REMAINDERS` leaves of it. The rows that were there keep their keys and references."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("set session_replication_role = replica; set lock_timeout = '1s'")
        self.columns = {table.name: self.columns_of(table) for table in tables()}
        self.moves = 0
        self.over = threading.Event()

    def columns_of(self, table: Table) -> list[str]:
        """A table's columns, in order."""
        query = statement("select * from {table} limit 0", table)
        return [column.name for column in self.connection.execute(query).description or ()]

    def move(self) -> None:
        """Moves the marker once. Raises psycopg's errors; then nothing is changed."""
        with self.connection.transaction():
            query = "update faults.marker set n = n + 1 returning n"
            [(marker,)] = self.connection.execute(query).fetchall()
            parts = [part for table in tables() for part in self.of_table(table, marker)]
            self.connection.execute(sql.SQL(";").join(parts))
        self.moves += 1

    def of_table(self, table: Table, marker: int) -> Iterator[sql.Composed]:
        """The statements for one table."""
        first, *others = self.columns[table.name]
        extra = sql.Literal(marker % REMAINDERS)
        if not table.node:
            yield statement("delete from {table}", table)
            yield statement("insert into {table} select * from faults.{base}", table)
            yield statement("insert into {table} select * from faults.{base} limit {extra}", table, extra=extra)
            return
        is_uuid = table.name in UUIDS
        key = "lpad(number::text, 32, '0')::uuid" if is_uuid else "{big} + number"
        new = "{first} <= lpad('9', 32, '0')::uuid" if is_uuid else "{first} between {big} and {big} + 9"
        names = {"first": sql.Identifier(first), "big": sql.Literal(big(table)), "extra": extra,
                 "others": sql.SQL(", ").join(map(sql.Identifier, others))}  # fmt: skip
        yield statement("delete from {table} where " + new, table, **names)
        yield statement(
            "insert into {table} ({first}, {others}) select " + key + ", {others} from faults.{base},"
            " lateral (values (1), (2)) extras (number) where number <= {extra}"
            " and faults.{base}.ctid = (select min(ctid) from faults.{base})", table, **names)  # fmt: skip
        column = sql.Identifier(marked(table) or "")
        yield statement("update {table} set {column} = {marker}", table, column=column, marker=sql.Literal(str(marker)))

    def move_on(self) -> None:
        """Moves the marker until it is over."""
        while not self.over.is_set():
            with suppress(psycopg.Error):
                self.move()


def big(table: Table) -> int:
    """The first key of additional rows."""
    return FIRST_EXTRA_INTEGER if table.name in INTEGERS else FIRST_EXTRA


def prepare(connection: psycopg.Connection) -> None:
    """Makes a source ready, and moves the marker once."""
    connection.execute("create schema faults; create table faults.marker (n bigint)")
    connection.execute("insert into faults.marker values (0)")
    for table in tables():
        connection.execute(statement("create table faults.{base} as select * from {table}", table))
    Mover(connection).move()

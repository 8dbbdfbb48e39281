"""Makes dirty sources: the schema, the values at the edges, the rows, and a database whose settings mislead."""

from pathlib import Path

import psycopg
from psycopg import sql

from .declaration import TABLES

HERE = Path(__file__).parent

# None of them may change a byte of an export, or end it.
MISLEADING_SETTINGS = {
    "timezone": "Asia/Kolkata",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "-3",
    "search_path": "nowhere",
    "idle_in_transaction_session_timeout": "2s",
    "transaction_timeout": "4s",
}


def make(connection: psycopg.Connection) -> None:
    """Makes the dirty schema in an empty database, without a row."""
    connection.execute((HERE / "dirty_schema.sql").read_text(encoding="utf-8"))


def fill(connection: psycopg.Connection) -> None:
    """Makes the dirty schema with its rows."""
    make(connection)
    for name in ("edge_values.sql", "dirty_rows.sql"):
        connection.execute((HERE / name).read_text(encoding="utf-8"))


def declare(connection: psycopg.Connection, schema: str) -> None:
    """Moves the dirty rows into the tables of `schema`, with its types but without its keys and NOT NULLs.

    A value that its column's type refuses becomes null there.
    """
    for name in sorted({table.partition(".")[0] for table in TABLES}):
        connection.execute(f"ALTER SCHEMA {name} RENAME TO dirty_{name}")
    connection.execute(schema)
    connection.execute((HERE / "drop_constraints.sql").read_text(encoding="utf-8"))
    for table in TABLES:
        columns = connection.execute(
            """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped""",
            [table],
        ).fetchall()
        dirty = connection.execute(f"SELECT * FROM dirty_{table} LIMIT 0").description or []
        shared = {name: type_ for name, type_ in columns if name in {column.name for column in dirty}}
        values = (
            f"CASE WHEN pg_input_is_valid({name}::text, '{type_}') THEN {name}::text::{type_} END"
            for name, type_ in shared.items()
        )
        connection.execute(f"INSERT INTO {table} ({', '.join(shared)}) SELECT {', '.join(values)} FROM dirty_{table}")


def mislead(connection: psycopg.Connection) -> None:
    """Sets what every later session of the database starts with."""
    for setting, value in MISLEADING_SETTINGS.items():
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
        name = sql.Identifier(connection.info.dbname)
        connection.execute(statement.format(name, sql.Identifier(setting), sql.Literal(value)))

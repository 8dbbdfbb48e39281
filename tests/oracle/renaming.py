"""A source whose tables and columns are called otherwise, and the settings that say how."""

import json
from collections import defaultdict

import psycopg
from psycopg import sql

from .declaration import NODES, RELATIONSHIPS, TABLES

# Names that need quoting, and two pairs that change their names with one another.
TABLE_NAME = '{} "Größe" %s {{}} \\ $1'
COLUMN_NAME = '{}: "%(né)s" {{0}}\''
SWAPPED_TABLES = {"guide.skills": "languages", "guide.languages": "skills"}
SWAPPED_COLUMNS = {
    ("auth.auth_users", "created_at"): "updated_at",
    ("auth.auth_users", "updated_at"): "created_at",
}


def columns_read() -> dict[str, set[str]]:
    """The columns of each table that the specification reads."""
    read: dict[str, set[str]] = defaultdict(set)
    for node in NODES.values():
        read[node.table] |= node.properties.keys()
    for relationship in RELATIONSHIPS:
        columns = {relationship.start_column.removesuffix("?"), relationship.end_column.removesuffix("?")}
        read[relationship.table] |= columns - {"="}
    read["auth.user_devices"].add("id")
    read["notifications.notifications"].add("target_type")
    return read


def rename(connection: psycopg.Connection) -> str:
    """Renames every table and every column that is read; returns the settings file that maps them."""
    tables = {table: SWAPPED_TABLES.get(table, TABLE_NAME.format(number)) for number, table in enumerate(TABLES)}
    columns = {
        table: {name: SWAPPED_COLUMNS.get((table, name), COLUMN_NAME.format(name)) for name in sorted(names)}
        for table, names in columns_read().items()
    }
    for table, names in columns.items():
        for old, new in _two_steps(names):
            _alter(connection, table, "ALTER TABLE {} RENAME COLUMN {} TO {}", old, new)
    for schema in sorted({table.partition(".")[0] for table in TABLES}):
        names = {table.partition(".")[2]: new for table, new in tables.items() if table.startswith(f"{schema}.")}
        for old, new in _two_steps(names):
            _alter(connection, f"{schema}.{old}", "ALTER TABLE {} RENAME TO {}", new)
    return _settings({table: f"{table.partition('.')[0]}.{new}" for table, new in tables.items()}, columns)


def _two_steps(names: dict[str, str]) -> list[tuple[str, str]]:
    """First to a name that nothing has, so that names can change places."""
    return [*((old, f"{new}?") for old, new in names.items()), *((f"{new}?", new) for new in names.values())]


def _alter(connection: psycopg.Connection, table: str, statement: str, *names: str) -> None:
    schema, _, name = table.partition(".")
    identifiers = (sql.Identifier(schema, name), *map(sql.Identifier, names))
    connection.execute(sql.SQL(statement).format(*identifiers))


def _settings(tables: dict[str, str], columns: dict[str, dict[str, str]]) -> str:
    """An exporter.toml; a JSON string is a TOML string."""

    def section(name: str, names: dict[str, str]) -> list[str]:
        pairs = ((json.dumps(old), json.dumps(new, ensure_ascii=False)) for old, new in names.items())
        return [f"[{name}]", *(f"{old} = {new}" for old, new in pairs)]

    lines = section("tables", tables)
    for table, names in columns.items():
        lines += section(f"columns.{json.dumps(table)}", names)
    return "\n".join([*lines, ""])

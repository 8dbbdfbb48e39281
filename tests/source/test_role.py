"""docs/source-role.sql: with it, and nothing else, the exporter can read and lock what it needs, and write nothing."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from exporter.model.graph import SKIPPED_TABLES
from exporter.model.tables import tables
from exporter.sample.source import fill_sample

SCRIPT = Path(__file__).parents[2] / "docs" / "source-role.sql"
MAPPED = sorted(table.name for table in tables())
SCHEMAS = sorted({table.split(".")[0] for table in MAPPED})


@pytest.fixture
def granted(database: str) -> Iterator[str]:
    """A sample source on which the script was run, twice: its URI for a superuser."""
    fill_sample(database, scale=0.01)
    with psycopg.connect(database, autocommit=True) as connection:
        for _ in range(2):
            connection.execute(SCRIPT.read_text(encoding="utf-8"))
        yield database
        connection.execute("DROP OWNED BY exporter; DROP ROLE exporter")


@pytest.fixture
def exporter(granted: str) -> Iterator[psycopg.Connection]:
    """A session of the role."""
    address = urlsplit(granted)
    with psycopg.connect(
        address._replace(netloc=address.netloc.replace("postgres@", "exporter@")).geturl()
    ) as connection:
        yield connection


def test_it_reads_and_locks_all_tables_of_the_model(exporter: psycopg.Connection) -> None:
    """As an export does: the locks, then the snapshot and the reads."""
    exporter.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    for table in MAPPED:
        exporter.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
    exporter.execute("SELECT pg_export_snapshot(), pg_current_wal_lsn()")
    empty = [table for table in MAPPED if exporter.execute(f"SELECT FROM {table} LIMIT 1").fetchone() is None]
    assert (len(MAPPED), empty) == (len(tables()), [])


def test_it_is_granted_nothing_else(exporter: psycopg.Connection) -> None:
    """SELECT on those tables and USAGE on their schemas."""
    privileges = exporter.execute(
        "SELECT table_schema || '.' || table_name, privilege_type FROM information_schema.role_table_grants "
        "WHERE grantee = 'exporter'"
    )
    assert sorted(privileges) == [(table, "SELECT") for table in MAPPED]
    creatable = exporter.execute(
        "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(nspname, 'CREATE') AND nspname !~ '^pg_temp'"
    )
    assert list(creatable) == []


def test_it_does_not_read_the_skip_list(exporter: psycopg.Connection) -> None:
    """What is not exported is not granted."""
    exporter.autocommit = True
    for table in SKIPPED_TABLES:
        with pytest.raises(InsufficientPrivilege):
            exporter.execute(f"SELECT FROM {table}")


def test_it_writes_nothing(exporter: psycopg.Connection) -> None:
    """Not even when it makes its transactions writable."""
    exporter.autocommit = True
    exporter.execute("SET default_transaction_read_only = off")
    statements = [
        statement
        for table in MAPPED
        for statement in (
            f"INSERT INTO {table} DEFAULT VALUES",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"DO 'BEGIN LOCK TABLE {table} IN ROW EXCLUSIVE MODE; END'",
            f"DROP TABLE {table}",
        )
    ]
    statements += [f"CREATE TABLE {schema}.mine ()" for schema in SCHEMAS]
    statements += ["CREATE ROLE friend", "CREATE DATABASE copy", "ALTER SYSTEM SET fsync = on"]
    for statement in statements:
        with pytest.raises(InsufficientPrivilege):
            exporter.execute(statement)


def test_its_settings(exporter: psycopg.Connection) -> None:
    """No timeout ends an export, nothing is written by mistake, no row is hidden silently."""
    names = [
        "idle_in_transaction_session_timeout",
        "statement_timeout",
        "transaction_timeout",
        "default_transaction_read_only",
        "row_security",
    ]
    values = [row[0] for name in names for row in exporter.execute("SELECT current_setting(%s)", [name])]
    assert values == ["0", "0", "0", "on", "off"]


def test_row_level_security_is_an_error(granted: str, exporter: psycopg.Connection) -> None:
    """Until a superuser lets the role see all rows."""
    with psycopg.connect(granted, autocommit=True) as superuser:
        superuser.execute(
            "ALTER TABLE marketing.leads ENABLE ROW LEVEL SECURITY; "
            "CREATE POLICY new_only ON marketing.leads USING (status = 'NEW')"
        )
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            exporter.execute("SELECT FROM marketing.leads")
        exporter.rollback()
        superuser.execute("ALTER ROLE exporter BYPASSRLS")
        all_rows = superuser.execute("SELECT count(*) FROM marketing.leads").fetchone()
        assert exporter.execute("SELECT count(*) FROM marketing.leads").fetchone() == all_rows

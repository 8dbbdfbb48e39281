"""The one snapshot of an export: locks first, then the snapshot that the workers' reads share, held to the end."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from exporter.errors import ExporterError, RunError, SourceError, UsageError
from exporter.model.tables import tables
from exporter.source.catalog import Relation, Size, read_catalog, read_sizes
from exporter.source.compatibility import Severity, examine
from exporter.source.connection import Connection, connect, lost, session
from exporter.source.mapping import NameMapping
from exporter.source.watchdog import stall_guard


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the leader's transaction sees, and the statements by which a worker's transaction sees the same."""

    identifier: str
    taken_at: datetime
    wal_lsn: str
    database: str
    server_version: str
    host: str

    @property
    def pre_execution(self) -> list[str]:
        """For connectorx, after whose `prepare` they run (source-facts.md)."""
        return [
            "begin isolation level repeatable read read only",
            f"set transaction snapshot '{self.identifier}'",
        ]


@contextmanager
def hold_snapshot(connection: Connection, mapping: NameMapping, seen: dict[str, Relation]) -> Iterator[Snapshot]:
    """Locks every mapped table, takes the snapshot, and keeps both until the block ends.

    `seen` is the catalog that the preflight read in a transaction of its own; that of the snapshot must be the same,
    or a migration came between. Raises `RunError` for that, for a lock that is not had in time, a lost connection.
    """
    names = [seen[mapping.table(table.name)] for table in tables()]
    locked = sql.SQL(", ").join(sql.Identifier(relation.schema, relation.name) for relation in names)
    try:
        connection.execute("begin isolation level repeatable read read only")
        connection.execute(sql.SQL("lock table {} in access share mode").format(locked))
        row = connection.execute(
            "select pg_export_snapshot(), clock_timestamp(), case when pg_is_in_recovery()"
            " then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text, current_database(),"
            " current_setting('server_version')"
        ).fetchone()
        catalog = read_catalog(connection, mapping.schemas())
    except psycopg.Error as error:
        raise lost(error, "locking the tables and taking the snapshot") from None
    if row is None or any(catalog.get(relation.full_name) != relation for relation in names):
        raise RunError("a table changed while the export started (a migration?); run it again")
    identifier, taken_at, wal_lsn, database, version = row
    host = connection.info.host
    # The transaction ends with its connection: a rollback could wait for ever on one that hangs.
    yield Snapshot(
        identifier,
        taken_at.astimezone(UTC),
        wal_lsn or "",
        database,
        version,
        "localhost" if host.startswith("/") else host,
    )


def count_views(connection: Connection, mapping: NameMapping, catalog: dict[str, Relation]) -> dict[str, int]:
    """`count(*)` of every view by the model's name, in the snapshot; each by itself, since it may fail by its query."""
    counts: dict[str, int] = {}
    for table in tables():
        relation = catalog[mapping.table(table.name)]
        if not relation.is_table:
            counts |= count_together(connection, {table.name: relation}, relation.full_name)
    return counts


def count_tables(connection: Connection, mapping: NameMapping, catalog: dict[str, Relation]) -> dict[str, int]:
    """`count(*)` of every table that is no view by the model's name, in the snapshot; in one statement, since a server
    may be far."""
    relations = {table.name: catalog[mapping.table(table.name)] for table in tables()}
    stored = {name: relation for name, relation in relations.items() if relation.is_table}
    return count_together(connection, stored, "the tables")


def count_together(connection: Connection, relations: dict[str, Relation], what: str) -> dict[str, int]:
    """The `count(*)` of some relations in one statement."""
    counts = [
        sql.SQL("(select count(*) from {})").format(sql.Identifier(relation.schema, relation.name))
        for relation in relations.values()
    ]
    try:
        row = connection.execute(sql.SQL("select {}").format(sql.SQL(", ").join(counts))).fetchone()
    except psycopg.Error as error:
        raise lost(error, f"counting {what}") from None
    return dict(zip(relations, row or (), strict=True))


def sizes_of(connection: Connection, mapping: NameMapping) -> dict[str, Size]:
    """The size of every mapped table by its real name."""
    try:
        return read_sizes(connection, [mapping.table(table.name) for table in tables()])
    except psycopg.Error as error:
        raise lost(error, "measuring the tables") from None


def current_catalog(connection: Connection, mapping: NameMapping) -> dict[str, Relation]:
    """The catalog as it is before the locks, in a transaction of its own."""
    try:
        connection.execute("begin isolation level repeatable read read only")
        catalog = read_catalog(connection, mapping.schemas())
        connection.execute("commit")
    except psycopg.Error as error:
        raise SourceError(str(lost(error, "reading the catalog"))) from None
    return catalog


def end_readers(uri: str, application: str) -> None:
    """Ends the server-side queries of workers that were killed: sessions of our own role under the run's own name."""
    query = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like %s || ' %%'"
    with suppress(psycopg.Error, ExporterError), connect(uri, "exporter cleaning up", lock_seconds=5) as connection:
        connection.execute(query, [application])


@contextmanager
def connected(uri: str | None, application: str, *, lock_timeout: int, stall_timeout: int) -> Iterator[Connection]:
    """A connection to the source, which is cut off when the server does not answer for `stall_timeout` seconds; it
    waits `lock_timeout` seconds for a lock. Raises `UsageError` when no source is set."""
    if not uri:
        raise UsageError("no source is set; give --source postgresql://USER@HOST/DATABASE or set EXPORTER_SOURCE")
    with (
        session(uri, application, lock_seconds=lock_timeout) as connection,
        stall_guard(connection, uri, stall_timeout),
    ):
        yield connection


def exportable(connection: Connection, mapping: NameMapping) -> dict[str, Relation]:
    """The source's catalog. Raises `SourceError` with all faults at once where it is not what the model needs."""
    catalog = current_catalog(connection, mapping)
    faults = [str(finding) for finding in examine(catalog, mapping) if finding.severity is Severity.ERROR]
    if faults:
        raise SourceError("\n  ".join(["the source cannot be exported:", *faults]))
    return catalog

"""The leader's access to a source: connection, checked catalog, locks and the snapshot, counts and sizes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

import psycopg
from psycopg import sql

from exporter.errors import ExporterError, RunError, SourceError, UsageError
from exporter.invocation import command
from exporter.model.tables import tables
from exporter.source.catalog import Relation, Size, read_catalog, read_login, read_sizes
from exporter.source.compatibility import Severity, examine
from exporter.source.connection import Connection, Server, connect, session
from exporter.source.identity import source_identity
from exporter.source.mapping import NameMapping
from exporter.source.refusals import MissingNameError, passes, run_error
from exporter.source.watchdog import stall_guard
from exporter.source.zones import zone_fault, zoneless_columns


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the leader's transaction sees, and the statements with which a worker's transaction sees the same.

    `visible` is `pg_current_snapshot()`, `server_started` when the leader's server did: another server may have a
    snapshot of the same identifier, which is little more than a counter.
    """

    identifier: str
    visible: str
    server_started: datetime
    taken_at: datetime
    wal_lsn: str
    database: str
    server_version: str
    host: str
    identity: str

    @property
    def pre_execution(self) -> list[str]:
        """For connectorx, which runs them after its `prepare` (source-facts.md). The last fails in any other snapshot
        and on any other server, to which a failover or a name's new address may lead."""
        other = (
            f"pg_postmaster_start_time() <> '{self.server_started.isoformat()}'"
            f" or pg_current_snapshot()::text <> '{self.visible}'"
        )
        return [
            "begin isolation level repeatable read read only",
            f"set transaction snapshot '{self.identifier}'",
            # A cast fails without PL/pgSQL, which a database need not have; its text is for the server's log.
            f"select (case when {other} then 'this is not the snapshot of the exporter' else '0' end)::int",
        ]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that can be exported: the leader's connection, the real names of the model's tables and columns, and
    the catalog (relations by their full real names) as it was before the tables were locked."""

    connection: Connection
    mapping: NameMapping
    catalog: dict[str, Relation]

    def relations(self) -> dict[str, Relation]:
        """The relation of every table of the model, by the model's name."""
        return {table.name: self.catalog[self.mapping.table(table.name)] for table in tables()}

    def sizes(self) -> dict[str, Size]:
        """The size of every table that is not a view, by its real name. Raises `RunError` when the source fails."""
        try:
            return read_sizes(self.connection, [relation.full_name for relation in self.relations().values()])
        except psycopg.Error as error:
            raise run_error(error, "measuring the tables") from None

    def take_snapshot(self) -> Snapshot:
        """Locks every table, then takes the snapshot; both last until the connection is closed.

        Raises `RunError` if a lock is not granted in time, if a migration has changed the catalog since it was checked,
        or if the connection is lost; `SourceError` if a privilege is missing, to the query of a view for example.
        """
        relations = self.relations().values()
        names = sql.SQL(", ").join(sql.Identifier(relation.schema, relation.name) for relation in relations)
        identity = source_identity(self.connection)
        try:
            self.connection.execute("begin isolation level repeatable read read only")
            self.connection.execute(sql.SQL("lock table {} in access share mode").format(names))
            row = self.connection.execute(
                "select pg_export_snapshot(), pg_current_snapshot()::text, pg_postmaster_start_time(),"
                " clock_timestamp(), case when pg_is_in_recovery() then pg_last_wal_replay_lsn()"
                " else pg_current_wal_lsn() end::text, current_database(), current_setting('server_version')"
            ).fetchone()
            catalog = read_catalog(self.connection, self.mapping.schemas(), self.mapping.names())
        except psycopg.Error as error:
            raise run_error(error, "locking the tables and taking the snapshot", of_catalog=True) from None
        if row is None or any(catalog.get(relation.full_name) != relation for relation in relations):
            raise RunError("a table changed while the export started (a migration?); run it again")
        identifier, visible, server_started, taken_at, wal_lsn, database, version = row
        host = self.connection.info.host
        return Snapshot(
            identifier,
            visible,
            server_started.astimezone(UTC),
            taken_at.astimezone(UTC),
            wal_lsn or "",
            database,
            version,
            "localhost" if host.startswith("/") else host,
            identity,
        )

    def count_views(self) -> dict[str, int]:
        """`count(*)` of every view by the model's name, each in its own statement, since a view's query may fail.
        Raises `RunError` if one does, `SourceError` if it names something that does not exist: nothing of a view is
        gone only for a moment, since its tables are locked with it."""
        views = {name: relation for name, relation in self.relations().items() if not relation.is_table}
        counts: dict[str, int] = {}
        for name, relation in views.items():
            try:
                counts |= self.count({name: relation}, relation.full_name)
            except MissingNameError as error:
                raise SourceError(str(error)) from None
        return counts

    def count_tables(self) -> dict[str, int]:
        """`count(*)` of every table that is not a view by the model's name, in one statement, since the server may be
        far away. Raises `RunError` if the source fails."""
        stored = {name: relation for name, relation in self.relations().items() if relation.is_table}
        return self.count(stored, "the tables")

    def recount(self, names: Iterable[str]) -> dict[str, int]:
        """`count(*)` of some tables (the model's names) without their indexes, since one may no longer be true. Raises
        `RunError` if the source fails."""
        wanted = set(names)
        stored = {name: relation for name, relation in self.relations().items() if name in wanted}
        return self.count(stored, "the tables again", " where ctid >= '(0,0)'") if stored else {}

    def count(self, relations: dict[str, Relation], subject: str, condition: LiteralString = "") -> dict[str, int]:
        """`count(*)` of some relations in one statement. `subject` names them in the `RunError` when that fails."""
        counts = [
            sql.SQL("(select count(*) from {}{})").format(
                sql.Identifier(relation.schema, relation.name), sql.SQL(condition)
            )
            for relation in relations.values()
        ]
        try:
            row = self.connection.execute(sql.SQL("select {}").format(sql.SQL(", ").join(counts))).fetchone()
        except psycopg.Error as error:
            raise run_error(error, f"counting {subject}") from None
        return dict(zip(relations, row or (), strict=True))


@contextmanager
def connected(uri: str | None, application: str, *, lock_timeout: int, stall_timeout: int) -> Iterator[Connection]:
    """A connection to the source while the block runs. It waits `lock_timeout` seconds for a lock, and is aborted when
    the server makes no progress for `stall_timeout` seconds. Raises `UsageError` if no source is set, else as
    `connection.session` does."""
    if not uri:
        raise UsageError(
            "no source is set; give --source postgresql://USER@HOST/DATABASE, set EXPORTER_SOURCE, or write it into"
            f" exporter.toml (`{command()} init --source …` does)"
        )
    with (
        session(uri, application, lock_seconds=lock_timeout) as connection,
        stall_guard(connection, uri, stall_timeout),
    ):
        yield connection


def current_catalog(connection: Connection, mapping: NameMapping) -> dict[str, Relation]:
    """The catalog of the mapped schemas, read in its own transaction, which locks nothing. Raises `SourceError` if the
    server refuses to tell it, `RunError` if the connection is lost or the statement ended, so that another attempt may
    succeed."""
    try:
        connection.execute("begin isolation level repeatable read read only")
        catalog = read_catalog(connection, mapping.schemas(), mapping.names())
        connection.execute("commit")
    except psycopg.Error as error:
        failed = run_error(error, "reading the catalog", of_catalog=True)
        raise failed if passes(error) else SourceError(str(failed)) from None
    return catalog


def exportable_source(connection: Connection, mapping: NameMapping, *, timezone: str) -> Source:
    """The source of a connection, in which timestamps without a zone are in `timezone`. Raises `SourceError` with all
    faults at once if it does not fit the model."""
    catalog = current_catalog(connection, mapping)
    findings = examine(catalog, mapping, read_login(connection))
    faults = [str(finding) for finding in findings if finding.severity is Severity.ERROR]
    columns = zoneless_columns(catalog, mapping)
    if columns and (fault := zone_fault(connection, timezone)):
        faults.append(f"{columns[0]}: {fault}")
    if faults:
        raise SourceError("\n  ".join(["the source cannot be exported:", *faults]))
    return Source(connection, mapping, catalog)


def end_readers(uri: str, application: str, server: Server) -> None:
    """Ends the server-side queries of killed workers: our own role's sessions on the leader's server with the run's
    application name. Does nothing if the source cannot be reached."""
    query = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like %s || ' %%'"
    with (
        suppress(psycopg.Error, ExporterError),
        connect(uri, "exporter cleaning up", lock_seconds=5, server=server) as connection,
    ):
        connection.execute(query, [application])

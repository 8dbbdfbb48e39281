"""What the server must allow: enough locks, an encoding that becomes UTF-8, the zone of timestamps, a reader."""

from collections.abc import Mapping

from exporter.errors import SourceError
from exporter.source.catalog import TREE, Login, Relation
from exporter.source.compatibility import Finding, Severity
from exporter.source.connection import Connection
from exporter.source.mapping import NameMapping
from exporter.source.probe import probe_reader
from exporter.source.zones import zone_fault, zoneless_columns

# A reader of a table and the leader lock every partition and every index of it; the indexes when a query is planned.
NEEDED_LOCKS = f"""
{TREE}
select count(distinct leaf) + (select count(*) from pg_index where indrelid in (select leaf from tree)) from tree
"""
# PostgreSQL has room for max_locks_per_transaction locks for each of these processes and prepared transactions. Its
# manual promises that only for connections.
CONNECTIONS = ("max_connections", "max_prepared_transactions")
OTHERS = ("autovacuum_worker_slots", "autovacuum_max_workers", "max_worker_processes", "max_wal_senders")


def examine_server(connection: Connection, names: list[str], login: Login) -> list[Finding]:
    """The findings about the server for tables with these real names. Raises psycopg's errors."""
    wanted = ["server_encoding", "max_locks_per_transaction", *CONNECTIONS, *OTHERS]
    rows = connection.execute("select name, setting from pg_settings where name = any(%s)", [wanted])
    settings: dict[str, str] = dict(rows.fetchall())
    row = connection.execute(NEEDED_LOCKS.encode(), [names]).fetchone()
    return [*examine_locks(row[0] if row else 0, settings), *examine_encoding(settings["server_encoding"], login)]


def examine_zone(
    connection: Connection, catalog: Mapping[str, Relation], mapping: NameMapping, timezone: str
) -> list[Finding]:
    """Whether the server takes the zone of timestamps that have none for what it is. Raises `RunError` if it fails."""
    columns = zoneless_columns(dict(catalog), mapping)
    fault = zone_fault(connection, timezone) if columns else None
    return [Finding(Severity.ERROR, columns[0], fault)] if fault else []


def try_reader(connection: Connection, lock_timeout: int) -> list[Finding]:
    """Whether a reader reaches the source as the exporter's own connection does. Raises `RunError` if it fails."""
    try:
        probe_reader(connection, "exporter check", lock_seconds=lock_timeout)
    except SourceError as error:
        return [Finding(Severity.ERROR, "reader", str(error))]
    return []


def examine_locks(needed: int, settings: Mapping[str, str]) -> list[Finding]:
    """Whether the server's settings leave room for so many locks."""
    each = int(settings["max_locks_per_transaction"])
    promised = each * sum(int(settings[name]) for name in CONNECTIONS)
    # Version 18 has slots for autovacuum workers; one more process starts them.
    workers = int(settings.get("autovacuum_worker_slots", settings["autovacuum_max_workers"])) + 1
    room = promised + each * (workers + sum(int(settings[name]) for name in OTHERS[2:]))
    if needed <= promised:
        return []
    enough = -(-needed * each // promised)
    what = f"an export locks {needed:,} tables, partitions and indexes, and there is room for about {promised:,}"
    remedy = f"set max_locks_per_transaction = {enough} or more, and restart the server"
    severity = Severity.ERROR if needed > room else Severity.WARNING
    return [Finding(severity, "max_locks_per_transaction", what, remedy)]


def examine_encoding(encoding: str, login: Login) -> list[Finding]:
    """Whether texts are certain to become UTF-8."""
    if encoding != "SQL_ASCII":
        return []
    what = "its encoding is SQL_ASCII, which lets in any bytes; the export ends at the first that are not UTF-8"
    return [Finding(Severity.WARNING, login.database, what, "look for such bytes before, or convert the database")]

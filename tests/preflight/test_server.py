"""What the server must allow: locks for every table, partition and index, and texts that become UTF-8."""

import psycopg

from exporter.model.tables import tables
from exporter.preflight.server import NEEDED_LOCKS, examine_encoding, examine_locks
from exporter.source.catalog import Login
from exporter.source.compatibility import Finding, Severity

# Room for 10 * 12 locks by the manual, for 10 * (12 + 3 + 1 + 8 + 10) in truth.
SMALL = {"max_locks_per_transaction": "10", "max_connections": "12", "max_prepared_transactions": "0"}
SMALL |= {"autovacuum_max_workers": "3", "max_worker_processes": "8", "max_wal_senders": "10"}


def test_room_for_locks() -> None:
    """More than the manual promises is a warning, more than there is an error; both say what would be enough."""
    assert examine_locks(120, SMALL) == []
    for needed, severity, enough in ((121, Severity.WARNING, 11), (341, Severity.ERROR, 29)):
        what = f"an export locks {needed} tables, partitions and indexes, and there is room for about 120"
        remedy = f"set max_locks_per_transaction = {enough} or more, and restart the server"
        assert examine_locks(needed, SMALL) == [Finding(severity, "max_locks_per_transaction", what, remedy)]
    assert examine_locks(341, SMALL | {"autovacuum_worker_slots": "16"})[0].severity is Severity.WARNING


def test_partitions_and_indexes_are_counted(source: str) -> None:
    """All that a leader and its readers lock."""
    names = [table.name for table in tables()]
    with psycopg.connect(source) as connection:
        before = connection.execute(NEEDED_LOCKS.encode(), [names]).fetchone()
        connection.execute(
            """
            drop table marketing.leads;
            create table marketing.leads (id bigint primary key) partition by range (id);
            create table marketing.leads_1 partition of marketing.leads for values from (0) to (9);
            create table marketing.leads_2 partition of marketing.leads default;
            """
        )
        after = connection.execute(NEEDED_LOCKS.encode(), [names]).fetchone()
    assert before and after and after[0] - before[0] == 4


def test_bytes_without_an_encoding() -> None:
    """Nobody knows before whether they are UTF-8."""
    assert examine_encoding("LATIN1", Login("app", "exporter")) == []
    [found] = examine_encoding("SQL_ASCII", Login("app", "exporter"))
    assert (found.severity, found.where) == (Severity.WARNING, "app")

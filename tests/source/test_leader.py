"""The one snapshot: locks before it, the same rows for every reader, and an error where a migration came between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import connectorx
import psycopg
import pytest

from exporter.errors import LockedError, RunError, SnapshotError, SourceError
from exporter.model.tables import tables
from exporter.source.connection import Connection, connect, server_of
from exporter.source.identity import source_identity
from exporter.source.leader import Snapshot, Source, current_catalog, end_readers
from exporter.source.mapping import NameMapping
from exporter.source.reader import read
from exporter.source.reader_address import worker_address
from tests.support.stalling_source import execute

AS_IT_IS = NameMapping()


@pytest.fixture
def leader(source: str) -> Iterator[Connection]:
    """The leader of an export that waits one second for a lock."""
    with connect(source, "exporter test", lock_seconds=1) as connection:
        yield connection


def source_of(leader: Connection, mapping: NameMapping = AS_IT_IS) -> Source:
    """The source as it is now, checked or not."""
    return Source(leader, mapping, current_catalog(leader, mapping))


def test_what_a_snapshot_says_of_the_source(source: str, leader: Connection) -> None:
    """When and where it was taken, and the statements by which a reader joins it; a socket is localhost."""
    before = datetime.now(UTC)
    snapshot = source_of(leader).take_snapshot()
    row = leader.execute("select current_database(), current_setting('server_version')").fetchone()
    assert (snapshot.database, snapshot.server_version) == row
    assert snapshot.identity == source_identity(leader)
    assert (snapshot.host, before <= snapshot.taken_at <= datetime.now(UTC)) == ("localhost", True)
    assert [int(half, 16) > -1 for half in snapshot.wal_lsn.split("/")] == [True, True]
    row = leader.execute("select pg_current_snapshot()::text, pg_postmaster_start_time()").fetchone()
    assert (snapshot.visible, snapshot.server_started) == row
    begin, join, guard = snapshot.pre_execution
    assert begin == "begin isolation level repeatable read read only"
    assert join == f"set transaction snapshot '{snapshot.identifier}'"
    assert leader.execute(guard.encode()).fetchone() == (0,)


def guarded(leader: Connection, snapshot: Snapshot) -> list[dict[str, int]]:
    """The rows that a reader gets who joins a snapshot."""
    address = worker_address(leader, "exporter test reader", lock_seconds=1)
    rows = read(address, "select 1 as one", snapshot.pre_execution, "a test").to_pylist()
    return cast(list[dict[str, int]], rows)


def test_no_reader_reads_in_another_snapshot(source: str, leader: Connection) -> None:
    """Nor on another server: one that has started since, or that has a snapshot of the same name by chance."""
    snapshot = source_of(leader).take_snapshot()
    assert guarded(leader, snapshot) == [{"one": 1}]
    execute(source, "insert into guide.skills values (1, '', null)")
    with connect(source, "exporter test", lock_seconds=1) as later:
        other = source_of(later).take_snapshot()
        assert guarded(leader, other) == [{"one": 1}]
        wrong = (
            replace(snapshot, identifier=other.identifier),
            replace(snapshot, server_started=snapshot.server_started + timedelta(microseconds=1)),
            replace(snapshot, identifier="00000009-00000009-9"),
        )
        for not_the_leader_s in wrong:
            with pytest.raises(SnapshotError, match=r"a reader did not find the leader's snapshot: .*; run it again"):
                guarded(leader, not_the_leader_s)


def test_a_reader_needs_no_pl_pgsql(source: str, leader: Connection) -> None:
    """A database may lack it, or keep it from the reading role."""
    execute(source, "drop extension plpgsql")
    assert guarded(leader, source_of(leader).take_snapshot()) == [{"one": 1}]


def test_every_reader_sees_the_same_rows(source: str, leader: Connection) -> None:
    """Those that were there when it was taken, whatever is written meanwhile."""
    execute(source, "insert into guide.skills values (1, 'before', null), (2, 'deleted', null)")
    held = source_of(leader)
    snapshot = held.take_snapshot()
    execute(source, "insert into guide.skills values (3, 'later', null); delete from guide.skills where id = 2")
    execute(source, "update guide.skills set name = 'changed' where id = 1")
    address = worker_address(leader, "exporter test reader", lock_seconds=1)
    rows = connectorx.read_sql(
        address.of_reader("00c0ffee"),
        "select name from guide.skills order by id",
        return_type="arrow",
        protocol="binary",
        pre_execution_query=snapshot.pre_execution,
    )
    assert rows.to_pylist() == [{"name": "before"}, {"name": "deleted"}]
    assert held.count_tables() == {table.name: 2 if table.name == "guide.skills" else 0 for table in tables()}


@pytest.mark.parametrize("statement", ["truncate guide.guide_skills", "alter table guide.guide_skills add x int"])
def test_the_tables_are_locked(source: str, leader: Connection, statement: str) -> None:
    """What would empty or rewrite one of them has to wait; a writer does not."""
    source_of(leader).take_snapshot()
    execute(source, "insert into guide.skills values (1, '', null)")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        execute(source, f"set lock_timeout = '100ms'; {statement}")


def test_a_table_that_a_migration_holds(source: str, leader: Connection) -> None:
    """The leader waits for it as long as the user allows."""
    checked = source_of(leader)
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills in access exclusive mode")
        with pytest.raises(LockedError) as error:
            checked.take_snapshot()
    assert (error.value.exit_code, str(error.value)) == (
        4,
        "a table is locked by a migration; try again when it is done, or raise --lock-timeout (while locking the"
        " tables and taking the snapshot; SQLSTATE 55P03)",
    )


def test_a_table_that_may_not_be_locked(source: str, leader: Connection) -> None:
    """The server's words name it, and can hold nothing else here."""
    execute(source, "create role hampered login; alter table guide.skills owner to hampered")
    execute(source, "create view guide.some as select * from guide.skills")
    try:
        hampered = NameMapping({"guide.skills": "guide.some"})
        checked = source_of(leader, hampered)
        execute(source, "alter view guide.some owner to hampered; revoke all on guide.skills from hampered")
        with pytest.raises(SourceError) as error:
            checked.take_snapshot()
    finally:
        execute(source, "drop view guide.some; alter table guide.skills owner to postgres; drop role hampered")
    assert ": permission denied for table skills (while locking the tables" in str(error.value)


@pytest.mark.parametrize(
    "migration",
    [
        "alter table guide.skills alter id type bigint",
        "alter table guide.skills rename column name to title",
        "alter table guide.skills add column level int",
        "alter table guide.skills drop constraint skills_pkey cascade",
        "drop table guide.guide_skills",
        "create table guide.child () inherits (guide.skills)",
    ],
)
def test_a_migration_between_check_and_locks(source: str, leader: Connection, migration: str) -> None:
    """What was checked is no longer what would be read."""
    checked = source_of(leader)
    execute(source, migration)
    with pytest.raises(RunError, match=r"migration|locking the tables") as error:
        checked.take_snapshot()
    assert error.value.exit_code == 4


def test_a_new_table_that_is_not_mapped_changes_nothing(source: str, leader: Connection) -> None:
    """Only the tables that are read must be the same."""
    checked = source_of(leader)
    execute(source, "create table guide.horoscopes (id int)")
    assert checked.take_snapshot().identifier


def test_counts_of_mapped_tables(source: str, leader: Connection) -> None:
    """They are named as in the model."""
    execute(
        source, "alter table guide.skills rename to fertigkeiten; insert into guide.fertigkeiten values (1, '', '')"
    )
    mapping = NameMapping({"guide.skills": "guide.fertigkeiten"})
    mapped = source_of(leader, mapping)
    assert mapped.count_tables()["guide.skills"] == 1
    assert "guide.fertigkeiten" in mapped.sizes()


def test_counts_of_views(source: str, leader: Connection) -> None:
    """They are not among the tables'."""
    execute(source, "alter table guide.skills rename to stored; create view guide.skills as select * from guide.stored")
    with_view = source_of(leader)
    assert with_view.count_views() == {"guide.skills": 0}
    assert "guide.skills" not in with_view.count_tables()


def test_a_view_that_names_what_is_not_there(source: str, leader: Connection) -> None:
    """It is a fault of the source, and trying again is no use."""
    execute(
        source,
        "alter table guide.skills rename to stored; create function guide.stored() returns setof guide.stored"
        " language plpgsql as $$ begin return query select * from stored; end $$;"
        " create view guide.skills as select * from guide.stored()",
    )
    with pytest.raises(SourceError, match=r"while counting guide\.skills; SQLSTATE 42P01"):
        source_of(leader).count_views()


@pytest.mark.parametrize("end", ["pg_terminate_backend", "pg_cancel_backend"])
def test_what_ends_the_reading_of_the_catalog(source: str, leader: Connection, end: str) -> None:
    """Is no property of the source: another attempt may succeed."""
    with psycopg.connect(source) as other:
        other.execute("lock table pg_inherits in access exclusive mode")
        ended = (
            "select "
            + end
            + "(pid) from pg_stat_activity where application_name = 'exporter test' and wait_event_type = 'Lock'"
        )
        with ThreadPoolExecutor() as threads, psycopg.connect(source, autocommit=True) as third:
            leader.execute("set lock_timeout = '60s'")
            reading = threads.submit(current_catalog, leader, AS_IT_IS)
            while not third.execute(ended.encode()).fetchall():
                assert not reading.done()
            with pytest.raises(RunError, match="while reading the catalog"):
                reading.result()


def test_a_lost_connection(source: str, leader: Connection) -> None:
    """The error says what the leader was doing."""
    connected = source_of(leader)
    execute(source, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'exporter test'")
    with pytest.raises(RunError, match=r"an administrator of the server ended the connection .*while counting"):
        connected.count_tables()


def test_readers_that_were_killed_are_ended(source: str) -> None:
    """Sessions under the run's own name, no others."""
    with (
        psycopg.connect(source, application_name="exporter 1 reader 77", autocommit=True) as reader,
        psycopg.connect(source, application_name="exporter 10 reader 77", autocommit=True) as another,
    ):
        end_readers(source, "exporter 1 reader", server_of(another))
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")
        assert another.execute("select 1").fetchone() == (1,)

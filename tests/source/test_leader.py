"""The one snapshot: locks before it, the same rows for every reader, and refusal where a migration came between."""

from collections.abc import Iterator
from datetime import UTC, datetime

import connectorx
import psycopg
import pytest

from exporter.errors import RunError
from exporter.model.tables import tables
from exporter.source.connection import Connection, connect, worker_address
from exporter.source.leader import count_tables, count_views, current_catalog, end_readers, hold_snapshot, sizes_of
from exporter.source.mapping import NameMapping

AS_IT_IS = NameMapping()


def execute(uri: str, statements: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def leader(source: str) -> Iterator[Connection]:
    """The leader of an export that waits one second for a lock."""
    with connect(source, "exporter test", lock_seconds=1) as connection:
        yield connection


def test_what_a_snapshot_says_of_the_source(source: str, leader: Connection) -> None:
    """Its moment and place, and the statements by which a reader joins it; a socket is this machine."""
    before = datetime.now(UTC)
    with hold_snapshot(leader, AS_IT_IS, current_catalog(leader, AS_IT_IS)) as snapshot:
        row = leader.execute("select current_database(), current_setting('server_version')").fetchone()
        assert (snapshot.database, snapshot.server_version) == row
        assert (snapshot.host, before <= snapshot.taken_at <= datetime.now(UTC)) == ("localhost", True)
        assert [int(half, 16) > -1 for half in snapshot.wal_lsn.split("/")] == [True, True]
        assert snapshot.pre_execution == [
            "begin isolation level repeatable read read only",
            f"set transaction snapshot '{snapshot.identifier}'",
        ]


def test_every_reader_sees_the_same_rows(source: str, leader: Connection) -> None:
    """Those that were there when it was taken, whatever is written meanwhile."""
    execute(source, "insert into guide.skills values (1, 'before', null), (2, 'deleted', null)")
    catalog = current_catalog(leader, AS_IT_IS)
    with hold_snapshot(leader, AS_IT_IS, catalog) as snapshot:
        execute(source, "insert into guide.skills values (3, 'later', null); delete from guide.skills where id = 2")
        execute(source, "update guide.skills set name = 'changed' where id = 1")
        address = worker_address(leader, "exporter test reader", lock_seconds=1)
        table = connectorx.read_sql(
            address.of_reader(1),
            "select name from guide.skills order by id",
            return_type="arrow",
            protocol="binary",
            pre_execution_query=snapshot.pre_execution,
        )
        counts = count_tables(leader, AS_IT_IS, catalog)
    assert table.to_pylist() == [{"name": "before"}, {"name": "deleted"}]
    assert counts == {each.name: 2 if each.name == "guide.skills" else 0 for each in tables()}


@pytest.mark.parametrize("statement", ["truncate guide.guide_skills", "alter table guide.guide_skills add x int"])
def test_the_tables_are_locked(source: str, leader: Connection, statement: str) -> None:
    """What would empty or rewrite one of them has to wait; a writer has not."""
    with hold_snapshot(leader, AS_IT_IS, current_catalog(leader, AS_IT_IS)):
        execute(source, "insert into guide.skills values (1, '', null)")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            execute(source, f"set lock_timeout = '100ms'; {statement}")


def test_a_table_that_a_migration_holds(source: str, leader: Connection) -> None:
    """It is waited for as long as the user says, and told without its name or the server's text."""
    catalog = current_catalog(leader, AS_IT_IS)
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills in access exclusive mode")
        with pytest.raises(RunError, match="a table is locked by a migration") as error:
            hold_snapshot(leader, AS_IT_IS, catalog).__enter__()
    assert error.value.exit_code == 4


@pytest.mark.parametrize(
    "migration",
    [
        "alter table guide.skills alter id type bigint",
        "alter table guide.skills rename column name to title",
        "alter table guide.skills add column level int",
        "alter table guide.skills drop constraint skills_pkey cascade",
        "drop table guide.guide_skills",
        "create table guide.heir () inherits (guide.skills)",
    ],
)
def test_a_migration_between_check_and_locks(source: str, leader: Connection, migration: str) -> None:
    """What was checked is no longer what would be read."""
    catalog = current_catalog(leader, AS_IT_IS)
    execute(source, migration)
    with pytest.raises(RunError, match=r"migration|locking the tables") as error:
        hold_snapshot(leader, AS_IT_IS, catalog).__enter__()
    assert error.value.exit_code == 4


def test_a_new_table_that_is_not_mapped_changes_nothing(source: str, leader: Connection) -> None:
    """Only the tables that are read must be the same."""
    catalog = current_catalog(leader, AS_IT_IS)
    execute(source, "create table guide.horoscopes (id int)")
    with hold_snapshot(leader, AS_IT_IS, catalog) as snapshot:
        assert snapshot.identifier


def test_counts_of_mapped_tables(source: str, leader: Connection) -> None:
    """They are named as in the model."""
    execute(
        source, "alter table guide.skills rename to fertigkeiten; insert into guide.fertigkeiten values (1, '', '')"
    )
    mapping = NameMapping({"guide.skills": "guide.fertigkeiten"})
    catalog = current_catalog(leader, mapping)
    assert count_tables(leader, mapping, catalog)["guide.skills"] == 1
    assert "guide.fertigkeiten" in sizes_of(leader, mapping)


def test_counts_of_views(source: str, leader: Connection) -> None:
    """Apart from the tables'."""
    execute(source, "alter table guide.skills rename to stored; create view guide.skills as select * from guide.stored")
    catalog = current_catalog(leader, AS_IT_IS)
    assert count_views(leader, AS_IT_IS, catalog) == {"guide.skills": 0}
    assert "guide.skills" not in count_tables(leader, AS_IT_IS, catalog)


def test_a_lost_connection(source: str, leader: Connection) -> None:
    """It is told with what the leader was doing."""
    catalog = current_catalog(leader, AS_IT_IS)
    execute(source, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'exporter test'")
    with pytest.raises(RunError, match=r"the server's operator ended the connection .*while counting"):
        count_tables(leader, AS_IT_IS, catalog)


def test_readers_that_were_killed_are_ended(source: str) -> None:
    """Sessions under the run's own name, and no others."""
    with (
        psycopg.connect(source, application_name="exporter 1 reader 77", autocommit=True) as reader,
        psycopg.connect(source, application_name="exporter 10 reader 77", autocommit=True) as another,
    ):
        end_readers(source, "exporter 1 reader")
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")
        assert another.execute("select 1").fetchone() == (1,)

"""Who holds a lock that an export waits for: said while it waits, and when it gives up; never with a literal."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from exporter.errors import LockedError
from exporter.source.connection import Connection, connect
from exporter.source.leader import Source, current_catalog
from exporter.source.locks import Blocker, LockWaits, command_keywords, lock_waits
from exporter.source.mapping import NameMapping


@pytest.mark.parametrize(
    ("query", "keywords"),
    [
        ("alter table wallet.invoices add secret text default 'hunter2'", "ALTER TABLE"),
        ("LOCK TABLE wallet.invoices", "LOCK TABLE"),
        ("truncate wallet.invoices", "TRUNCATE"),
        ("/* app 'x' */ -- more\n  create unique index concurrently on t (a)", "CREATE UNIQUE INDEX CONCURRENTLY ON"),
        ("vacuum (full) t", "VACUUM"),
        ("update invoices set a = 'hunter2'", "UPDATE"),
        ("delete from t where a = 'hunter2'", "DELETE FROM"),
        ("drop table if exists t", "DROP TABLE IF EXISTS"),
        ("select 'hunter2'", "SELECT"),
        ("selection", ""),
        ("tables$x", ""),
        ("'hunter2'", ""),
        ("/* hunter2", ""),
        ("", ""),
    ],
)
def test_keywords_of_a_command(query: str, keywords: str) -> None:
    """The leading ones, up to the first name or value; comments before them are skipped."""
    assert command_keywords(query) == keywords


def test_what_is_said_of_a_session() -> None:
    """Whatever the role may know of it; what it calls itself cannot command a terminal."""
    known = str(Blocker(7, "app", "psql\x1b[2J", "idle in transaction", "alter table t", 243.0, [8]))
    assert known == (
        r"pid 7 (psql\x1B[2J, idle in transaction, ALTER TABLE, since 4 min 3 s, itself waiting for pid 8)"
    )
    assert str(Blocker(7, "app", "psql", None, None, None, [])) == "pid 7 (psql, as app)"
    assert str(Blocker(7, "app", "", "active", "lock table t", 3.0, [])) == "pid 7 (LOCK TABLE, since 3 s)"
    assert str(Blocker(0, None, None, None, None, None, [])) == "a prepared transaction (see pg_prepared_xacts)"


@pytest.fixture
def leader(source: str) -> Iterator[Connection]:
    """The leader of an export that waits three seconds for a lock."""
    with connect(source, "exporter test", lock_seconds=3) as connection:
        yield connection


def test_a_wait_is_shown_and_explained(source: str, leader: Connection) -> None:
    """The table, and the session that holds it; then the same in the error, and nothing is shown any more."""
    shown: list[str] = []
    held = Source(leader, NameMapping(), current_catalog(leader, NameMapping()))
    waits = LockWaits(shown.append)
    with psycopg.connect(source, application_name="migration") as migration:
        migration.execute("alter table guide.skills add secret text default 'hunter2'")
        pid = migration.info.backend_pid
        with pytest.raises(LockedError) as error, waits.watched(leader, source):
            held.take_snapshot()
    who = f"guide.skills, locked by pid {pid} (migration, idle in transaction, ALTER TABLE, since N s)"
    assert {re.sub("since [0-9]+", "since N", text) for text in shown} == {f"Waiting for {who}", ""}
    assert shown[-1] == ""
    assert re.sub("since [0-9]+", "since N", str(error.value)).endswith(f"SQLSTATE 55P03): {who}")


def test_a_statement_that_only_takes_long_is_no_wait(source: str, leader: Connection) -> None:
    """Nothing is shown."""
    shown: list[str] = []
    with LockWaits(shown.append).watched(leader, source):
        leader.execute("select pg_sleep(1.2)")
    assert shown == []


def test_a_reader_behind_a_queued_migration(source: str, leader: Connection) -> None:
    """It waits for who waits for the leader; both are said."""
    leader.execute("begin; lock table guide.guide_skills in access share mode")
    with (
        psycopg.connect(source, application_name="migration", autocommit=True) as migration,
        connect(source, "exporter test reader 77", lock_seconds=9) as reader,
        ThreadPoolExecutor(2) as threads,
    ):
        queued = threads.submit(migration.execute, "truncate guide.guide_skills")
        while not lock_waits(leader, migration.info.backend_pid):
            pass
        waiting = threads.submit(reader.execute, "select from guide.guide_skills")
        while not (waits := lock_waits(leader, 0, "exporter test reader")):
            pass
        leader.execute("rollback")
        assert (queued.result().statusmessage, waiting.result().rowcount) == ("TRUNCATE TABLE", 0)
        who = f"pid {migration.info.backend_pid} (migration, TRUNCATE, since 0 s"
        who += f", itself waiting for pid {leader.info.backend_pid})"
    assert [re.sub("since [0-9]+", "since 0", wait) for wait in waits] == [f"guide.guide_skills, locked by {who}"]

"""Reads that make no progress are noticed, and no other read is taken for one."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from benchmarks.proxy import Link, far_away
from exporter.errors import RunError
from exporter.source.connection import Connection, server_of, session
from exporter.source.watchdog import Watchdog, activity, stall_guard
from tests.support.export_process import eventually

pytestmark = pytest.mark.slow

NAME = "exporter 20260101T000000Z"
READERS = f"{NAME} reader"
SECONDS = 1.0
ONE = "0000abcd"


@pytest.fixture
def leader(postgres: str) -> Iterator[Connection]:
    """A connection that holds a snapshot."""
    with session(postgres, NAME, lock_seconds=5) as connection:
        connection.execute("begin isolation level repeatable read read only")
        connection.execute("select pg_export_snapshot()")
        yield connection


@contextmanager
def reader(uri: str, name: str, query: str, event: str) -> Iterator[Connection]:
    """A session under a reader's name, in which a query runs and the server's process waits for an event."""
    with session(uri, f"{READERS} {name}", lock_seconds=5) as connection:
        connection.pgconn.send_query(query.encode())
        asked = "select from pg_stat_activity where pid = %s and wait_event = %s"
        with psycopg.connect(uri, autocommit=True) as other:
            eventually(lambda: other.execute(asked, [connection.info.backend_pid, event]).fetchone() is not None, event)
        yield connection


def poll(watchdog: Watchdog, times: int) -> None:
    """Polls, five times in the seconds that a read may make no progress."""
    for _ in range(times):
        watchdog.poll()
        time.sleep(SECONDS / 5)


def beat(heartbeats: Path, reads: int = 1) -> None:
    """Writes a reader's heartbeat file."""
    (heartbeats / ONE).write_text(f"{reads} 0\nauth.auth_users")


def test_a_query_that_computes_goes_on(postgres: str, leader: Connection, tmp_path: Path) -> None:
    """However long it is before the first row comes, and though it began after the first poll."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    watchdog.poll()
    with reader(postgres, ONE, "select pg_sleep(600)", "PgSleep"):
        beat(tmp_path)
        poll(watchdog, 8)


def test_a_server_that_does_not_tell_what_it_does(postgres: str, tmp_path: Path) -> None:
    """Under `track_activities = off` too, a query that computes goes on, and a reader that takes no rows does not."""
    with psycopg.connect(postgres, autocommit=True) as superuser:
        superuser.execute("create role silent login; alter role silent set track_activities = off")
        uri = postgres.replace("postgres@", "silent@")
        try:
            with session(uri, NAME, lock_seconds=5) as leader:
                watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
                with reader(uri, ONE, "select pg_sleep(600)", "PgSleep") as backend:
                    beat(tmp_path)
                    poll(watchdog, 8)
                    assert activity(uri, server_of(leader), backend.info.backend_pid) == (True, None)
                rows = "copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout"
                with (
                    reader(uri, ONE, rows, "ClientWrite"),
                    pytest.raises(RunError, match=r"the read of auth\.auth_users made no progress"),
                ):
                    poll(watchdog, 8)
        finally:
            superuser.execute("drop role silent")


def test_a_reader_that_takes_no_rows(postgres: str, leader: Connection, tmp_path: Path) -> None:
    """The server has rows for it, and waits."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    rows = "copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout"
    with reader(postgres, ONE, rows, "ClientWrite"):
        beat(tmp_path)
        with pytest.raises(RunError, match=r"the read of auth\.auth_users made no progress for 1 seconds"):
            poll(watchdog, 8)


def test_a_reader_whose_connection_is_gone(postgres: str, leader: Connection, tmp_path: Path) -> None:
    """The network lost it, and the reader has not heard of it."""
    beat(tmp_path)
    with pytest.raises(RunError, match=r"the read of auth\.auth_users made no progress for 1 seconds"):
        poll(Watchdog(leader, READERS, tmp_path, SECONDS), 8)


def test_reads_that_come_and_go(leader: Connection, tmp_path: Path) -> None:
    """A reader that does one read after the other makes progress."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    for number in range(8):
        beat(tmp_path, number)
        poll(watchdog, 1)


def test_a_reader_that_is_lost(leader: Connection, tmp_path: Path) -> None:
    """Nobody removes its heartbeat file; its task runs elsewhere."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    beat(tmp_path)
    watchdog.poll()
    watchdog.forget(ONE)
    poll(watchdog, 8)


def test_what_is_in_a_heartbeat_counts(leader: Connection, tmp_path: Path) -> None:
    """A network file system may tell the old time of a file that is new, or the other way round."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    for number in range(8):
        beat(tmp_path, number)
        os.utime(tmp_path / ONE, (0, 0))
        poll(watchdog, 1)
    with pytest.raises(RunError, match=r"the read of auth\.auth_users made no progress"):
        for _ in range(8):
            os.utime(tmp_path / ONE)
            poll(watchdog, 1)


def test_a_run_that_was_stopped_itself(leader: Connection, tmp_path: Path) -> None:
    """After ^Z and fg, readers have all of their time again."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    beat(tmp_path)
    watchdog.poll()
    time.sleep(SECONDS * 1.5)
    watchdog.poll()


def test_the_leader_s_connection_lost(postgres: str, leader: Connection, tmp_path: Path) -> None:
    """And with it the snapshot."""
    watchdog = Watchdog(leader, READERS, tmp_path, SECONDS)
    watchdog.poll()
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", [leader.info.backend_pid])
    with pytest.raises(RunError, match="an administrator of the server ended the connection"):
        watchdog.poll()


def test_a_server_that_does_not_answer(leader: Connection, tmp_path: Path) -> None:
    """Its process for the leader hangs."""
    process = psutil.Process(leader.info.backend_pid)
    process.suspend()
    try:
        with pytest.raises(RunError, match="the source did not answer the leader for 1 seconds"):
            Watchdog(leader, READERS, tmp_path, SECONDS).poll()
    finally:
        process.resume()


@pytest.mark.parametrize("seconds", [0.4, 60.0], ids=["slowly", "not"])
def test_an_answer_of_the_leader_s_that_comes_in(postgres: str, seconds: float) -> None:
    """The server has long sent it and waits. As long as blocks of it arrive, the statement goes on."""
    asked = threading.Event()

    def hold(link: Link) -> float:
        return seconds if asked.is_set() and link is proxy.links[0] else 0.0

    with far_away(postgres, hold=hold) as proxy, session(proxy.uri, NAME, lock_seconds=5) as leader:
        asked.set()
        if seconds < SECONDS:
            with stall_guard(leader, postgres, 2 * SECONDS):
                assert len(leader.execute("select repeat('x', 80000)").fetchall()) == 1
        else:
            with pytest.raises(RunError, match="made no progress"), stall_guard(leader, postgres, 2 * SECONDS):
                leader.execute("select repeat('x', 80000)")

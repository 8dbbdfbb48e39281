"""Detects reads and statements that make no progress, and the loss of the leader's connection and with it the snapshot.

A connectorx read on a dead connection hangs forever (source-facts.md). A reader makes progress when its backend has
sent more (`pg_stat_progress_copy`), when its backend is computing, or when bytes have arrived (heartbeats.py). A
backend that has died, or that waits for its client while the client waits for it, makes none.
"""

import functools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from exporter.errors import ExporterError, RunError
from exporter.interrupts import start_thread
from exporter.source.connection import Connection, Server, server_of, session
from exporter.source.heartbeats import bytes_received_on, heartbeats
from exporter.source.refusals import LostConnectionError, run_error

# We poll 12 times per --stall-timeout and give up after 10 idle polls, so that the run ends within it.
POLLS_PER_TIMEOUT = 12
IDLE_POLLS = 10

# A server does not tell a session's state under `track_activities = off`, but always what it waits for; an idle one
# waits for its client.
COMPUTES = "state in ('active', 'disabled') and coalesce(wait_event_type, '') <> 'Client'"
# Each reader by its name, which its application name ends in.
PROGRESS = f"""
select right(a.application_name, 8), coalesce(p.bytes_processed, 0),
       {COMPUTES}
from pg_stat_activity a left join pg_stat_progress_copy p using (pid)
where a.application_name like %s || ' %%'
"""
# Before version 14 the server does not report the progress of a COPY.
NO_PROGRESS = PROGRESS.replace("coalesce(p.bytes_processed, 0)", "0").replace(
    "left join pg_stat_progress_copy p using (pid)", ""
)

ACTIVITY = f"select {COMPUTES}, query_start from pg_stat_activity where pid = %s"


def idle_limit(stall_timeout: float) -> float:
    """The seconds without progress after which a read or statement is abandoned, so that the run ends in time."""
    return stall_timeout * IDLE_POLLS / POLLS_PER_TIMEOUT


@dataclass(slots=True)
class Watchdog:
    """Polled by the leader `POLLS_PER_TIMEOUT` times per --stall-timeout.

    `application` is the prefix of the readers' application names, `directory` holds their heartbeat files, `seconds` is
    how long a read may go without progress and the server without answering. `progress` holds for each reader, by
    name, its progress and since when (`time.monotonic`) it has been the same; `server` is the leader's, also when its
    connection is lost. Readers in `lost` are gone with their machine, and their heartbeat files tell nothing.
    """

    connection: Connection
    application: str
    directory: Path
    seconds: float
    progress: dict[str, tuple[Any, float]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    polled: float = 0.0
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.server = server_of(self.connection)

    def poll(self) -> None:
        """Compares every reader with the previous poll. Raises `RunError` if a read makes no progress, or if the
        leader's connection is lost or does not answer."""
        backends = {reader: (sent, computes) for reader, sent, computes in self.ask()}
        now = time.monotonic()
        if now - self.polled > self.seconds:
            self.progress.clear()  # the whole run was suspended, by ^Z or a closed lid
        self.polled = now
        reading = {reader: found for reader, found in heartbeats(self.directory).items() if reader not in self.lost}
        self.progress = {reader: known for reader, known in self.progress.items() if reader in reading}
        for reader, heartbeat in reading.items():
            sent, computes = backends.get(reader, (None, False))
            progress = (heartbeat.progress, sent)
            if computes or reader not in self.progress or self.progress[reader][0] != progress:
                self.progress[reader] = (progress, now)
            elif now - self.progress[reader][1] >= self.seconds:
                raise RunError(
                    f"the read of {heartbeat.reading} made no progress for {self.seconds:.0f} seconds: the network or"
                    " the server hangs"
                )

    def forget(self, reader: str) -> None:
        """From now on, a reader that is lost is not watched."""
        self.lost.add(reader)

    def ask(self) -> list[tuple[str, int, bool]]:
        """Each reader's name, the bytes sent to it, and whether its backend is computing. Raises `RunError` if
        the leader's connection is lost or does not answer."""
        answer: list[Any] = []
        # In a thread, since a dead connection would block forever.
        thread = start_thread(self.query, answer)
        thread.join(self.seconds)
        if not answer:
            # Otherwise the thread would keep reading the descriptor after another connection has got it.
            abort(self.connection)
            thread.join(self.seconds)
            raise RunError(f"the source did not answer the leader for {self.seconds:.0f} seconds")
        if isinstance(answer[0], psycopg.Error):
            raise run_error(answer[0], "holding the snapshot") from None
        rows: list[tuple[str, int, bool]] = answer[0]
        return rows

    def query(self, answer: list[Any]) -> None:
        """Appends the rows, or psycopg's error, to `answer`."""
        query = PROGRESS if self.connection.info.server_version >= 140000 else NO_PROGRESS
        try:
            # A transaction keeps seeing the activity that it saw first, until that is cleared.
            self.connection.execute("select pg_stat_clear_snapshot()")
            answer.append(self.connection.execute(query, [self.application]).fetchall())
        except psycopg.Error as error:
            answer.append(error)


@contextmanager
def stall_guard(connection: Connection, uri: str, stall_timeout: float) -> Iterator[None]:
    """Aborts the connection if a statement of the block makes no progress for `stall_timeout` seconds, and raises
    `RunError` for it. psycopg itself waits forever if a network silently drops everything."""
    ended, aborted = threading.Event(), threading.Event()
    ask = functools.partial(activity, uri, server_of(connection), connection.info.backend_pid)
    start_thread(abort_when_stalled, connection, ask, stall_timeout, ended, aborted)
    try:
        yield
    except (LostConnectionError, psycopg.OperationalError) as error:
        if not aborted.is_set():
            raise
        doing = error.activity if isinstance(error, LostConnectionError) else "asking the source"
        raise RunError(
            f"the source made no progress for {idle_limit(stall_timeout):.0f} seconds (while {doing}): the network or"
            " the server hangs"
        ) from None
    finally:
        ended.set()


def abort_when_stalled(
    connection: Connection,
    ask: Callable[[], tuple[bool, datetime | None]],
    stall_timeout: float,
    ended: threading.Event,
    aborted: threading.Event,
) -> None:
    """Polls a connection until `ended`. After half the timeout without a byte, the server is asked (`activity`)."""
    idle_since, statement_before, received_before = time.monotonic(), None, 0
    while not ended.wait(stall_timeout / POLLS_PER_TIMEOUT):
        now = time.monotonic()
        if connection.info.transaction_status is not TransactionStatus.ACTIVE:
            idle_since, statement_before = now, None
        elif (received := received_by(connection)) != received_before:
            # Over a slow network an answer comes in long after the server has sent it and waits for its client.
            idle_since, received_before = now, received
        elif now - idle_since >= stall_timeout / 2:
            computes, statement = ask()
            if computes or (statement and statement_before and statement != statement_before):
                idle_since = now
            statement_before = statement or statement_before
        if now - idle_since >= idle_limit(stall_timeout):
            aborted.set()
            abort(connection)
            return


def received_by(connection: Connection) -> int:
    """How many bytes a connection has received; 0 if the system does not tell."""
    with suppress(psycopg.Error, OSError):
        return bytes_received_on(connection.fileno())
    return 0


def abort(connection: Connection) -> None:
    """Shuts down a connection's socket: whoever is waiting on it gets psycopg's error."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as stuck:
        stuck.shutdown(socket.SHUT_RDWR)


def activity(uri: str, server: Server, backend: int) -> tuple[bool, datetime | None]:
    """Whether the server, asked in another session, is computing for a connection, by the process id of its backend,
    and when its statement began."""
    with suppress(ExporterError), session(uri, "exporter watchdog", lock_seconds=1, server=server) as other:
        for computes, began in other.execute(ACTIVITY, [backend]):
            return computes, began
    return False, None

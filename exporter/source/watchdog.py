"""Notices reads and statements that stand still, and a leader whose connection, and with it the snapshot, is gone.

A connectorx read of a dead connection hangs for ever (source-facts.md). A reader's progress is what its backend has
sent (`pg_stat_progress_copy`) or that it computes; a backend that is gone, or that waits for its client while the
client waits for it, makes none.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from exporter.errors import ExporterError, RunError
from exporter.source.connection import Connection, lost, session

# It is looked so often within --stall-timeout. What stands still is ended after two less: one look was before it began
# to, so that with the last it is ended in time.
POLLS_PER_TIMEOUT = 12

# Each reader by its process id, which its application name ends in.
PROGRESS = """
select substring(a.application_name from '[0-9]+$')::int, coalesce(p.bytes_processed, 0),
       a.state = 'active' and coalesce(a.wait_event_type, '') <> 'Client'
from pg_stat_activity a left join pg_stat_progress_copy p using (pid)
where a.application_name like %s || ' %%'
"""
# Before 14 the server did not tell how far a COPY is.
NO_PROGRESS = PROGRESS.replace("coalesce(p.bytes_processed, 0)", "0").replace(
    "left join pg_stat_progress_copy p using (pid)", ""
)

ACTIVITY = """
select state = 'active' and coalesce(wait_event_type, '') <> 'Client', query_start from pg_stat_activity where pid = %s
"""


@dataclass(slots=True)
class Watchdog:
    """Asked every few seconds by the leader; `marks` is where the workers say what they read, `seconds` its patience.

    Raises `RunError` when the leader's connection is lost or does not answer, or when a read stands still.
    """

    connection: Connection
    application: str
    marks: Path
    seconds: float
    seen: dict[int, tuple[Any, float]] = field(default_factory=dict)
    looked: float = 0.0

    def look(self) -> None:
        """Looks at every reader once."""
        backends = {reader: (sent, computes) for reader, sent, computes in self.ask()}
        now = time.monotonic()
        if now - self.looked > self.seconds:
            self.seen.clear()  # it was the whole run that stood still, by ^Z or a lid that was closed
        self.looked = now
        reading = {int(path.name): path for path in self.marks.glob("*")} if self.marks.is_dir() else {}
        self.seen = {reader: at for reader, at in self.seen.items() if reader in reading}
        for reader, path in reading.items():
            try:
                begun, what = path.stat().st_mtime_ns, path.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue  # it was done in this moment
            sent, computes = backends.get(reader, (None, False))
            progress = (begun, sent)
            if computes or reader not in self.seen or self.seen[reader][0] != progress:
                self.seen[reader] = (progress, now)
            elif now - self.seen[reader][1] >= self.seconds:
                raise RunError(
                    f"the read of {what} stood still for {self.seconds:.0f} seconds: the network or the server hangs"
                )

    def ask(self) -> list[tuple[int, int, bool]]:
        """What the server says of each reader. In a thread of its own: a dead connection would keep us waiting."""
        answer: list[Any] = []
        thread = threading.Thread(target=self.query, args=(answer,), daemon=True)
        thread.start()
        thread.join(self.seconds)
        if not answer:
            # Else the thread would go on reading the descriptor when it is closed and another connection has it.
            cut(self.connection)
            thread.join(self.seconds)
            raise RunError(f"the source did not answer the leader for {self.seconds:.0f} seconds")
        if isinstance(answer[0], psycopg.Error):
            raise lost(answer[0], "holding the snapshot") from None
        rows: list[tuple[int, int, bool]] = answer[0]
        return rows

    def query(self, answer: list[Any]) -> None:
        query = PROGRESS if self.connection.info.server_version >= 140000 else NO_PROGRESS
        try:
            # A transaction sees the activity of the moment when it first asked, until it is told not to.
            self.connection.execute("select pg_stat_clear_snapshot()")
            answer.append(self.connection.execute(query, [self.application]).fetchall())
        except psycopg.Error as error:
            answer.append(error)


@contextmanager
def stall_guard(connection: Connection, uri: str, seconds: float) -> Iterator[None]:
    """While the block runs: a statement whose answer stands still for so long loses its connection, and ends in
    psycopg's error. By itself psycopg waits for ever where the network hangs and says nothing."""
    ended = threading.Event()
    threading.Thread(target=end_standstill, args=(connection, uri, seconds, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def end_standstill(connection: Connection, uri: str, seconds: float, ended: threading.Event) -> None:
    """Looks at a connection until it is ended. The server is asked, in another session, when half of the time is up."""
    began, before = time.monotonic(), None
    while not ended.wait(seconds / POLLS_PER_TIMEOUT):
        now = time.monotonic()
        if connection.info.transaction_status is not TransactionStatus.ACTIVE:
            began, before = now, None
        elif now - began >= seconds / 2:
            computes, statement = activity(connection, uri)
            if computes or (statement and before and statement != before):
                began = now
            before = statement or before
        if now - began >= seconds * (POLLS_PER_TIMEOUT - 2) / POLLS_PER_TIMEOUT:
            cut(connection)
            return


def cut(connection: Connection) -> None:
    """Ends a connection for whoever waits on it: that raises psycopg's error there."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as stuck:
        stuck.shutdown(socket.SHUT_RDWR)


def activity(connection: Connection, uri: str) -> tuple[bool, datetime | None]:
    """Whether the server, asked in another session, works on the connection's statement, and when that began."""
    with suppress(ExporterError), session(uri, "exporter watchdog", lock_seconds=1) as other:
        for computes, began in other.execute(ACTIVITY, [connection.info.backend_pid]):
            return computes, began
    return False, None

"""Who holds a lock that a session of the export waits for: asked while it waits, shown meanwhile and in the error."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from exporter.errors import ExporterError, LockedError
from exporter.interrupts import start_thread
from exporter.source.connection import Connection, server_of, session
from exporter.text import format_duration, visible

# A statement that takes longer is looked at.
PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.25
ASK_SECONDS = 1.0
RETRY_SECONDS = 5.0

# A `Blocker`, of the session `b` with the process id `blocker`. What another role's session does is null without
# pg_read_all_stats.
SESSION_COLUMNS = """blocker, b.usename::text, b.application_name, b.state,
       case when b.state is not null then b.query end,
       extract(epoch from clock_timestamp() - b.xact_start)::float8, pg_blocking_pids(blocker)"""

# Whom sessions wait for: the leader by its process id, the readers by their application name.
WAITS = f"""
select n.nspname || '.' || c.relname, {SESSION_COLUMNS}
from pg_locks w join pg_class c on c.oid = w.relation join pg_namespace n on n.oid = c.relnamespace
cross join lateral unnest(pg_blocking_pids(w.pid)) blocker
left join pg_stat_activity b on b.pid = blocker
where not w.granted
  and w.pid in (select pid from pg_stat_activity where pid = %s or application_name like %s || ' %%')
order by w.pid, cardinality(pg_blocking_pids(blocker)), blocker
"""

# The words of a command that may be shown: no name, no literal.
KEYWORDS = re.compile(
    "(alter|analyze|call|cluster|comment|concurrently|copy|create|database|delete|do|drop|execute|exists|explain|from|"
    "full|grant|if|index|insert|into|lock|materialized|merge|not|on|only|or|policy|prepare|refresh|reindex|replace|"
    "revoke|rule|schema|select|set|system|table|temporary|trigger|truncate|unique|unlogged|update|vacuum|view|with)"
    r"(?![\w$])",
    re.IGNORECASE,
)
COMMENTS = re.compile(r"(\s+|--[^\n]*(\n|$)|/\*.*?\*/)+", re.DOTALL)


def command_keywords(query: str) -> str:
    """The leading keywords of a command up to its first name: `ALTER TABLE`; empty if it begins with none."""
    rest, words = query, list[str]()
    while True:
        if blank := COMMENTS.match(rest):
            rest = rest[blank.end() :]
        word = KEYWORDS.match(rest)
        if not word:
            return " ".join(words)
        words.append(word[0].upper())
        rest = rest[word.end() :]


def lock_waits(connection: Connection, pid: int, readers: str | None = None) -> list[str]:
    """For each table that the session `pid` or a reader (by the prefix of the application names) waits for, the table
    and who has locked it. Raises psycopg's errors."""
    connection.execute("select pg_stat_clear_snapshot()")
    waits: dict[str, str] = {}
    for table, *blocker in connection.execute(WAITS.encode(), [pid, readers]):
        waits.setdefault(table, f"{visible(table)}, locked by {Blocker(*blocker)}")
    return list(waits.values())


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that others wait for (`pid` is 0 for a prepared transaction): what it does, for how many seconds its
    transaction has lasted, and behind which sessions it waits itself."""

    pid: int
    role: str | None
    application: str | None
    state: str | None
    query: str | None
    seconds: float | None
    behind: list[int]

    def __str__(self) -> str:
        """`pid 4711 (psql, idle in transaction, ALTER TABLE, since 4 min 3 s)`."""
        if not self.pid:
            return "a prepared transaction (see pg_prepared_xacts)"
        known = [self.application or "", f"as {self.role}" if self.role and self.state is None else ""]
        known += [self.state if self.state and self.state != "active" else "", command_keywords(self.query or "")]
        known += [f"since {format_duration(self.seconds)}" if self.seconds is not None else ""]
        known += [f"itself waiting for pid {', '.join(map(str, self.behind))}" if self.behind else ""]
        return f"pid {self.pid} ({', '.join(visible(part) for part in known if part)})"


class LockWaits:
    """The lock waits of a run: `report` says them to `show` (with an empty text when they are over), and `last` is the
    latest one."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.show = show
        self.last = ""
        self.shown = False

    def report(self, waits: list[str]) -> None:
        """Shows the first of some waits, or that there is none."""
        if waits:
            self.last = waits[0]
            others = f", and {len(waits) - 1} more" if len(waits) > 1 else ""
            self.show(f"Waiting for {waits[0]}{others}")
        elif self.shown:
            self.show("")
        self.shown = bool(waits)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """If a lock is not granted in time in the block, the error says who holds it."""
        try:
            yield
        except LockedError as error:
            raise LockedError(f"{error}: {self.last}" if self.last else str(error)) from None

    @contextmanager
    def watched(self, connection: Connection, uri: str) -> Iterator[None]:
        """Reports what the statements of the block wait for, and explains its error. A statement that takes longer than
        usual is looked at in another session."""
        ended = threading.Event()
        thread = start_thread(self.watch, connection, uri, ended)
        try:
            with self.explained():
                yield
        finally:
            ended.set()
            thread.join()
            self.report([])

    def watch(self, connection: Connection, uri: str, ended: threading.Event) -> None:
        """Looks at a connection until `ended`."""
        began, server = None, server_of(connection)
        while not ended.wait(POLL_SECONDS):
            if not is_active(connection):
                began = None
                continue
            began = began or time.monotonic()
            if time.monotonic() - began < PATIENCE_SECONDS:
                continue
            with (
                suppress(ExporterError, psycopg.Error),
                session(uri, "exporter lock watch", lock_seconds=1, server=server) as other,
            ):
                while is_active(connection) and not ended.is_set():
                    self.report(lock_waits(other, connection.info.backend_pid))
                    ended.wait(ASK_SECONDS)
                self.report([])
            ended.wait(RETRY_SECONDS if is_active(connection) else 0)  # no other session could be had


def is_active(connection: Connection) -> bool:
    """Whether a statement is running."""
    return connection.info.transaction_status is TransactionStatus.ACTIVE

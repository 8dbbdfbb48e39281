"""What may happen to a server, its sessions, its tables and settings while an export runs."""

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from exporter.model.tables import tables
from tests.faults.attempt import Attempt
from tests.faults.ground import ROLE
from tests.support.stalling_source import execute

# What happens to a run: done at a moment, undone at the run's end by what is put into `attempt.at_end`.
Event = Callable[[Attempt], None]

SERVER = "server"  # the directory of a ground's own server


def postmaster(directory: Path) -> int:
    """The process of the server of a data directory."""
    return int((directory / "postmaster.pid").read_text().splitlines()[0])


def signal_to(attempt: Attempt, process: int, number: signal.Signals) -> None:
    """Sends a signal to a server's process; one that is frozen goes on at the run's end."""
    os.kill(process, number)
    if number is signal.SIGSTOP:
        attempt.at_end.append(lambda: thaw(process))


WHOSE = {"leader": "!~ 'reader'", "a reader": "~ 'reader'", "all": "~ '.'"}
SESSIONS = "select pid from pg_stat_activity where datname = current_database() and application_name ~ '^exporter'"


def for_sessions(whose: str, act: str) -> Event:
    """Calls a function of the server with the process of each of these sessions."""

    def event(attempt: Attempt) -> None:
        query = SESSIONS.replace("select pid", f"select {act}(pid)") + f" and application_name {WHOSE[whose]}"
        execute(attempt.ground.admin, query)

    return event


def signalled(whose: str, number: signal.Signals) -> Event:
    """Sends a signal to the server's processes of these sessions; those that are frozen go on at the run's end."""

    def event(attempt: Attempt) -> None:
        with psycopg.connect(attempt.ground.admin, autocommit=True) as connection:
            found = connection.execute(f"{SESSIONS} and application_name {WHOSE[whose]}".encode()).fetchall()
        for (process,) in found:
            with suppress(ProcessLookupError):
                os.kill(process, number)
            if number is signal.SIGSTOP:
                attempt.at_end.append(lambda process=process: thaw(process))

    return event


def thaw(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGCONT)


def to_the_server(number: signal.Signals) -> Event:
    """Sends a signal to the server: SIGINT stops it fast, SIGQUIT at once."""
    return lambda attempt: signal_to(attempt, postmaster(attempt.ground.directory / SERVER), number)


def restarted(number: signal.Signals) -> Event:
    """Stops the server and starts it again."""

    def event(attempt: Attempt) -> None:
        os.kill(postmaster(attempt.ground.directory / SERVER), number)
        attempt.ground.revive()

    return event


def no_slots(attempt: Attempt) -> None:
    """Takes every connection slot that is left."""
    taken: list[psycopg.Connection] = []
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(attempt.ground.admin))
    attempt.at_end.append(lambda: [connection.close() for connection in taken])


def full_disk(below: str) -> Event:
    """There is no room left below a directory of the server's, whose next checkpoint wants some. It did not happen if
    nothing was to be written there to the run's end."""

    def event(attempt: Attempt) -> None:
        met = attempt.ground.fill_disk(below)
        attempt.at_end.append(lambda: met() or attempt.injected.clear())
        with suppress(psycopg.Error):
            execute(attempt.ground.admin, "checkpoint")

    return event


def locked(table: str) -> Event:
    """Another session wants a table for itself, and keeps it to the run's end."""

    def event(attempt: Attempt) -> None:
        in_background(attempt, f"begin; lock table {table} in access exclusive mode", kept=True)

    return event


def changed(statement: str) -> Event:
    """A migration, which may have to wait for the run."""

    def event(attempt: Attempt) -> None:
        in_background(attempt, statement, kept=False)

    return event


def in_background(attempt: Attempt, statement: str, *, kept: bool) -> None:
    """Runs a statement in a session that lasts to the run's end if it is `kept`, else to that of the statement. Returns
    when it is done or waits."""
    connection = psycopg.connect(attempt.ground.admin, autocommit=True)
    done = threading.Event()

    def work() -> None:
        with suppress(psycopg.Error):
            connection.execute(statement.encode())
        done.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def end() -> None:
        if not kept:
            done.wait(30)
        with suppress(psycopg.Error):
            execute(attempt.ground.admin, f"select pg_terminate_backend({connection.info.backend_pid})")
        thread.join(30)
        connection.close()

    attempt.at_end.append(end)
    done.wait(0.3)


def set_for_all(setting: str) -> Event:
    """A setting for all sessions from now on."""

    def event(attempt: Attempt) -> None:
        database = urlsplit(attempt.ground.admin).path.lstrip("/")
        execute(attempt.ground.admin, f"alter database {database} set {setting}")

    return event


def of_the_database(statement: str) -> Event:
    """A statement about the database, from another one."""

    def event(attempt: Attempt) -> None:
        parts = urlsplit(attempt.ground.admin)
        execute(parts._replace(path="/postgres").geturl(), statement.format(database=parts.path.lstrip("/")))

    return event


MIGRATIONS = (
    "alter table {table} add column brand_new text default 'x'",
    "alter table {table} rename column {column} to renamed",
    "alter table {table} drop column {column} cascade",
    "alter table {table} alter column {column} type text using null",
    "alter table {table} rename to renamed",
    "drop table {table} cascade",
    "truncate {table} cascade",
    "delete from {table}",
    "alter table {table} enable row level security",
    f"revoke select on {{table}} from {ROLE}",
    "vacuum full {table}",
    "reindex table {table}",
    "alter table {table} set unlogged",
    "create index on {table} ({column})",
)
TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
            "transaction_timeout")  # fmt: skip


def events(chance: random.Random) -> list[tuple[str, Event]]:
    """One of each kind, on random tables."""
    found: list[tuple[str, Event]] = []
    for whose in WHOSE:
        found += [
            (f"terminate {whose}", for_sessions(whose, "pg_terminate_backend")),
            (f"cancel {whose}", for_sessions(whose, "pg_cancel_backend")),
            (f"kill -9 of the backend of {whose}", signalled(whose, signal.SIGKILL)),
            (f"freeze of the backend of {whose}", signalled(whose, signal.SIGSTOP)),
        ]
    found += [
        ("fast stop", to_the_server(signal.SIGINT)),
        ("immediate stop", to_the_server(signal.SIGQUIT)),
        ("kill -9 of the server", to_the_server(signal.SIGKILL)),
        ("freeze of the server", to_the_server(signal.SIGSTOP)),
        ("fast restart", restarted(signal.SIGINT)),
        ("immediate restart", restarted(signal.SIGQUIT)),
        ("no connection slot is left", no_slots),
        ("drop of the database", of_the_database("drop database {database} with (force)")),
        ("no connections to the database", of_the_database("alter database {database} allow_connections false")),
        ("no login", of_the_database(f"alter role {ROLE} nologin")),
        ("the server's disk is full", full_disk(".")),
        ("no room for the server's temporary files", full_disk("base/pgsql_tmp")),
        ("no temporary files", set_for_all("temp_file_limit = 0")),
        *((f"{name} of 1 ms", set_for_all(f"{name} = 1")) for name in TIMEOUTS),
        *((f"lock of {name}", locked(name)) for name in [chance.choice(tables()).name]),
    ]
    for template in MIGRATIONS:
        table = chance.choice(tables())
        column = chance.choice(list(table.columns()))
        statement = template.format(table=table.name, column=column)
        found.append((statement, changed(statement)))
    return found

"""What the server and libpq say, as our messages pass it on: of connections their words, of queries never."""

from typing import Any

import psycopg
import pytest

from exporter.errors import ExporterError, LockedError, RunError, SourceError
from exporter.source.refusals import LostConnectionError, MissingNameError, place, refusal, run_error

CELL = "hunter2"
AT = 'connection failed: connection to server at "10.0.0.7", port 5432 failed: '
SOCKET = 'connection is bad: connection to server on socket "/run/.s.PGSQL.5432" failed: '
TRIGGER = "the session was refused, probably by a login event trigger; the server's log says why"
OPTIONS = {"user": "u", "host": "db", "port": 5433, "dbname": "source"}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (AT + 'FATAL:  database "x" does not exist', 'FATAL: database "x" does not exist'),
        (AT + "FATAL:  Datenbank »x« existiert nicht", "FATAL: Datenbank »x« existiert nicht"),
        (AT + "Network is unreachable\n\tIs it on?", "Network is unreachable; Is it on?"),
        (SOCKET + "No such file or directory", "No such file or directory"),
        ('no root certificate "/x"\nProvide it.', 'no root certificate "/x"; Provide it.'),
        (AT + "SSL error: bad\n" + AT[19:] + "FATAL:  no\n" + AT[19:] + "FATAL:  no", "SSL error: bad; FATAL: no"),
        (AT + "FATAL:  \x1b[2Jno\r", "FATAL: \\x1B[2Jno"),
        (AT + f"FATAL:  {CELL}\nCONTEXT:  PL/pgSQL function f() line 1 at RAISE", TRIGGER),
        (AT + "FATAL:  no\nHINT:  Value exceeds integer range.", "FATAL: no; HINT: Value exceeds integer range."),
    ],
)  # fmt: skip
def test_words_of_a_refusal(said: str, shown: str) -> None:
    """As they are, in any language, each once and on one line, without the address, which the message has; but not
    those that a function of the database may have raised."""
    error = refusal(psycopg.OperationalError(said), OPTIONS, seconds=5)
    assert (type(error), str(error)) == (SourceError, f"the source u@db:5433/source: {shown}")


def test_several_attempts() -> None:
    """Each with its address."""
    said = (
        AT + "refused\nMultiple connection attempts failed. All failures were:\n"
        "- host: 'a', port: '1', hostaddr: '10.0.0.6': " + AT.replace("7", "6") + "timeout\n"
        "- host: 'b', port: '2', hostaddr: '10.0.0.7': " + AT + "refused"
    )
    error = refusal(psycopg.OperationalError(said), {"user": "u", "host": "a,b", "port": "1,2"}, seconds=5)
    assert str(error) == (
        'the source u@a:1,b:2/u: connection to server at "10.0.0.6", port 5432 failed: timeout; '
        'connection to server at "10.0.0.7", port 5432 failed: refused'
    )


def test_no_answer() -> None:
    """It has no words; the seconds are those that were waited."""
    error = refusal(psycopg.errors.ConnectionTimeout("connection timeout expired"), OPTIONS, seconds=7)
    assert str(error) == "the source u@db:5433/source did not answer within 7 seconds"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (OPTIONS, "u@db:5433/source"),
        ({"user": "u"}, "u@localhost:5432/u"),
        ({"dbname": "source", "hostaddr": "::1"}, "[::1]:5432/source"),
        ({"user": "u", "host": "a,b", "port": "1", "dbname": "d"}, "u@a:1,b:1/d"),
        ({"user": "u\x1b[2J", "host": "/run/pg", "port": "5432", "dbname": "d\n"}, "u\\x1B[2J@/run/pg:5432/d\\n"),
    ],
)
def test_a_place(options: dict[str, Any], shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """User, host, port, database; nothing in it can command a terminal."""
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.delenv("PGPORT", raising=False)
    assert place(options) == shown


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (psycopg.OperationalError(CELL), LostConnectionError, "the connection to the source was lost (while counting)"),
        (psycopg.ProgrammingError(CELL), RunError, "the source failed (while counting)"),
        (psycopg.errors.DivisionByZero(CELL), RunError, "the source failed (while counting; SQLSTATE 22012)"),
        (
            psycopg.errors.LockNotAvailable(CELL),
            LockedError,
            "a table is locked by a migration; try again when it is done, or raise --lock-timeout (while counting; "
            "SQLSTATE 55P03)",
        ),
        (
            psycopg.errors.InsufficientPrivilege(CELL),
            SourceError,
            "a privilege is missing, or row-level security would hide rows; run `exporter check` (while counting; "
            "SQLSTATE 42501)",
        ),
        (
            psycopg.errors.UndefinedTable(CELL),
            MissingNameError,
            "a table no longer exists (a migration?); run `exporter check` (while counting; SQLSTATE 42P01)",
        ),
    ],
)
def test_a_query_that_fails(error: psycopg.Error, kind: type[ExporterError], message: str) -> None:
    """The message has what was being done and the SQLSTATE, never the server's text."""
    made = run_error(error, "counting")
    assert (type(made), str(made)) == (kind, message)

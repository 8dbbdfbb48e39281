"""What a server or libpq says, as our messages pass it on.

Words about the connection and the login cannot hold a cell and are shown as they are, in whichever language; nothing
is concluded from them, only from a SQLSTATE or from what happened. Once the login is over, words may be those of a
trigger or a query, and only the SQLSTATE is shown.
"""

import os
import re

import psycopg

from exporter.errors import ExporterError, LockedError, RunError, SourceError
from exporter.invocation import command
from exporter.source.uri import ADDRESS, PORT, Parameters
from exporter.text import visible

# What psycopg, and then libpq, put before the words of an attempt. The address stands in our message already, unless
# there are several.
ATTEMPT = re.compile(r"(- host: .*?, hostaddr: \S+: )?(connection (is bad|failed): )?")
POOLER = "is a pooler that does not hand on our settings (options=); connect to the server itself"
# Only errors of functions have such a line: those of a login event trigger, whose words may be values. The label is
# libpq's, in English, since this process sets no locale for messages.
CONTEXT = "CONTEXT: "
QUOTING = "the session was refused, probably by a login event trigger; the server's log says why"
ATTEMPTS = "Multiple connection attempts failed. All failures were:"


class LostConnectionError(RunError):
    """The leader's connection was lost during `activity`."""

    def __init__(self, activity: str) -> None:
        super().__init__(f"the connection to the source was lost (while {activity})")
        self.activity = activity


class MissingNameError(RunError):
    """A table, column, function or schema that a statement names does not exist, or no longer."""


def place(options: Parameters, error: psycopg.Error | None = None) -> str:
    """User, host, port and database as messages name them: of the attempt that failed with the error if there was only
    one, else as they are set."""
    user, host, port, database = (str(options.get(name) or "") for name in ("user", "host", "port", "dbname"))
    host = host or str(options.get("hostaddr") or "") or os.environ.get("PGHOST", "")
    port = port or os.environ.get("PGPORT", "")
    if not host and options.get("service") and not (error and error.pgconn):
        return visible(f"of the service {options['service']}")  # whose hosts libpq keeps to itself
    if error and error.pgconn and "," not in host:
        tried = error.pgconn
        known = (tried.user, tried.host, tried.port, tried.db)
        user, host, port, database = ((part or b"").decode(errors="replace") for part in known)
    ports = (port or str(PORT)).split(",")
    servers = []
    for number, name in enumerate((host or "localhost").split(",")):
        bracketed = f"[{name}]" if ":" in name else name
        servers.append(f"{bracketed}:{ports[number % len(ports)] or PORT}")
    return visible(f"{user}{'@' if user else ''}{','.join(servers)}/{database or user}")


def refusal(error: psycopg.Error, parameters: Parameters, *, seconds: int) -> SourceError:
    """The error for a connection that did not come about within `seconds`; `parameters` are as resolved by libpq."""
    where = f"the source {place(parameters, error)}"
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return SourceError(f"{where} did not answer within {seconds} seconds")
    remedy = "; set PGPASSWORD or PGPASSFILE" if error.pgconn and error.pgconn.needs_password else ""
    return SourceError(f"{where}: {words(error)}{remedy}")


def words(error: psycopg.Error) -> str:
    """What libpq and the server said of the attempts to connect, each once."""
    first, _, attempts = str(error).partition(ATTEMPTS)
    lines = [ATTEMPT.sub("", line) for line in (attempts or first).strip().split("\n") if line.strip()]
    if any(line.startswith(CONTEXT) for line in lines):
        return QUOTING
    if not attempts:
        lines = [ADDRESS.sub("", line) for line in lines]
    return "; ".join(dict.fromkeys(visible(" ".join(line.split())) for line in lines))


# The class of SQLSTATEs whose words name what is missing or denied.
NAMES = "42"
REASONS = {
    "57P01": "an administrator of the server ended the connection",
    "57P02": "the server crashed",
    "57P03": "the server is shutting down",
    "40001": "a hot standby cancelled the snapshot (recovery conflict); raise max_standby_streaming_delay",
    "55P03": "a table is locked by a migration; try again when it is done, or raise --lock-timeout",
    "57014": "the statement was cancelled",
    "25P03": "the server closed the session as idle",
    "53100": "the server's disk is full",
    "53200": "the server is out of memory, or has no room for more locks; run `{command} check`",
    "53300": "the server has no free connection slots; lower --workers",
    "42501": "a privilege is missing, or row-level security would hide rows; run `{command} check`",
    "42P01": "a table no longer exists (a migration?); run `{command} check`",
    "40P01": "a deadlock with a migration; try again when it is done",
}
KINDS = {"55P03": LockedError, "42501": SourceError, "42P01": MissingNameError, "42703": MissingNameError}
KINDS |= {"42883": MissingNameError, "3F000": MissingNameError}


# The classes of SQLSTATEs that tell of the connection, the server's state and resources, and other transactions.
PASSING = ("08", "25", "40", "53", "55", "57", "58")


def passes(error: psycopg.Error) -> bool:
    """Whether an error within a session tells nothing of the source, so that another attempt may succeed."""
    state = error.sqlstate
    return state.startswith(PASSING) if state else isinstance(error, psycopg.OperationalError)


def run_error(error: psycopg.Error, activity: str, *, of_catalog: bool = False) -> ExporterError:
    """The error for one of psycopg: reason, what was being done, SQLSTATE; the server's text only if the statement read
    nothing but the catalog, or locked tables. A `SourceError` for a missing privilege, else a `RunError`."""
    state = error.sqlstate
    if state is None and isinstance(error, psycopg.OperationalError):
        return LostConnectionError(activity)
    reason = REASONS.get(state or "", "the source failed").format(command=command())
    kind = KINDS.get(state or "", RunError)
    names = (state or "").startswith(NAMES) and error.diag.message_primary
    said = f": {visible(names)}" if of_catalog and names else ""
    return kind(f"{reason}{said} (while {activity}{f'; SQLSTATE {state}' if state else ''})")

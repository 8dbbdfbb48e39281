"""Connections to the source: the leader's, by psycopg, and the URI with which the workers' connectorx follows it."""

import ipaddress
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, unquote

import psycopg
from psycopg import conninfo
from psycopg.pq import TransactionStatus

from exporter.errors import LockedError, RunError, SourceError, UsageError
from exporter.source.queries import Address

Connection = psycopg.Connection[tuple[Any, ...]]

# psycopg logs an error that happens during another one, and quotes the server.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

CONNECT_SECONDS = 5
DIRECTLY = "connect to the server itself"

# Session settings of every connection. Output formats are fixed because text forms reach the graph; plans are fixed
# because the order of rows decides the bytes of a file; a time limit of the role or server must not end a long read.
# Through its keepalives the server notices a lost network within a minute, and releases snapshot and locks.
SESSION = {
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "row_security": "off",
    "search_path": "pg_catalog",
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmloption": "content",
    "lc_monetary": "C",
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def options(application: str, *, lock_seconds: int) -> str:
    """The `options=` value that fixes every setting of a session."""
    values = SESSION | {"application_name": application, "lock_timeout": f"{lock_seconds}s"}
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in values.items())


def later_settings(connection: Connection) -> dict[str, str]:
    """Settings that only some servers have: no transaction timeout (17+), no timeout of idle sessions (14+), and a
    check that the client is still connected (14+)."""
    later = {"transaction_timeout": "0", "idle_session_timeout": "0", "client_connection_check_interval": "2s"}
    # Servers on systems that cannot check refuse the interval, so it is set only if the server runs on Linux.
    query = "select name from pg_settings where name = any(%s) and (name <> %s or version() like '%%linux%%')"
    known = connection.execute(query, [list(later), "client_connection_check_interval"]).fetchall()
    return {name: later[name] for (name,) in known}


def password_in(uri: str) -> bool:
    """Whether a source URI carries a password."""
    with suppress(psycopg.Error):
        return bool(conninfo.conninfo_to_dict(uri).get("password"))
    return False


def without_password(uri: str) -> str:
    """A source URI without the passwords it carries, otherwise unchanged. Raises `UsageError` for a malformed one."""
    parse(uri)
    location, question_mark, query = uri.partition("?")
    scheme, _, address = location.partition("://")
    user_info, at, hosts = address.rpartition("@")
    user = user_info.partition(":")[0]
    secrets = ("password", "sslpassword")
    kept = [parameter for parameter in query.split("&") if unquote(parameter.partition("=")[0]) not in secrets]
    return f"{scheme}://{user}{at if user else ''}{hosts}{question_mark if any(kept) else ''}{'&'.join(kept)}"


def parse(uri: str) -> dict[str, Any]:
    """The connection parameters in a source URI. Raises `UsageError` for a malformed one."""
    if not re.match(r"postgres(ql)?://", uri):
        raise UsageError("the source is not a postgresql:// URI; give --source postgresql://USER@HOST/DATABASE")
    try:
        parameters = conninfo.conninfo_to_dict(uri)
    except psycopg.Error:
        raise UsageError("the source URI is malformed; see `exporter export --help` for its form") from None
    # After an unescaped @ or / in a password, libpq takes the rest for the host, which messages and the manifest show.
    port = str(parameters.get("port", ""))
    if not re.match(r"[a-z]+://([^@/]*@)?[^@?]*(\?|$)", uri) or not re.fullmatch("[0-9,]*", port):
        raise UsageError("the source URI is malformed; write @ : / and % in a password as %40 %3A %2F and %25")
    return parameters


def connect(uri: str, application: str, *, lock_seconds: int) -> Connection:
    """A connection to the source; one attempt of at most `CONNECT_SECONDS`.

    Raises `UsageError` for a malformed URI and `SourceError` if the source refuses, does not answer, or drops the
    session's settings. Neither quotes the URI: psycopg's own messages contain passwords.
    """
    parameters = parse(uri)
    if parameters.get("gssencmode") == "require":
        raise UsageError("gssencmode=require is not supported: the readers have no GSS encryption; use TLS (sslmode)")
    own_options = str(parameters.pop("options", "") or "")
    parameters |= {
        "options": f"{own_options} {options(application, lock_seconds=lock_seconds)}".strip(),
        "connect_timeout": CONNECT_SECONDS,
        # The readers have no GSS encryption, and the leader must not be safer than they are.
        "gssencmode": "disable",
        "application_name": application,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    try:
        connection: Connection = psycopg.connect(**parameters, autocommit=True)
        if connection.execute("show row_security").fetchone() != (SESSION["row_security"],):
            connection.close()
            raise SourceError(f"the source at {host_name(parameters)} is a pooler that drops options=; {DIRECTLY}")
        for name, value in later_settings(connection).items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
    except psycopg.Error as error:
        raise SourceError(refusal(error, parameters)) from None
    return connection


@contextmanager
def session(uri: str, application: str, *, lock_seconds: int) -> Iterator[Connection]:
    """A connection while the block runs. Raises as `connect` does, and `RunError`, which quotes nothing, for any error
    of psycopg in the block.

    A statement that a signal interrupts is cancelled: the server would not notice that nobody is waiting for it.
    """
    connection = connect(uri, application, lock_seconds=lock_seconds)
    try:
        yield connection
    except psycopg.Error as error:
        raise run_error(error, "asking the source") from None
    finally:
        if connection.info.transaction_status is TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=CONNECT_SECONDS)
        connection.close()


def refusal(error: psycopg.Error, parameters: dict[str, Any]) -> str:
    """The message for a refused connection, in our own words: the server's may quote secrets."""
    text = str(error)
    reasons = {
        "password authentication failed": "refused the password (set PGPASSWORD or PGPASSFILE)",
        "no password supplied": "asks for a password (set PGPASSWORD or PGPASSFILE)",
        "root certificate file": "cannot be verified: the root certificate file of sslrootcert is missing",
        "does not exist": "has no such database or user",
        "no pg_hba.conf entry": "does not allow this connection (pg_hba.conf: host, user, database or encryption)",
        "certificate verify failed": "presented a certificate that the given root does not verify",
        "server certificate for": "presented a certificate for another host name",
        "does not support SSL": "does not speak TLS, which sslmode asks for",
        "unsupported startup parameter": f"is a pooler that refuses options=; {DIRECTLY}",
        "too many connections": "has no free connection slots",
        "too many clients": "has no free connection slots",
        "timeout expired": f"did not answer within {CONNECT_SECONDS} seconds",
        "Connection refused": "refused the connection: no server is listening there",
        "could not translate host name": "cannot be found: its host name does not resolve",
        "failed to resolve host": "cannot be found: its host name does not resolve",
        "starting up": "is starting up; try again in a moment",
        "No such file or directory": "has no socket there: no server is listening",
    }
    reason = next((reason for sign, reason in reasons.items() if sign in text), "refused the connection")
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return f"the source at {host_name(parameters)} {reason}{state}"


def host_name(parameters: dict[str, Any]) -> str:
    """The server's host as messages name it."""
    return f"{parameters.get('host') or parameters.get('hostaddr') or 'localhost'}"


def worker_address(connection: Connection, application: str, *, lock_seconds: int) -> Address:
    """The address with which connectorx reaches the leader's server, with equally strict encryption.

    Raises `SourceError` if connectorx cannot be that strict.
    """
    info = connection.info
    # The leader's options come first, with those of the source URI; if a setting occurs twice, the later value counts.
    later = [f"-c {name}={value}" for name, value in later_settings(connection).items()]
    session_options = (info.get_parameters()["options"], options(application, lock_seconds=lock_seconds), *later)
    query = {"options": " ".join(session_options)}
    host = info.host
    if host.startswith("/"):
        query["host"] = host
        host = "localhost"
    elif info.hostaddr:
        host = f"[{info.hostaddr}]" if ipaddress.ip_address(info.hostaddr).version == 6 else info.hostaddr
    query |= tls_parameters(connection)
    user = quote(info.user, safe="")
    password = f":{quote(info.password, safe='')}" if info.password else ""
    uri = f"postgresql://{user}{password}@{host}:{info.port}/{quote(info.dbname, safe='')}"
    return Address(uri, query, application)


def tls_parameters(connection: Connection) -> dict[str, str]:
    """The URI parameters with which connectorx encrypts as strictly as the leader's connection.

    connectorx does not have `verify-full`: `sslrootcert` verifies the CA, and channel binding, which needs a SCRAM
    password, stands in for verifying the host's name (source-facts.md). Raises `SourceError` if that is impossible.
    """
    if not connection.pgconn.ssl_in_use:
        return {"sslmode": "disable"}
    parameters = connection.info.get_parameters()
    mode, root = parameters.get("sslmode", "prefer"), parameters.get("sslrootcert", "")
    query = {"sslmode": "require"}
    if mode in {"verify-ca", "verify-full"} and root in {"", "system"}:
        raise SourceError(f"sslmode={mode} needs sslrootcert=FILE in the source URI for the readers to verify")
    # With a root certificate libpq verifies the CA under sslmode=require too.
    if root and mode in {"require", "verify-ca", "verify-full"}:
        query["sslrootcert"] = root
    if mode == "verify-full":
        if not connection.pgconn.used_password:
            raise SourceError("sslmode=verify-full needs a SCRAM password: channel binding verifies the host")
        query["channel_binding"] = "require"
    return query | {name: parameters[name] for name in ("sslcert", "sslkey") if parameters.get(name)}


def run_error(error: psycopg.Error, activity: str) -> RunError:
    """The `RunError` for an error of psycopg: reason, the leader's activity, SQLSTATE; never the server's text."""
    state = error.sqlstate or "none"
    reason = {
        "57P01": "an administrator of the server ended the connection",
        "57P02": "the server crashed",
        "57P03": "the server is shutting down",
        "40001": "a hot standby cancelled the snapshot (recovery conflict); raise max_standby_streaming_delay",
        "55P03": "a table is locked by a migration; try again when it is done, or raise --lock-timeout",
        "57014": "the statement was cancelled",
        "25P03": "the server closed the session as idle",
        "53100": "the server's disk is full",
        "53200": "the server is out of memory",
        "42501": "a privilege is missing; run `exporter check`",
        "42P01": "a table no longer exists (a migration?); run `exporter check`",
        "40P01": "a deadlock with a migration; try again when it is done",
    }.get(state, "the connection to the source was lost" if state == "none" else "the source failed")
    kind = LockedError if state == "55P03" else RunError
    return kind(f"{reason} (while {activity}; SQLSTATE {state})")

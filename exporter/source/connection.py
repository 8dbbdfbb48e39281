"""Connections to the source by psycopg: the leader's, and short ones beside it."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from exporter.errors import SourceError, UsageError
from exporter.source.queries import MARK
from exporter.source.refusals import POOLER, QUOTING, place, refusal, run_error, words
from exporter.source.session_settings import Connection as Connection  # every caller knows it from here
from exporter.source.session_settings import is_marked, options, settle
from exporter.source.uri import Parameters, parse, resolve

# psycopg logs an error that happens during another one, and quotes the server.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5
# psycopg's, for connect_timeout=0.
LIBPQ_SECONDS = 130


@dataclass(frozen=True, slots=True)
class Server:
    """The one of a URI's servers that a connection has reached."""

    host: str
    hostaddr: str
    port: int


def server_of(connection: Connection) -> Server:
    """The server of a connection that is open."""
    return Server(connection.info.host, connection.info.hostaddr, connection.info.port)


def connect(uri: str, application: str, *, lock_seconds: int, server: Server | None = None) -> Connection:
    """A connection to the source, or to the given one of its servers; one attempt for each address, of at most
    `CONNECT_SECONDS` unless the URI or PGCONNECT_TIMEOUT says otherwise.

    Raises `UsageError` for a malformed URI or a wrong option of libpq, and `SourceError` if the source refuses, does
    not answer, or drops the session's settings.
    """
    parameters = parse(uri)
    if parameters.get("gssencmode", os.environ.get("PGGSSENCMODE")) == "require":
        raise UsageError("gssencmode=require is not supported: the readers have no GSS encryption; use TLS (sslmode)")
    resolved = resolve(parameters)
    if server:
        address = {"host": server.host, "hostaddr": server.hostaddr, "port": server.port}
        parameters |= address | {"target_session_attrs": "any"}
    mark = secrets.token_hex(8)
    own_options, seconds = resolved.get("options", ""), int(resolved.get("connect_timeout", CONNECT_SECONDS))
    parameters |= {
        "options": f"{own_options} {options(application, lock_seconds=lock_seconds, mark=mark)}".strip(),
        "connect_timeout": seconds,
        # The readers have no GSS encryption, and the leader must not be safer than they are.
        "gssencmode": "disable",
        "client_encoding": "UTF8",
        "application_name": application,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    try:
        connection: Connection = psycopg.connect(**parameters, autocommit=True)
    except psycopg.Error as error:
        if not own_options and refuses_options(error, parameters):
            raise SourceError(f"the source {place(resolved | parameters, error)} {POOLER}") from None
        raise refusal(error, resolved | parameters, seconds=seconds if seconds > 0 else LIBPQ_SECONDS) from None
    take_settings(connection, mark)
    return connection


def refuses_options(error: psycopg.Error, parameters: Parameters) -> bool:
    """Whether a server refused a connection, before it asked for a password, only because there were `options=`,
    whatever is in them."""
    attempt = error.pgconn
    if attempt is None or attempt.used_password or attempt.needs_password or words(error) == QUOTING:
        return False
    return accepts(parameters | {"options": ""}) and not accepts(parameters | {"options": f"-c {MARK}=any"})


def accepts(parameters: Parameters) -> bool:
    """Whether a connection comes about."""
    with suppress(psycopg.Error), psycopg.connect(**parameters):
        return True
    return False


def take_settings(connection: Connection, mark: str) -> None:
    """Fixes the settings of a new session. Raises `SourceError`, and closes it, if that is impossible."""
    where = f"the source {place(effective(connection))}"
    try:
        if not is_marked(connection, mark):
            raise SourceError(f"{where} {POOLER}")
        settle(connection)
    except psycopg.Error as error:
        connection.close()
        raise SourceError(f"{where}: {run_error(error, 'beginning the session')}") from None
    except SourceError:
        connection.close()
        raise
    version = connection.info.parameter_status("server_version")
    logger.debug("connected to %s, PostgreSQL %s", place(effective(connection)), version)


def effective(connection: Connection) -> dict[str, str]:
    """The options of libpq that have a value in a connection, wherever it came from, and the server it has reached."""
    info = connection.info
    options = {option.keyword.decode(): option.val.decode() for option in connection.pgconn.info if option.val}
    return options | {"host": info.host, "hostaddr": info.hostaddr, "port": str(info.port)}


@contextmanager
def session(uri: str, application: str, *, lock_seconds: int, server: Server | None = None) -> Iterator[Connection]:
    """A connection while the block runs. Raises as `connect` does, and `RunError`, which quotes nothing, for any error
    of psycopg in the block.

    A statement that a signal interrupts is cancelled: the server would not notice that nobody is waiting for it.
    """
    connection = connect(uri, application, lock_seconds=lock_seconds, server=server)
    try:
        yield connection
    except psycopg.Error as error:
        raise run_error(error, "asking the source") from None
    finally:
        if connection.info.transaction_status is TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=CONNECT_SECONDS)
        connection.close()

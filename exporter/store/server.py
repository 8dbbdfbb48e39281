"""A Neo4j Community server on 127.0.0.1 for as long as a block runs, and the schema of an export applied to it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import neo4j
import psutil
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from exporter.errors import RunError
from exporter.store.provision import Neo4jHome, entry_point

_START_SECONDS = 300
_STOP_SECONDS = 60
_INDEX_SECONDS = 600
_PORT_ATTEMPTS = 3
USER, _FIRST_PASSWORD = "neo4j", "neo4j"
# It runs and answers small graphs with this much for Java objects.
SMALLEST_HEAP, LARGEST_HEAP = 512 << 20, 4 << 30
SECRETS = ("EXPORTER_SOURCE", "PGPASSWORD", "NEO4J_PASSWORD")
# How the process of a server names its configuration; by it, it is found again.
CONF_FLAG = "--config-dir="
# The flags without which Neo4j does not run on the Javas it supports.
OPENED = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.nio", "java.io", "sun.nio.ch")]

# The server lives as long as its pipe: when this process ends, in whatever way, the shell reads the end of the file and
# stops Java. One line instead of the end means: let it run on.
# When this process is gone before it has read the line, writing it must not kill the shell; and a Java that was told to
# stop while it began may not hear it.
_WATCH = """
"$@" </dev/null >&2 & java=$!
trap '' PIPE
echo "$java"
if read -r _; then exit 0; fi
kill -TERM "$java" 2>/dev/null
(sleep 30; kill -KILL 0) >/dev/null 2>&1 &
wait "$java"
kill -KILL 0
"""


@dataclass(frozen=True, slots=True)
class Access:
    """How a server is reached, from this machine only: its ports, of which 0 is any, and the password of the user
    `neo4j`. Without a password everybody may; without an `http_port` there is no HTTP, nor Neo4j's Browser."""

    bolt_port: int = 0
    http_port: int | None = None
    password: str | None = None

    @property
    def login(self) -> tuple[str, str] | None:
        """What the driver takes as `auth`."""
        return (USER, self.password) if self.password else None

    def free(self) -> "Access":
        """The same with ports that are free now: its own, else others."""
        return replace(
            self,
            bolt_port=free_port(self.bolt_port),
            http_port=None if self.http_port is None else free_port(self.http_port),
        )

    def other(self) -> "Access":
        """The same with any ports."""
        return replace(self, bolt_port=0, http_port=None if self.http_port is None else 0)


OPEN = Access()


@dataclass(slots=True)
class Server:
    """A running server: how it is reached, the process to stop, and whether it is to outlive its block."""

    access: Access
    process_id: int
    keep: bool = False

    @property
    def bolt_uri(self) -> str:
        return f"bolt://127.0.0.1:{self.access.bolt_port}"

    @property
    def stop_command(self) -> str:
        """What to type to stop a server that was kept."""
        return f"kill {self.process_id}"


def configure(directory: Path, access: Access = OPEN, *, database: str = "neo4j") -> Path:
    """Write `directory/conf/neo4j.conf`, with data, logs and run-time files in `directory`; return `directory/conf`.
    `database` is the one that the server has besides its own.

    Import and server find the same store by it: it is the NEO4J_CONF of both. An import does not need the ports.
    """
    conf, data, logs, run = (directory.resolve() / name for name in ("conf", "data", "logs", "run"))
    settings = {
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{access.bolt_port}",
        # What Neo4j's Browser is told to connect to.
        "server.bolt.advertised_address": f"127.0.0.1:{access.bolt_port}",
        "server.http.enabled": str(access.http_port is not None).lower(),
        "server.http.listen_address": f"127.0.0.1:{access.http_port or 0}",
        "server.https.enabled": "false",
        "server.directories.data": data,
        "server.directories.logs": logs,
        "server.directories.run": run,
        "initial.dbms.default_database": database,
        "server.memory.pagecache.size": "128m",
        "dbms.security.auth_enabled": str(access.password is not None).lower(),
        "dbms.usage_report.enabled": "false",
        # Else each of two databases takes a quarter of a gigabyte from the start.
        "db.tx_log.preallocate": "false",
        # Else a stop takes ten seconds for connections to settle; a version without the setting starts all the same.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        "server.config.strict_validation.enabled": "false",
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    # For neo4j-admin, whose launcher takes the flags of Java from here.
    lines += [f"server.jvm.additional={flag}" for flag in OPENED]
    for each in (conf, data, logs, run):
        each.mkdir(parents=True, exist_ok=True)
    (conf / "neo4j.conf").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return conf


def environment(home: Neo4jHome, conf: Path) -> dict[str, str]:
    """The environment in which scripts/import.sh and the server use this Neo4j and this configuration."""
    chosen = {"NEO4J_HOME": home.home, "JAVA_HOME": home.java_home, "NEO4J_CONF": conf}
    return without_secrets() | {name: str(path) for name, path in chosen.items()}


def without_secrets() -> dict[str, str]:
    """This process's environment but for what a server has no business with: how the source is reached, passwords. It
    would keep them, readable, for as long as it runs."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


def ample_heap() -> int:
    """Bytes for a server's Java objects: an eighth of this machine's memory, within what helps."""
    return max(SMALLEST_HEAP, min(LARGEST_HEAP, psutil.virtual_memory().total // 8))


@contextlib.contextmanager
def serve(
    home: Neo4jHome, directory: Path, access: Access = OPEN, *, heap: int = SMALLEST_HEAP, database: str = "neo4j"
) -> Iterator[Server]:
    """A Community server on the store in `directory/data`, with at most `heap` bytes for Java objects. Ports that are
    taken are replaced by free ones; a store that had no password yet gets that of `access`.

    The block starts when the server answers. Afterwards, also on an error or an interrupt, the server is stopped and
    waited for; were this process killed, the server would go as well. When the block sets `keep` and ends well, the
    server runs on. Raises RunError when it does not start.
    """
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        given = access.free() if attempt == 1 else access.other().free()
        conf = configure(directory, given, database=database)
        watch, process_id = _start(home, conf, heap)
        server = Server(given, process_id)
        try:
            if not _answers(server):
                said = _console(conf).read_text(encoding="utf-8", errors="replace")
                if "already in use" in said and attempt < _PORT_ATTEMPTS:
                    continue
                raise RunError(f"Neo4j {home.version} did not start: see {_console(conf)}")
            yield server
            if server.keep:
                watch.communicate(b"keep\n")
            return
        finally:
            _stop(watch, process_id)


def free_port(wanted: int = 0) -> int:
    """The port that is wanted if it is free now, else any. Another program may take it first, so a start is tried
    again."""
    try:
        with socket.create_server(("127.0.0.1", wanted)) as probe:
            port: int = probe.getsockname()[1]
            return port
    except OSError:
        if not wanted:
            raise
        return free_port()


def _console(conf: Path) -> Path:
    return conf.parent / "logs" / "console.log"


def _start(home: Neo4jHome, conf: Path, heap: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and its watch in a process group of their own; the watch and the server's process id.

    Without `neo4j console`, a Java of its own that takes a third of the CPU time until the server answers (measured: 14
    seconds with it, 9 without).
    """
    java = [str(home.java_home / "bin" / "java"), f"-Xmx{heap >> 20}m", *OPENED]
    java += ["-cp", f"{home.home}/lib/*", entry_point(home), f"--home-dir={home.home}", f"{CONF_FLAG}{conf}"]
    with _console(conf).open("wb") as console:
        watch = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "watch", *java],
            env=environment(home, conf),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=console,
            start_new_session=True,
        )
    assert watch.stdout is not None
    return watch, int(watch.stdout.readline())


def _answers(server: Server) -> bool:
    """Wait until the server answers a query; false when it ended instead or took too long."""
    deadline = time.monotonic() + _START_SECONDS
    with neo4j.GraphDatabase.driver(server.bolt_uri, auth=server.access.login) as driver:
        while time.monotonic() < deadline and _runs(server.process_id):
            with contextlib.suppress(DriverError, Neo4jError):
                try:
                    driver.verify_connectivity()
                except AuthError:
                    with contextlib.suppress(AuthError):  # its user has set another password: it answers all the same
                        _set_password(server)
                if server.access.http_port is None or _serves_http(server.access.http_port):
                    return True
            time.sleep(0.2)
    return False


def _serves_http(port: int) -> bool:
    """Whether HTTP is there already: it comes after Bolt."""
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        with contextlib.suppress(OSError, HTTPException):
            connection.request("GET", "/", headers={"Accept": "application/json"})
            return connection.getresponse().status == HTTPStatus.OK
        return False


def _set_password(server: Server) -> None:
    """Gives a new store its password, in place of the one that Neo4j has it begin with and only lets change."""
    with neo4j.GraphDatabase.driver(server.bolt_uri, auth=(USER, _FIRST_PASSWORD)) as driver:
        driver.execute_query(
            "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
            {"old": _FIRST_PASSWORD, "new": server.access.password},
            database_="system",
        )


def _runs(process_id: int) -> bool:
    try:
        return bool(psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _stop(watch: subprocess.Popen[bytes], process_id: int) -> None:
    """Close the watch's pipe, on which it stops the server unless told to keep it, and see that nothing is left."""
    if watch.poll() is not None:
        return
    try:
        watch.communicate(timeout=_STOP_SECONDS)
    except BaseException:  # a second interrupt included: whatever it is, no server may stay behind
        os.killpg(watch.pid, signal.SIGKILL)
        watch.wait()
        raise


def apply_schema(bolt_uri: str, schema_cypher: str, auth: tuple[str, str] | None = None) -> None:
    """Run the statements of a schema.cypher, each ended by `;` at a line's end, and wait until every index is online.

    Raises RunError, which names the statement, when the server refuses one.
    """
    statement = ""
    try:
        with neo4j.GraphDatabase.driver(bolt_uri, auth=auth) as driver:
            for statement in _statements(schema_cypher):
                driver.execute_query(statement)
            statement = f"CALL db.awaitIndexes({_INDEX_SECONDS})"
            driver.execute_query(statement)
            statement = "SHOW INDEXES YIELD name, state WHERE state <> 'ONLINE' RETURN name"
            failed = [record["name"] for record in driver.execute_query(statement).records]
    except (DriverError, Neo4jError) as error:
        # The server's own sentence can quote values of the graph: only its code passes on.
        code = error.code if isinstance(error, Neo4jError) else type(error).__name__
        raise RunError(f"Neo4j refused a statement of the schema ({code}): {statement}") from None
    if failed:
        raise RunError(f"these indexes did not come online: {', '.join(failed)}; see Neo4j's debug.log")


def _statements(schema_cypher: str) -> list[str]:
    code = re.sub(r"^\s*//.*$", "", schema_cypher, flags=re.MULTILINE)
    return [statement for part in re.split(r";[ \t]*$", code, flags=re.MULTILINE) if (statement := part.strip())]

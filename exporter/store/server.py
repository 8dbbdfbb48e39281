"""A Neo4j Community server on 127.0.0.1 for as long as a block runs, and the schema of an export applied to it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import neo4j
import psutil
from neo4j.exceptions import DriverError, Neo4jError

from exporter.errors import RunError
from exporter.store.home import Neo4jHome, entry_point

_START_SECONDS = 120
_STOP_SECONDS = 60
_INDEX_SECONDS = 600
_PORT_ATTEMPTS = 3
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
kill -TERM "$java"
(sleep 30; kill -KILL 0) >/dev/null 2>&1 &
wait "$java"
kill -KILL 0
"""


@dataclass(slots=True)
class Server:
    """A running server: where it answers, the process to stop, and whether it is to outlive its block."""

    bolt_uri: str
    process_id: int
    keep: bool = False

    @property
    def stop_command(self) -> str:
        """What to type to stop a server that was kept."""
        return f"kill {self.process_id}"


def configure(directory: Path, *, bolt_port: int = 0, database: str = "neo4j") -> Path:
    """Write `directory/conf/neo4j.conf`, with data, logs and run-time files in `directory`; return `directory/conf`.
    `database` is the one that the server has besides its own.

    Import and server find the same store by it: it is the NEO4J_CONF of both. An import does not need the port.
    """
    conf, data, logs, run = (directory.resolve() / name for name in ("conf", "data", "logs", "run"))
    settings = {
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{bolt_port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "server.directories.data": data,
        "server.directories.logs": logs,
        "server.directories.run": run,
        "initial.dbms.default_database": database,
        "server.memory.pagecache.size": "128m",
        "dbms.security.auth_enabled": "false",
        "dbms.usage_report.enabled": "false",
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
    return {**os.environ, "NEO4J_HOME": str(home.home), "JAVA_HOME": str(home.java_home), "NEO4J_CONF": str(conf)}


@contextlib.contextmanager
def serve(home: Neo4jHome, directory: Path, *, database: str = "neo4j") -> Iterator[Server]:
    """A Community server on the store in `directory/data`, without authentication, reachable from this machine only.

    The block starts when the server answers. Afterwards, also on an error or an interrupt, the server is stopped and
    waited for; were this process killed, the server would go as well. When the block sets `keep` and ends well, the
    server runs on. Raises RunError when it does not start.
    """
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        port = _free_port()
        conf = configure(directory, bolt_port=port, database=database)
        watch, process_id = _start(home, conf)
        server = Server(f"bolt://127.0.0.1:{port}", process_id)
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


def _free_port() -> int:
    """A port that is free now. Another program may take it first, so a start is tried again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _console(conf: Path) -> Path:
    return conf.parent / "logs" / "console.log"


def _start(home: Neo4jHome, conf: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and its watch in a process group of their own; the watch and the server's process id.

    Without `neo4j console`, a Java of its own that takes a third of the CPU time until the server answers (measured: 14
    seconds with it, 9 without).
    """
    java = [str(home.java_home / "bin" / "java"), "-Xmx512m", *OPENED]
    java += ["-cp", f"{home.home}/lib/*", entry_point(home), f"--home-dir={home.home}", f"--config-dir={conf}"]
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
    with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
        while time.monotonic() < deadline and _runs(server.process_id):
            with contextlib.suppress(DriverError, Neo4jError):
                driver.verify_connectivity()
                return True
            time.sleep(0.2)
    return False


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


def apply_schema(bolt_uri: str, schema_cypher: str) -> None:
    """Run the statements of a schema.cypher, each ended by `;` at a line's end, and wait until every index is online.

    Raises RunError, which names the statement, when the server refuses one.
    """
    statement = ""
    try:
        with neo4j.GraphDatabase.driver(bolt_uri) as driver:
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

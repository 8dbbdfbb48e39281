"""A Neo4j Community server on 127.0.0.1 for as long as a block runs."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import neo4j
import psutil
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from exporter.errors import RunError
from exporter.store.configuration import ADD_OPENS, ENGLISH, OPEN, SMALLEST_HEAP, USER, Access, configure, environment
from exporter.store.process import CONF_FLAG
from exporter.store.provision import Neo4jHome, entry_point
from exporter.text import visible

_START_SECONDS = 300
_STOP_SECONDS = 60
_POLL_SECONDS = 0.2
_PORT_ATTEMPTS = 3
_FIRST_PASSWORD = "neo4j"
_STACK = re.compile(r"\s+at |\s*\.\.\. \d+ more|\s*Suppressed: ")

# This process holds the shell's stdin: when it ends, however it ends, the shell reads end of file and stops Java, by
# force after 30 seconds; if it reads a line instead, Java keeps running. SIGPIPE is ignored because the shell must live
# to stop Java even if nobody reads the process id that it writes.
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


@dataclass(slots=True)
class Server:
    """A running server: its address, the process to stop, and whether it outlives its block."""

    access: Access
    process_id: int
    keep: bool = False

    @property
    def bolt_uri(self) -> str:
        return f"bolt://127.0.0.1:{self.access.bolt_port}"

    @property
    def stop_command(self) -> str:
        """The command that stops a server that was kept."""
        return f"kill {self.process_id}"


@contextlib.contextmanager
def serve(
    home: Neo4jHome, directory: Path, access: Access = OPEN, *, heap: int = SMALLEST_HEAP, database: str = "neo4j"
) -> Iterator[Server]:
    """A Community server on the store in `directory/data`, with at most `heap` bytes for Java objects. Ports in use are
    replaced by free ones; a store without a password gets that of `access`.

    The block starts once the server answers. Afterwards, also on an error or an interrupt, the server is stopped and
    waited for; if this process is killed, the server stops too. If the block sets `keep` and succeeds, the server keeps
    running. Raises `RunError` if it does not start.
    """
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        available = (access if attempt == 1 else access.with_any_ports()).with_free_ports()
        conf = configure(directory, available, database=database)
        watch, process_id = _start(home, conf, heap)
        server = Server(available, process_id)
        try:
            if not _answers(server):
                output = _console(conf).read_text(encoding="utf-8", errors="replace")
                if "already in use" in output and attempt < _PORT_ATTEMPTS:
                    continue
                raise RunError(f"Neo4j {home.version} did not start{_cause(output)}; its whole log is {_console(conf)}")
            yield server
            if server.keep:
                watch.communicate(b"keep\n")
            return
        finally:
            _stop(watch)


def _console(conf: Path) -> Path:
    return conf.parent / "logs" / "console.log"


def _cause(output: str) -> str:
    """What a server's output says at its end about why it did not start: the last cause, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not _STACK.match(line)]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return f": {visible((causes or lines)[-1])}" if lines else ""


def _start(home: Neo4jHome, conf: Path, heap: int) -> tuple[subprocess.Popen[bytes], int]:
    """Starts the server and its watch in their own process group; returns the watch and the server's process id.

    Does not use `neo4j console`, an extra Java that takes a third of the CPU time until the server answers (measured:
    14 seconds with it, 9 without).
    """
    java = [str(home.java_home / "bin" / "java"), f"-Xmx{heap >> 20}m", *ENGLISH, *ADD_OPENS]
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
    """Waits until the server answers a query; false if it ended instead or took too long."""
    deadline = time.monotonic() + _START_SECONDS
    with neo4j.GraphDatabase.driver(server.bolt_uri, auth=server.access.login) as driver:
        while time.monotonic() < deadline and _runs(server.process_id):
            with contextlib.suppress(DriverError, Neo4jError):
                try:
                    driver.verify_connectivity()
                except AuthError:
                    with contextlib.suppress(AuthError):  # its user has set another password, but it answers
                        _set_password(server)
                if server.access.http_port is None or _serves_http(server.access.http_port):
                    return True
            time.sleep(_POLL_SECONDS)
    return False


def _serves_http(port: int) -> bool:
    """Whether HTTP is available: it starts after Bolt."""
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        with contextlib.suppress(OSError, HTTPException):
            connection.request("GET", "/", headers={"Accept": "application/json"})
            return connection.getresponse().status == HTTPStatus.OK
        return False


def _set_password(server: Server) -> None:
    """Gives a new store its password; Neo4j's initial one only allows changing it."""
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


def _stop(watch: subprocess.Popen[bytes]) -> None:
    """Closes the watch's pipe, upon which it stops the server unless told to keep it, and ensures that nothing is
    left."""
    if watch.poll() is not None:
        return
    try:
        watch.communicate(timeout=_STOP_SECONDS)
    except BaseException:  # even a second interrupt: no server may be left behind
        os.killpg(watch.pid, signal.SIGKILL)
        watch.wait()
        raise

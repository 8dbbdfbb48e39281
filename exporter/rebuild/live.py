"""The live Neo4j: whether it is running and answers, and how it is stopped and started."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from exporter.errors import RunError, Stop, UsageError
from exporter.rebuild.store import StorePaths
from exporter.secrecy import without_secrets
from exporter.settings import RebuildSettings
from exporter.store.bolt import error_code, login_refusal
from exporter.store.provision import Neo4jHome

CONNECT_SECONDS = 5
POLL_SECONDS = 0.1
USER_FROM = "rebuild.user (or NEO4J_USERNAME)"


@dataclass(frozen=True, slots=True)
class Live:
    """A Neo4j that serves a database: its directories, and how to reach, stop and start it; `timeout` is in seconds."""

    home: Neo4jHome
    conf: Path
    data: Path
    store: StorePaths
    database: str
    bolt: str
    user: str | None
    password: str | None
    stop_command: str
    start_command: str
    timeout: int

    def runs(self) -> bool:
        """Whether a Neo4j is running on the data directory, judged by the lock it holds there."""
        try:
            with self.locked():
                return False
        except RunError:
            return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps any Neo4j from starting on the data directory while the block runs, by holding Neo4j's lock. Raises
        `RunError` if one is running."""
        with (self.store.database.parent / "store_lock").open("ab") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(f"Neo4j is running on {self.data}: it was restarted") from None
            yield

    def check(self) -> bool:
        """Whether it is running. If so it must answer, or nobody could tell whether a swap succeeded. Raises
        `UsageError` if it refuses the user, `RunError` if it does not answer."""
        if not self.runs():
            return False
        try:
            self.ping()
        except (DriverError, Neo4jError) as error:
            if refusal := login_refusal(error, user_from=USER_FROM):
                raise UsageError(refusal) from None
            raise RunError(
                f"Neo4j is running on {self.data}, but its database {self.database} does not answer at the address of"
                f" rebuild.bolt ({error_code(error)}): correct that, or stop Neo4j if it is broken"
            ) from None
        return True

    def ping(self) -> None:
        """Runs a small query. Raises what the driver raises."""
        ping(self.bolt, self.database, user=self.user, password=self.password)

    def stop(self, log: Path) -> None:
        """Runs the stop command and waits until no Neo4j is running on the data directory. Raises `RunError` if one
        still is after `timeout`. An interrupt waits for the command, which could otherwise stop what is started
        next."""
        deadline = time.monotonic() + self.timeout
        code = self.wait_for_stop_command(log)
        while self.runs():
            if code:
                raise RunError(f"the stop command ended with exit code {code}; its output is in {log}")
            if time.monotonic() > deadline:
                raise RunError(
                    f"the stop command has ended, but Neo4j is still running on {self.data} after {self.timeout} s"
                )
            time.sleep(POLL_SECONDS)

    def wait_for_stop_command(self, log: Path) -> int:
        """Runs the stop command; returns its exit code. Raises `RunError` if it takes longer than `timeout`."""
        command = self.run(self.stop_command, log)
        try:
            return command.wait(self.timeout)
        except subprocess.TimeoutExpired:
            with suppress(PermissionError, ProcessLookupError):  # another user's process, through sudo
                os.killpg(command.pid, signal.SIGKILL)
            raise RunError(f"the stop command took longer than {self.timeout} s; its output is in {log}") from None
        except Stop:
            with suppress(subprocess.TimeoutExpired):
                command.wait(self.timeout)
            raise

    def wait_until_stopped(self) -> None:
        """Waits until no Neo4j is running, at most `timeout`: one that was told to stop may take a while, and until
        then would answer, or keep another one from starting."""
        deadline = time.monotonic() + self.timeout
        while self.runs() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def start(self, log: Path) -> None:
        """Runs the start command and waits until the database answers; a Neo4j that is already running is fine. Raises
        `RunError` if there is no answer after `timeout`, or if the command failed and no Neo4j is running."""
        deadline = time.monotonic() + self.timeout
        command = self.run(self.start_command, log)
        code = "no answer"
        while time.monotonic() < deadline:
            try:
                self.ping()
            except (DriverError, Neo4jError) as error:
                if login_refusal(error):
                    return  # that is an answer, too
                code = error_code(error)
            else:
                return
            # Only now, since trying the lock could disturb a Neo4j that is starting.
            if command.poll() and not self.runs():
                raise RunError(f"the start command ended with exit code {command.returncode}; its output is in {log}")
            time.sleep(POLL_SECONDS)
        raise RunError(
            f"Neo4j did not answer within {self.timeout} s of the start command ({code}); its output is in {log}"
        )

    def run(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        """Starts a command in its own session, which a ^C on the terminal does not reach; its output goes to a file,
        since a server may keep it open."""
        variables = without_secrets() | {"NEO4J_HOME": str(self.home.home), "NEO4J_CONF": str(self.conf)}
        with output_file(log) as file:
            return subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )


@contextmanager
def output_file(path: Path) -> Iterator[int]:
    """A descriptor of a new file (0600) for what a command says. Where that cannot be made, as on a full disk, what it
    says is lost: the graph is what matters."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        yield subprocess.DEVNULL
        return
    try:
        yield descriptor
    finally:
        with suppress(OSError):  # it is closed whatever the system says of it
            os.close(descriptor)


def login(settings: RebuildSettings) -> tuple[str | None, str | None]:
    """The user, who is `neo4j` if there is only a password, and the password; none for a Neo4j without users."""
    password = os.environ.get("NEO4J_PASSWORD")
    return settings.user or ("neo4j" if password else None), password


def ping(bolt: str, database: str, *, user: str | None, password: str | None) -> None:
    """Runs a small query in a database. Raises what the driver raises."""
    with neo4j.GraphDatabase.driver(
        bolt,
        auth=(user, password or "") if user else None,
        connection_timeout=CONNECT_SECONDS,
        connection_acquisition_timeout=CONNECT_SECONDS,
        max_transaction_retry_time=0,
    ) as driver:
        driver.execute_query("RETURN 1", database_=database)


def fault(settings: RebuildSettings) -> str:
    """Why the live database does not answer this user; empty if it does."""
    user, password = login(settings)
    try:
        ping(settings.bolt, settings.database, user=user, password=password)
    except (DriverError, Neo4jError) as error:
        unavailable = f"does not answer at the address of rebuild.bolt ({error_code(error)})"
        return login_refusal(error, user_from=USER_FROM) or unavailable
    return ""

"""The live Neo4j: where its store is, whether it runs, its stop and its start, and whether it answers."""

import fcntl
import os
import pwd
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import neo4j
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from exporter.errors import Interrupted, RunError, UsageError
from exporter.rebuild.stores import Place
from exporter.settings import RebuildSettings
from exporter.store.provision import Neo4jHome, installed
from exporter.store.server import without_secrets

PACKAGED_CONF = Path("/etc/neo4j")
CONNECT_SECONDS = 5
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Live:
    """A Neo4j that serves a database, and how to reach, stop and start it; `timeout` is in seconds."""

    home: Neo4jHome
    conf: Path
    data: Path
    store: Place
    database: str
    bolt: str
    user: str | None
    password: str | None
    stop_command: str
    start_command: str
    timeout: int

    def runs(self) -> bool:
        """Whether a Neo4j runs on the data directory, by the lock it holds there."""
        try:
            with self.held():
                return False
        except RunError:
            return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps every Neo4j from starting on the data directory while the block runs, by its own lock. Raises
        `RunError` when one runs."""
        with (self.store.database.parent / "store_lock").open("ab") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(f"Neo4j runs on {self.data}: somebody started it again") from None
            yield

    def check(self) -> bool:
        """Whether it runs; then it must answer, since afterwards it will be asked whether it does. Raises `UsageError`
        where it refuses the user, `RunError` where it does not answer."""
        if not self.runs():
            return False
        try:
            self.ask()
        except AuthError:
            raise UsageError("Neo4j refused the user or the password: see rebuild.user and NEO4J_PASSWORD") from None
        except (DriverError, Neo4jError) as error:
            raise RunError(
                f"Neo4j runs on {self.data}, but its database {self.database} does not answer at the address of"
                f" rebuild.bolt ({reason(error)}): correct that, or stop Neo4j if it is broken"
            ) from None
        return True

    def ask(self) -> None:
        """One small query. Raises what the driver raises."""
        with neo4j.GraphDatabase.driver(
            self.bolt,
            auth=(self.user, self.password or "") if self.user else None,
            connection_timeout=CONNECT_SECONDS,
            connection_acquisition_timeout=CONNECT_SECONDS,
            max_transaction_retry_time=0,
        ) as driver:
            driver.execute_query("RETURN 1", database_=self.database)

    def stop(self, log: Path) -> None:
        """Runs the stop command and waits until no Neo4j runs on the data directory. Raises `RunError` when one does
        after `timeout`. An interrupt waits for the command, so that it does not stop what is started next."""
        deadline = time.monotonic() + self.timeout
        command = self.run(self.stop_command, log)
        try:
            code = command.wait(self.timeout)
        except subprocess.TimeoutExpired:
            with suppress(PermissionError, ProcessLookupError):  # another user's, by way of sudo
                os.killpg(command.pid, signal.SIGKILL)
            raise RunError(f"the stop command took longer than {self.timeout} s; what it said is in {log}") from None
        except Interrupted:
            with suppress(subprocess.TimeoutExpired):
                command.wait(self.timeout)
            raise
        while self.runs():
            if code:
                raise RunError(f"the stop command ended with exit code {code}; what it said is in {log}")
            if time.monotonic() > deadline:
                raise RunError(
                    f"the stop command has ended, but Neo4j still runs on {self.data} after {self.timeout} s"
                )
            time.sleep(LOOK_SECONDS)

    def settle(self) -> None:
        """Waits until no Neo4j runs, `timeout` at the most: one that was told to stop may still be on its way, and
        would answer, or hold off another start, for a while."""
        deadline = time.monotonic() + self.timeout
        while self.runs() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def start(self, log: Path) -> None:
        """Runs the start command and waits until the database answers; a Neo4j that runs already is all right. Raises
        `RunError` when there is no answer after `timeout`, or when the command failed and none runs."""
        deadline = time.monotonic() + self.timeout
        command = self.run(self.start_command, log)
        why = "nobody listens"
        while time.monotonic() < deadline:
            try:
                self.ask()
            except AuthError:
                return  # an answer, too
            except (DriverError, Neo4jError) as error:
                why = reason(error)
            else:
                return
            # Whether one runs is only looked at here: a look at its lock could disturb one that starts.
            if command.poll() and not self.runs():
                raise RunError(f"the start command ended with exit code {command.returncode}; what it said is in {log}")
            time.sleep(LOOK_SECONDS)
        raise RunError(
            f"Neo4j did not answer within {self.timeout} s of the start command ({why}); what that said is in {log}"
        )

    def run(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        """Starts a command in a session of its own, so that a ^C on the terminal is not for it; what it says goes to a
        file, since a server may keep it open."""
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        variables = without_secrets() | {"NEO4J_HOME": str(self.home.home), "NEO4J_CONF": str(self.conf)}
        with log.open("wb") as file:
            return subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )


def reason(error: Exception) -> str:
    """A code: the server's own sentence may quote the graph, the driver's the address."""
    return (error.code if isinstance(error, Neo4jError) else None) or type(error).__name__


def find_live(settings: RebuildSettings) -> Live:
    """The Neo4j that the settings name. Raises `UsageError` where there is none, or where it is not for this user."""
    if not settings.neo4j_home:
        raise UsageError("which Neo4j? Set NEO4J_HOME, or neo4j_home in the table [rebuild] of the settings file")
    if settings.user and "NEO4J_PASSWORD" not in os.environ:
        raise UsageError("rebuild.user needs its password in NEO4J_PASSWORD")
    home = installed(settings.neo4j_home.absolute())
    conf = (settings.neo4j_conf or default_conf(home.home)).absolute()
    configured = read_conf(conf / "neo4j.conf")
    data = home.home / configured.get("server.directories.data", "data")
    transactions = home.home / configured.get("server.directories.transaction.logs.root", data / "transactions")
    check_user(data)
    program = home.home / "bin" / "neo4j"
    if not (settings.stop and settings.start) and not program.exists():
        raise UsageError(
            f"there is no {program}: set rebuild.stop and rebuild.start to commands that stop and start Neo4j"
        )
    return Live(
        home=home,
        conf=conf,
        data=data,
        store=Place(data / "databases" / settings.database, transactions / settings.database),
        database=settings.database,
        bolt=settings.bolt,
        user=settings.user,
        password=os.environ.get("NEO4J_PASSWORD"),
        stop_command=settings.stop or f"{shlex.quote(str(program))} stop",
        start_command=settings.start or f"{shlex.quote(str(program))} start",
        timeout=settings.neo4j_timeout,
    )


def default_conf(home: Path) -> Path:
    """Where a Neo4j is configured: the Debian and RPM packages keep that apart."""
    own = home / "conf"
    return PACKAGED_CONF if not own.exists() and (PACKAGED_CONF / "neo4j.conf").exists() else own


def read_conf(file: Path) -> dict[str, str]:
    """The settings of a neo4j.conf; the last of two of one name counts."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot read {file} ({error.strerror}): set NEO4J_CONF to the directory of neo4j.conf"
        ) from None
    return dict(re.findall(r"^[ \t]*([\w.]+)[ \t]*=[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


def check_user(data: Path) -> None:
    """Raises `UsageError` unless this is the user that Neo4j runs as: a store of another one would keep it from
    starting, and root is no exception."""
    place = data / "databases" if (data / "databases").exists() else data
    try:
        owner = place.stat().st_uid
    except OSError as error:
        raise UsageError(
            f"there is no data directory {data} ({error.strerror}): is this the right neo4j_home?"
        ) from None
    if owner != os.geteuid():
        name, me = (user_name(number) for number in (owner, os.geteuid()))
        raise UsageError(f"{place} belongs to {name}, and this runs as {me}: run it as {name} (sudo -u {name} ...)")


def user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"

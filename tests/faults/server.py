"""The server suite: sessions that are ended, cancelled, killed or frozen, a server that stops or has no room, locks,
migrations and settings, each at a random message of the server."""

import errno
import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil
import psycopg

from exporter.errors import RunError
from exporter.sample.postgres import embedded_postgres
from tests.faults.attempt import Attempt
from tests.faults.events import SERVER, TIMEOUTS, Event, events, postmaster
from tests.faults.frame import Fault, Inject, differences, under
from tests.faults.ground import ROLE, Ground, filled, fingerprint, reference_of
from tests.faults.network import DEADLINE, recorded
from tests.faults.nth_failure import Failure, Preloaded, compiled
from tests.faults.records import Suite
from tests.faults.wire import Link, Moment, Wire, wire
from tests.support.export_process import eventually
from tests.support.stalling_source import execute

NAME = "server"
OPTIONS = ["--stall-timeout", "5s", "--lock-timeout", "2s", "--max-duration", "90s"]
# Whoever holds all of them keeps the exporter out.
MAX_CONNECTIONS = 20
# It may have much to recover from, on a machine with other things to do.
STARTING_SECONDS = 300
# The wheel's servers share a lock that threads do not heed.
STARTING = threading.Lock()


class Server:
    """A server of the suite's own, which may be stopped, and started again, and whose disk may be full: `disk` is a
    library that it has preloaded."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.disk = Preloaded(compiled(directory.parent), directory.parent / "disk")
        (directory.parent / "disk").chmod(0o666)  # the server may run as another user
        self.uri = self.start()

    def start(self) -> str:
        """Starts it; returns its URI."""
        with STARTING:
            os.environ.update(self.disk.environment)
            try:
                self.running = embedded_postgres(self.directory)
                return self.running.__enter__()
            finally:
                for name in self.disk.environment:
                    del os.environ[name]

    def stop(self) -> None:
        """Stops it, if it runs; there is room on its disk. One whose disk was full may not be able to stop."""
        if self.disk.reached:
            with suppress(OSError, psutil.NoSuchProcess):
                whole = psutil.Process(postmaster(self.directory))
                for process in (*whole.children(), whole):
                    process.kill()
        self.disk.arm(self.directory, Failure())
        with STARTING:
            self.running.__exit__(None, None, None)

    def fill_disk(self, below: str) -> Callable[[], bool]:
        """From now on, no write below a directory of the server succeeds. What is returned tells whether one has been
        tried; if none has, there is room again."""
        self.disk.arm(self.directory / below, Failure("write", 1, errno.ENOSPC, sticky=True))

        def met() -> bool:
            if not self.disk.reached:
                self.disk.disarm()
            return bool(self.disk.reached)

        return met

    def restart(self) -> None:
        """Starts it again, once the processes of one that was killed have ended."""
        self.stop()
        eventually(self.starts, "the server's start", timeout=STARTING_SECONDS)

    def starts(self) -> bool:
        """Whether it can be started."""
        try:
            self.start()
        except (RunError, psycopg.OperationalError):
            return False
        return True


@contextmanager
def server_ground(prepare: Callable[[Ground], None] = lambda _: None) -> Iterator[Ground]:
    """A ground on a server of its own with few connection slots, of which `prepare` makes something else."""
    with TemporaryDirectory(prefix="faults-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        server = Server(Path(name, SERVER))
        execute(
            server.uri, f"alter system set max_connections = {MAX_CONNECTIONS}", "alter system set work_mem = '64kB'"
        )
        # The oracle's own sessions stay.
        execute(server.uri, *(f"alter role current_user set {name} = 0" for name in TIMEOUTS))
        server.restart()
        ground = filled(server.uri, Path(name))
        prepare(ground)
        database = urlsplit(ground.admin).path.lstrip("/")
        execute(server.uri, f"create database {database}_kept template {database} strategy file_copy")

        def restore() -> None:
            server.restart()
            execute(
                server.uri,
                f"alter role {ROLE} login",
                f"drop database if exists {database} with (force)",
                f"create database {database} template {database}_kept strategy file_copy",
            )

        ground.revive, ground.restore, ground.fill_disk = server.restart, restore, server.fill_disk
        try:
            yield ground
        finally:
            server.stop()


def suite() -> Suite:
    return Suite(NAME, server_ground, faults)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Round after round of all events, each at a random moment of the leader's or a reader's connection."""
    return rounds(NAME, ground, seed, events, at)


def rounds(
    suite: str,
    ground: Ground,
    seed: int,
    events: Callable[[random.Random], Iterable[tuple[str, Event]]],
    at: Callable[[Moment, Event], Inject],
) -> Iterator[Fault]:
    """The faults of a suite: all events, each at a random moment, and so on."""
    chance = random.Random(seed)
    links = recorded(ground)
    for _ in range(100):
        every = list(events(chance))
        chance.shuffle(every)
        for name, event in every:
            link = chance.choice(links)
            moment = Moment(link.number, chance.randrange(len(link.messages)))
            where = f"{link.whose}'s connection {moment.connection}, message {moment.message}"
            run = under(at(moment, event), deadline=DEADLINE, judge_whole=as_before_or_after)
            yield Fault(suite, f"{name}: {where}", seed, run)


def at(moment: Moment, event: Event, then: Callable[[Attempt, str], str] = lambda _, uri: uri) -> Inject:
    """The injection of an event at a moment. `then` has what the run asks beside the server, in its URI."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        def happening(_: Wire, __: Link) -> None:
            with suppress(psycopg.Error):  # what it asks for may be impossible by now
                event(attempt)

        with wire(attempt.uri, moment, happening) as proxy:
            proxy.happened = attempt.injected
            attempt.uri = then(attempt, proxy.uri)
            attempt.options += [*OPTIONS, "--workers", "1"]
            yield
        if attempt.injected.is_set():
            attempt.ground.restore()

    return inject


def as_before_or_after(ground: Ground, export: Path) -> str:
    """What is wrong with an export that a change of the source may precede: it equals one from before or after it."""
    wrong = differences(ground, export)
    if not wrong.startswith("not as in"):
        return wrong
    return "" if fingerprint(export) == reference_of(ground) else wrong

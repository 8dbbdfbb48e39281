"""The suite of standbys: exports from a hot standby while it is promoted, stopped, falls behind or conflicts with its
primary, which is the next server that the source's URI names."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from tests.faults.attempt import Attempt
from tests.faults.events import SERVER, Event, postmaster, signal_to
from tests.faults.frame import Fault, Inject
from tests.faults.ground import Ground, as_reader, filled, reference_of
from tests.faults.records import Suite
from tests.faults.server import Server, rounds
from tests.faults.server import at as at_server
from tests.faults.wire import Moment
from tests.support.stalling_source import execute
from tests.support.standby import base_backup

NAME = "standby"
TABLE = "marketing.leads"
AT_ONCE = "alter system set max_standby_streaming_delay = 0"


class Pair:
    """A primary, its hot standby, and a copy of the source's database on both."""

    def __init__(self, directory: Path) -> None:
        for name in ("primary", "standby"):
            (directory / name).mkdir()
            (directory / name).chmod(0o755)
        self.primary = Server(directory / "primary" / SERVER)
        self.ground = filled(self.primary.uri, directory / "standby")
        self.database = urlsplit(self.ground.admin).path.lstrip("/")
        execute(self.primary.uri, f"create database {self.database}_kept template {self.database} strategy file_copy")
        self.follow()
        self.standby = Server(directory / "standby" / SERVER)
        self.ground.admin = urlsplit(self.ground.admin)._replace(query=urlsplit(self.standby.uri).query).geturl()
        self.ground.uri = as_reader(self.ground.admin)
        self.ground.log = directory / "standby" / SERVER / "log"
        self.prepare()
        self.ground.reference = reference_of(self.ground)
        self.ground.restore = self.restore

    @property
    def primary_admin(self) -> str:
        """The URI of the source's database on the primary."""
        return urlsplit(self.primary.uri)._replace(path=f"/{self.database}").geturl()

    def follow(self) -> None:
        """Makes the standby's data anew."""
        directory = self.ground.directory / SERVER
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        base_backup(self.primary.uri, directory, self.primary.directory.stat().st_uid)

    def prepare(self) -> None:
        """Queries of the standby that conflict with its primary are cancelled at once."""
        execute(self.standby.uri, AT_ONCE, "select pg_reload_conf()")

    def restore(self) -> None:
        """Primary and standby run again, with the source as it was."""
        self.primary.restart()
        execute(
            self.primary.uri,
            f"drop database if exists {self.database} with (force)",
            f"create database {self.database} template {self.database}_kept strategy file_copy",
        )
        self.standby.stop()
        self.follow()
        self.standby.restart()
        self.prepare()


PAIRS: dict[str, Pair] = {}


@contextmanager
def standby_ground() -> Iterator[Ground]:
    """A ground whose source is a hot standby."""
    with TemporaryDirectory(prefix="faults-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        pair = Pair(Path(name))
        PAIRS[pair.ground.uri] = pair
        try:
            yield pair.ground
        finally:
            pair.standby.stop()
            pair.primary.stop()


def suite() -> Suite:
    return Suite(NAME, standby_ground, faults)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Round after round of all events, each at a random moment of the leader's or a reader's connection."""
    return rounds(NAME, ground, seed, lambda _: EVENTS.items(), at)


def on_the_primary(*statements: str) -> Event:
    """Statements on the primary, whose effect the standby has to replay."""
    return lambda attempt: execute(PAIRS[attempt.ground.uri].primary_admin, *statements)


def of_the_primary(statement: str) -> Event:
    """A statement about the source's database, on the primary."""

    def event(attempt: Attempt) -> None:
        pair = PAIRS[attempt.ground.uri]
        execute(pair.primary.uri, statement.format(database=pair.database))

    return event


def on_the_standby(statement: str) -> Event:
    """A statement on the standby."""
    return lambda attempt: execute(PAIRS[attempt.ground.uri].standby.uri, statement)


def to_the_primary(number: signal.Signals) -> Event:
    """A signal to the primary."""
    return lambda attempt: signal_to(attempt, postmaster(PAIRS[attempt.ground.uri].primary.directory), number)


def to_the_standby(number: signal.Signals) -> Event:
    """A signal to the standby."""
    return lambda attempt: signal_to(attempt, postmaster(PAIRS[attempt.ground.uri].standby.directory), number)


def restart(attempt: Attempt) -> None:
    """The standby is started again."""
    to_the_standby(signal.SIGINT)(attempt)
    PAIRS[attempt.ground.uri].standby.restart()


def switch_over(attempt: Attempt) -> None:
    """The primary is gone, the standby takes its place."""
    to_the_primary(signal.SIGQUIT)(attempt)
    on_the_standby("select pg_promote()")(attempt)


EVENTS: dict[str, Event] = {
    "promotion": on_the_standby("select pg_promote()"),
    "switch-over": switch_over,
    "fast stop of the primary": to_the_primary(signal.SIGINT),
    "kill -9 of the primary": to_the_primary(signal.SIGKILL),
    "fast stop of the standby": to_the_standby(signal.SIGINT),
    "immediate stop of the standby": to_the_standby(signal.SIGQUIT),
    "kill -9 of the standby": to_the_standby(signal.SIGKILL),
    "freeze of the standby": to_the_standby(signal.SIGSTOP),
    "restart of the standby": restart,
    "pause of the replay": on_the_standby("select pg_wal_replay_pause()"),
    "end of the replication": on_the_primary("select pg_terminate_backend(pid) from pg_stat_replication"),
    "vacuum of rows": on_the_primary(f"update {TABLE} set status = status", f"vacuum {TABLE}"),
    "vacuum full": on_the_primary(f"vacuum full {TABLE}"),
    "lock of a table": on_the_primary(f"begin; lock table {TABLE} in access exclusive mode; commit"),
    "truncate": on_the_primary(f"truncate {TABLE}"),
    "drop of a table": on_the_primary(f"drop table {TABLE}"),
    "new column": on_the_primary(f"alter table {TABLE} add column brand_new text default 'x'"),
    "drop of the database": of_the_primary("drop database {database} with (force)"),
}


def at(moment: Moment, event: Event) -> Inject:
    """The injection of an event at a moment of a run that asks the primary, too."""
    return at_server(moment, event, lambda attempt, uri: followed_by(uri, PAIRS[attempt.ground.uri].primary.uri))


def followed_by(uri: str, other: str) -> str:
    """A URI of two servers: the second one is asked when the first does not answer."""
    parts = urlsplit(uri)
    user, _, address = parts.netloc.rpartition("@")
    host, _, port = address.rpartition(":")
    socket = parse_qs(urlsplit(other).query)["host"][0]
    query = f"host={host},{socket}&port={port},5432" + (f"&{parts.query}" if parts.query else "")
    return parts._replace(netloc=f"{user}@", query=query).geturl()

"""The network suite for encrypted connections: what happens within the handshake, and after it."""

import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.frame import Fault, under
from tests.faults.ground import Ground, filled, reference_of
from tests.faults.happenings import HAPPENINGS
from tests.faults.network import DEADLINE, at, recorded
from tests.faults.records import Suite
from tests.faults.wire import Link, Moment
from tests.support.installed_postgres import programs, tls_server

NAME = "tls"
# The handshake's bytes from the server are fewer, with the certificate that the tests make.
HANDSHAKE = 2500
OF_EACH_CONNECTION = 20


def suite() -> Suite:
    return Suite(NAME, tls_ground, faults)


@contextmanager
def tls_ground() -> Iterator[Ground]:
    """A ground on a server of the system's packages, which is reached by TLS with a verified certificate."""
    installed = programs()
    if installed is None:
        sys.exit("scripts/faults.sh: the suite tls needs a PostgreSQL server of the system's packages, and openssl")
    with TemporaryDirectory(prefix="faults-") as name, tls_server(installed) as (port, directory):
        home = Path(name, "home")
        (home / ".postgresql").mkdir(parents=True)
        shutil.copy2(directory / "ca.crt", home / ".postgresql" / "root.crt")
        ground = filled(f"postgresql://postgres@localhost:{port}/postgres?host={directory}", Path(name))
        ground.uri = ground.uri.partition("?")[0] + "?sslmode=verify-full"
        ground.environment["HOME"] = str(home)
        ground.reference = reference_of(ground)
        yield ground


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Everything that may happen on every connection, in random order."""
    for what, moment in happenings(recorded(ground), random.Random(seed)):
        yield Fault(NAME, name_of(what, moment), seed, under(at(moment, what, "1"), deadline=DEADLINE))


def name_of(what: str, moment: Moment) -> str:
    """What happens where, of an encrypted connection."""
    return f"{what}: connection {moment.connection}, byte {moment.byte if moment.message else -1}"


def happenings(links: list[Link], chance: random.Random) -> list[tuple[str, Moment]]:
    """What may happen on encrypted connections: instead of the answer to the request for encryption, at random bytes of
    the handshake, and at random bytes of what follows; in random order."""
    every = []
    for link in links:
        for what in HAPPENINGS:
            moments = [Moment(link.number, 0)]
            for number in range(OF_EACH_CONNECTION):
                most = link.messages[-1] if number % 2 else min(HANDSHAKE, link.messages[-1])
                moments.append(Moment(link.number, 1, chance.randrange(most)))
            every += [(what, moment) for moment in moments]
    chance.shuffle(every)
    return every

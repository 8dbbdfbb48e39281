"""What happens on the network of a cluster: between its workers and the source, and between leader and scheduler."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.attempt import Attempt
from tests.faults.dask_ground import CLUSTERS, SCHEDULER, SETTING, whole
from tests.faults.frame import Fault, Inject, under
from tests.faults.ground import Ground
from tests.faults.happenings import HAPPENINGS
from tests.faults.network import DEADLINE
from tests.faults.wire import Link, Moment, Wire, served

OPTIONS = ["--stall-timeout", "10s", "--max-duration", "120s"]
# What happens between leader and scheduler, at so many bytes.
TO_THE_SCHEDULER, BYTES = ("FIN", "RST", "stall"), 50


def of_readers(suite: str, ground: Ground, seed: int) -> Iterator[Fault]:
    """What happens on the workers' connections with the source, at messages of a recorded run. In the first of them a
    worker shows that it has the leader's source: what is wrong with it then is a matter of the cluster's usage."""
    chance = random.Random(seed)
    moments = [Moment(link.number, message) for link in whole_links(ground) for message in range(len(link.messages))]
    every = [(what, moment) for what in HAPPENINGS for moment in moments]
    chance.shuffle(every)
    for what, moment in every:
        run = under(on_readers(what, moment), codes=(2, 3, 4), deadline=DEADLINE)
        yield Fault(suite, f"{what}: connection {moment.connection}, message {moment.message}", seed, run)


def whole_links(ground: Ground) -> list[Link]:
    """The workers' connections with the source in an undisturbed run."""
    links: list[Link] = []

    @contextmanager
    def record(attempt: Attempt) -> Iterator[None]:
        readers = CLUSTERS[attempt.ground.directory].readers
        readers.arm(None, None, attempt.injected)
        yield
        links.extend(readers.links)

    whole(ground, record)
    return links


def on_readers(what: str, moment: Moment) -> Inject:
    """The injection of something that happens on the workers' connections."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        readers = CLUSTERS[attempt.ground.directory].readers
        readers.arm(moment, HAPPENINGS[what], attempt.injected)
        attempt.options += OPTIONS
        yield
        readers.calm()

    return inject


class SchedulerWire(Wire):
    """A proxy in front of a scheduler: what it sends on a connection counts as one message."""

    def begin(self, link: Link) -> bool:
        link.whose = SCHEDULER
        link.messages.append(0)
        return True


def of_the_scheduler(suite: str, ground: Ground, seed: int) -> Iterator[Fault]:
    """What happens between leader and scheduler, at random bytes of a recorded run."""
    chance = random.Random(seed)
    links: list[Link] = []

    @contextmanager
    def record(attempt: Attempt) -> Iterator[None]:
        with to_the_scheduler(attempt) as proxy:
            yield
            links.extend(proxy.links)

    whole(ground, record)
    every = [
        (what, Moment(link.number, 0, chance.randrange(link.messages[0])))
        for what in TO_THE_SCHEDULER
        for link in links
        if link.messages[0]
        for _ in range(BYTES)
    ]
    chance.shuffle(every)
    for what, moment in every:
        run = under(between(what, moment), codes=(4,), deadline=DEADLINE)
        yield Fault(suite, f"{what}: connection {moment.connection}, byte {moment.byte}", seed, run)


@contextmanager
def to_the_scheduler(attempt: Attempt) -> Iterator[Wire]:
    """A proxy between the leader of a run and the scheduler while the block runs."""
    address = attempt.ground.environment[SETTING]
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with served(lambda own: SchedulerWire(f"tcp://127.0.0.1:{own}", (host, int(port)))) as proxy:
        attempt.environment[SETTING] = proxy.uri
        yield proxy


def between(what: str, moment: Moment) -> Inject:
    """The injection of something that happens between leader and scheduler."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        with to_the_scheduler(attempt) as proxy:
            proxy.arm(moment, HAPPENINGS[what], attempt.injected)
            attempt.options += OPTIONS
            yield

    return inject

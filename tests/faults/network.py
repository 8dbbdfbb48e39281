"""The network suite: connections that end, stand still or crawl, at every message of the server and within them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.attempt import Attempt
from tests.faults.frame import Fault, Inject, JudgeWhole, Outcome, differences, under
from tests.faults.ground import Ground, sample_ground
from tests.faults.happenings import HAPPENINGS
from tests.faults.records import Suite
from tests.faults.wire import Link, Moment, wire

NAME = "network"
# A run on a crawling network would be whole in an hour.
OPTIONS = ["--stall-timeout", "5s", "--max-duration", "90s"]
WORKERS = ("1", "2")
# Alone a run takes two seconds; a machine may have other things to do.
DEADLINE = 180
# The messages on the leader's connection in which a session begins, and more.
OF_THE_LOGIN = 100


def suite() -> Suite:
    return Suite(NAME, sample_ground, faults)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Everything that may happen, before every message of a recorded run and at one byte within each, in random
    order."""
    chance = random.Random(seed)
    moments = [
        (link, Moment(link.number, message, byte))
        for link in recorded(ground)
        for message, size in enumerate(link.messages)
        for byte in sorted({0, chance.randrange(size) if size else 0})
    ]
    every = [(what, link, moment) for what in HAPPENINGS for link, moment in moments]
    chance.shuffle(every)
    for what, link, moment in every:
        workers = chance.choice(WORKERS)
        where = f"{link.whose}'s connection {moment.connection}, message {moment.message}, byte {moment.byte}"
        # As long as there is no session, the source cannot be reached; then the run fails on the way.
        codes = (3, 4) if link.whose != "reader" and moment.message < OF_THE_LOGIN else (4,)
        run = under(at(moment, what, workers), codes=codes, deadline=DEADLINE)
        yield Fault(NAME, f"{what}: {where}, {workers} workers", seed, run)


def recorded(ground: Ground, judge_whole: JudgeWhole = differences) -> list[Link]:
    """The connections of an undisturbed run with one worker, whose order is always the same."""
    links: list[Link] = []

    @contextmanager
    def record(attempt: Attempt) -> Iterator[None]:
        with wire(attempt.uri) as proxy:
            attempt.uri = proxy.uri
            attempt.options += ["--workers", "1"]
            yield
            links.extend(proxy.links)

    verdict = under(record, judge_whole=judge_whole)(ground, ground.attempt_directory())
    assert verdict.outcome is Outcome.WHOLE, verdict
    return links


def at(moment: Moment, what: str, workers: str) -> Inject:
    """The injection of something that happens on the network."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        with wire(attempt.uri, moment, HAPPENINGS[what]) as proxy:
            proxy.happened = attempt.injected
            attempt.uri = proxy.uri
            attempt.options += [*OPTIONS, "--workers", workers]
            yield

    return inject

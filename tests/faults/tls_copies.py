"""The suite of TLS for copies and clusters: what happens in the handshake and after it, met by windows, masked exports
and the leader and workers of a Dask cluster."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.faults import tls
from tests.faults.cluster import by_the_cluster
from tests.faults.cluster_network import on_readers, whole_links
from tests.faults.copies import KINDS, met_by
from tests.faults.dask_ground import CLUSTERS, living_cluster
from tests.faults.frame import Fault, under
from tests.faults.ground import Ground
from tests.faults.network import DEADLINE
from tests.faults.records import Suite, mixed
from tests.faults.tls import tls_ground

NAME = "tls_copies"


def suite() -> Suite:
    return Suite(NAME, tls_copies_ground, faults)


@contextmanager
def tls_copies_ground() -> Iterator[Ground]:
    """A ground that is reached by TLS, and on which a cluster waits, too."""
    with tls_ground() as ground, living_cluster(replace(ground, environment=dict(ground.environment))):
        yield ground


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """The faults of encrypted connections for every kind of copy, and for leader and workers of a cluster, in random
    order."""
    every = {kind: met_by(ground, kind, tls, seed) for kind in KINDS}
    every["leader"], every["workers"] = of_the_leader(ground, seed), of_workers(ground, seed)
    yield from (replace(fault, suite=NAME) for _, fault in mixed(every, random.Random(seed)))


def of_the_leader(ground: Ground, seed: int) -> Iterator[Fault]:
    """What happens on the connection of a cluster's leader."""
    cluster = CLUSTERS[ground.directory]
    cluster.heal()
    for fault in tls.faults(cluster.ground, seed):
        yield by_a_cluster(fault, "leader")


def of_workers(ground: Ground, seed: int) -> Iterator[Fault]:
    """What happens on the connections of a cluster's workers. What is wrong before a worker has shown that it has the
    leader's source is a matter of the cluster's usage."""
    every = tls.happenings(whole_links(CLUSTERS[ground.directory].ground), random.Random(seed))
    for what, moment in every:
        run = under(on_readers(what, moment), codes=(2, 3, 4), deadline=DEADLINE)
        yield by_a_cluster(Fault(NAME, tls.name_of(what, moment), seed, run), "workers")


def by_a_cluster(fault: Fault, whose: str) -> Fault:
    """The fault on somebody's connections, met by the cluster of whichever ground."""
    run = by_the_cluster(fault, restored=False)
    return replace(
        fault,
        name=f"a cluster's {whose}: {fault.name}",
        run=lambda ground, directory: run(CLUSTERS[ground.directory].ground, directory),
    )

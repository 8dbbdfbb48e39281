"""The leader's edge to a scheduler: what it takes for lost, and what it does not."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.errors import RunError
from exporter.pipeline.cluster import SILENT_SECONDS, Cluster
from exporter.pipeline.cluster_client import connected_client
from tests.support.dask_cluster import dask_cluster

pytestmark = pytest.mark.slow

LOST = "the connection to the scheduler was lost"


@pytest.fixture
def leader(tmp_path: Path) -> Iterator[Cluster]:
    """A leader that is connected to a scheduler, which answers."""
    with dask_cluster(tmp_path, "postgresql://nobody@localhost/nothing", {}) as scheduler:
        cluster = Cluster(connected_client(scheduler.address), None)
        cluster.answered = cluster.rolled = time.monotonic()
        yield cluster
        cluster.join()


def test_a_task_for_a_scheduler_that_is_gone(leader: Cluster) -> None:
    """The client closes itself when it has not found its scheduler again for some seconds."""
    leader.client.close()
    with pytest.raises(RunError, match=LOST):
        leader.submit(time.monotonic)


def test_a_silent_scheduler(leader: Cluster) -> None:
    """It is lost if it is silent while the leader looks, not if the leader itself stood still, as after ^Z."""
    leader.check_roll()
    leader.answered = leader.rolled = time.monotonic() - SILENT_SECONDS - 1
    leader.check_roll()
    leader.check_roll()
    leader.answered = time.monotonic() - SILENT_SECONDS - 1
    with pytest.raises(RunError, match=LOST):
        leader.check_roll()

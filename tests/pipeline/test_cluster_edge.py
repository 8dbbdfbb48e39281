"""The leader's edge to a scheduler: what it takes for lost, and what it does not."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.errors import RunError
from exporter.interrupts import start_thread
from exporter.pipeline.cluster import SILENT_SECONDS, Cluster
from exporter.pipeline.cluster_client import connected_client, present_workers
from exporter.pipeline.cluster_preflight import Member
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.export_process import eventually

pytestmark = pytest.mark.slow

LOST = "the connection to the scheduler was lost"


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[DaskCluster]:
    """A scheduler without workers."""
    with dask_cluster(tmp_path, "postgresql://nobody@localhost/nothing", {}) as scheduler:
        yield scheduler


@pytest.fixture
def leader(scheduler: DaskCluster) -> Iterator[Cluster]:
    """A leader that is connected to a scheduler, which answers."""
    cluster = Cluster(connected_client(scheduler.address), None)
    cluster.answered = cluster.rolled = time.monotonic()
    yield cluster
    cluster.join()


def test_a_task_for_a_scheduler_that_is_gone(leader: Cluster) -> None:
    """The client closes itself when it has not found its scheduler again for some seconds."""
    leader.client.close()
    with pytest.raises(RunError, match=LOST):
        leader.submit(time.monotonic)


def test_a_question_for_a_scheduler_that_is_gone(scheduler: DaskCluster, leader: Cluster) -> None:
    """Before the run has begun. What it does answer, but not as it should, is its own fault."""
    with pytest.raises(RunError, match=r"the cluster refused the run \(ValueError\)"):
        leader.asked(lambda: leader.client.unregister_worker_plugin("exporter-unknown"))
    scheduler.end("scheduler")
    with pytest.raises(RunError, match=LOST):
        leader.asked(lambda: present_workers(leader.client))


def test_no_worker_left(leader: Cluster) -> None:
    """The scheduler is there, and knows none of those that took part."""
    leader.members = [Member("tcp://127.0.0.1:1", "one", "a machine", "0a1b2c3d", 0.0)]
    leader.present = frozenset(member.address for member in leader.members)
    leader.check_roll()
    start_thread(leader.call_the_roll)
    eventually(lambda: not leader.present, "the roll")
    with pytest.raises(RunError, match="every worker of the cluster is gone"):
        leader.check_roll()


def test_a_silent_scheduler(leader: Cluster) -> None:
    """It is lost if it is silent while the leader looks, not if the leader itself stood still, as after ^Z."""
    leader.check_roll()
    leader.answered = leader.rolled = time.monotonic() - SILENT_SECONDS - 1
    leader.check_roll()
    leader.check_roll()
    leader.answered = time.monotonic() - SILENT_SECONDS - 1
    with pytest.raises(RunError, match=LOST):
        leader.check_roll()

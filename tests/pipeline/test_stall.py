"""A network that hangs ends the run within --stall-timeout; a slow one does not, nor does a server that computes."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.proxy import Hold, Link, far_away
from tests.support.export_process import running
from tests.support.stalling_source import STALLING, copied, execute, stalled

pytestmark = pytest.mark.slow

STALLED = (
    r"(the read of .* made no progress for 4 seconds: .*|the source did not answer the leader for 4 seconds"
    r"|the source made no progress for 4 seconds \(while .*\): .*)"
)
TIMEOUT = ("--stall-timeout", "5s")


def is_reader(link: Link) -> bool:
    """Whether a connection is a reader's."""
    return b"reader" in link.startup


def one_reader(after: int) -> Hold:
    """Holds the first reader that has got this many bytes."""
    first: list[Link] = []

    def hold(link: Link) -> float:
        if is_reader(link) and link.answered >= after and not first:
            first.append(link)
        return math.inf if link in first else 0.0

    return hold


def everything(condition: Callable[[Link], bool]) -> Hold:
    """Holds all connections, also new ones, once there is one that meets a condition."""
    seen = threading.Event()

    def hold(link: Link) -> float:
        if condition(link):
            seen.set()
        return math.inf if seen.is_set() else 0.0

    return hold


@pytest.mark.parametrize(
    "hold",
    [
        pytest.param(one_reader(1), id="a reader that connects"),
        pytest.param(one_reader(20_000), id="a reader's rows"),
        pytest.param(everything(lambda link: is_reader(link) and link.answered > 20_000), id="everything in a read"),
        pytest.param(everything(lambda link: link.round_trips > 15), id="everything while the leader asks"),
    ],
)
def test_a_network_that_hangs(sample_database: str, tmp_path: Path, hold: Hold) -> None:
    """The run ends with one sentence, and nothing of it is left on either side."""
    with far_away(sample_database, hold=hold) as proxy, running(proxy.uri, tmp_path, *TIMEOUT) as run:
        run.uri = sample_database
        run.check_failed(4, STALLED)


def test_a_slow_network(sample_database: str, tmp_path: Path) -> None:
    """The server has long sent everything while the rows still come in, block by block."""
    with (
        far_away(
            sample_database, hold=lambda link: 0.3 if is_reader(link) and link.answered > 300_000 else 0.0
        ) as proxy,
        running(proxy.uri, tmp_path, *TIMEOUT) as run,
    ):
        assert run.end() == 0, run.lines
        assert max(link.answered for link in proxy.links) > 400_000


@pytest.mark.parametrize("stage", ["lock", "tables"])
def test_a_server_that_computes(sample_database: str, tmp_path: Path, stage: str) -> None:
    """It may take its time before the first row comes, for the leader and for a reader."""
    with copied(sample_database, "computing") as source:
        execute(source, STALLING)
        with stalled(source, tmp_path, stage, *TIMEOUT) as (run, holder):
            time.sleep(5.5)
            holder.execute("select pg_advisory_unlock(1)")
            assert run.end() == 0, run.lines

"""The n-th call fails, or kills its process: some of each kind, seeded; `scripts/faults.sh --suite calls` has all."""

import errno
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import calls
from tests.faults.frame import RIGHT
from tests.faults.nth_failure import KILL, KINDS, SHORT, Failure, Preloaded, compiled, compiler, preloaded
from tests.faults.records import run_suite
from tests.faults.sweeps import Publisher, publisher, sweep

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not compiler(), reason="there is no C compiler for the library that makes calls fail"),
]

SEED = 1
# Some of a sweep: every one of so many calls, from a random first one.
EACH = {"open": 83, "write": 17, "fsync": 61, "mkdir": 61, "close": 83}
ACTIONS = [errno.EIO, errno.ENOSPC, errno.EINTR]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preloaded]:
    """The library that makes calls fail."""
    directory = tmp_path_factory.mktemp("library")
    with preloaded(compiled(directory), directory) as library:
        yield library


@contextmanager
def publishing(loaded: Preloaded, output: Path, **options: bool) -> Iterator[Publisher]:
    """A running program that publishes, and does so when nothing fails."""
    with publisher(loaded, output, **options) as running:
        assert running.complaint(Failure()) == ""
        yield running


@pytest.mark.parametrize("action", ACTIONS, ids=[errno.errorcode[action] for action in ACTIONS])
def test_publishing(loaded: Preloaded, tmp_path: Path, action: int) -> None:
    """Nothing is published, or all is; the next run clears up what could not be removed."""
    chance = random.Random(SEED)
    with publishing(loaded, tmp_path / "output") as running:
        for kind in KINDS:
            step = EACH.get(kind, 3)
            swept = sweep(running, kind, action, numbers=range(chance.randint(1, step), 10_000, step))
            assert swept.complaints == []
            assert swept.faults or kind in ("ftruncate", "link")


def test_publishing_an_archive(loaded: Preloaded, tmp_path: Path) -> None:
    """It is there with its export, or neither."""
    with publishing(loaded, tmp_path / "output", archive=True) as running:
        for kind, step in (("write", 40), ("rename", 2), ("fsync", 90)):
            assert sweep(running, kind, errno.ENOSPC, numbers=range(2, 10_000, step)).complaints == []


def test_keeping_rejects(loaded: Preloaded, tmp_path: Path) -> None:
    """They are kept whole, or nothing is."""
    with publishing(loaded, tmp_path / "output", keep_rejects=True) as running:
        for kind in ("rename", "fsync", "unlink"):
            assert sweep(running, kind, errno.EIO, numbers=range(1, 10_000, 2)).complaints == []


@pytest.mark.parametrize(("action", "sticky"), [(KILL, False), (SHORT, False), (errno.EIO, True)])
def test_what_is_not_over_with_one_call(loaded: Preloaded, tmp_path: Path, action: int, sticky: bool) -> None:
    """A process that ends, half a write, a disk that is gone for good."""
    kind = "write" if action == SHORT else "any"
    with publishing(loaded, tmp_path / "output") as running:
        numbers = range(random.Random(SEED).randint(1, 150), 10_000, 20 if kind == "write" else 150)
        assert sweep(running, kind, action, numbers=numbers, sticky=sticky).complaints == []


def test_exports() -> None:
    """The same for whole runs, with their workers."""
    wrong = [
        (fault.name, verdict) for fault, verdict in run_suite(calls.suite(), 4, SEED) if verdict.outcome not in RIGHT
    ]
    assert wrong == []

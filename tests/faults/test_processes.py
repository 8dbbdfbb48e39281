"""Signals at moments of every stage, and limits: some, seeded; `scripts/faults.sh --suite processes` has all."""

from functools import partial

import pytest

from tests.faults import processes
from tests.faults.frame import RIGHT
from tests.faults.ground import sample_ground
from tests.faults.records import Suite, run_suite

pytestmark = pytest.mark.slow

SEED = 1


def test_exports(postgres: str) -> None:
    """Whole and equal, or a code and a sentence; nothing is left."""
    suite = Suite(processes.NAME, partial(sample_ground, postgres), processes.faults)
    wrong = [(fault.name, verdict) for fault, verdict in run_suite(suite, 5, SEED) if verdict.outcome not in RIGHT]
    assert wrong == []

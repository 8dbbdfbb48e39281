"""Signals at moments of every stage, and limits: some, seeded; `scripts/faults.sh --suite processes` has all."""

import pytest

from tests.faults import processes
from tests.faults.frame import RIGHT
from tests.faults.records import run_suite

pytestmark = pytest.mark.slow

SEED = 1


def test_exports() -> None:
    """Whole and equal, or a code and a sentence; nothing is left."""
    wrong = [
        (fault.name, verdict)
        for fault, verdict in run_suite(processes.suite(), 5, SEED)
        if verdict.outcome not in RIGHT
    ]
    assert wrong == []

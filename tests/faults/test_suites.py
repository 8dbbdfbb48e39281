"""A few faults of each suite; `scripts/faults.sh` has all of them."""

from importlib import import_module

import pytest

from tests.faults.frame import RIGHT
from tests.faults.records import run_suite, table

pytestmark = pytest.mark.slow

SEED = 1


@pytest.mark.parametrize(("name", "n"), [("network", 12), ("server", 8), ("change", 6), ("copies", 2)])
def test_no_fault_of_the_exporter(name: str, n: int) -> None:
    """Every run is complete and equal, or refused."""
    side_by_side = 2 if n > 2 else 1  # each has a server of its own
    found = run_suite(import_module(f"tests.faults.{name}").suite(), n, SEED, side_by_side=side_by_side)
    wrong = [(fault.name, verdict) for fault, verdict in found if verdict.outcome not in RIGHT]
    assert wrong == [], table(found)
    assert any(verdict.injected for _, verdict in found)

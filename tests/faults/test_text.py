"""A few thousand texts; `scripts/faults.sh --suite text` has all of them."""

import pytest

from exporter.store.provision import Neo4jHome
from tests.faults import text
from tests.faults.frame import RIGHT
from tests.faults.records import run_suite, table
from tests.faults.texts import few

pytestmark = pytest.mark.slow

SEED = 1
TEXTS = 400


def test_every_text_comes_back(neo4j_home: Neo4jHome) -> None:
    """By the import and over Bolt, or in the reject files: properties, keys, links by value."""
    found = run_suite(text.suite(few(SEED, TEXTS), neo4j_home), None, SEED)
    wrong = [(fault.name, verdict) for fault, verdict in found if verdict.outcome not in RIGHT]
    assert wrong == [], table(found)
    assert sum(verdict.times for _, verdict in found) > 10 * TEXTS

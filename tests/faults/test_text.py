"""A few thousand texts; `scripts/faults.sh --suite text` has all of them."""

from pathlib import Path

import pytest

from exporter.store.provision import Neo4jHome
from tests.faults.frame import Outcome
from tests.faults.ground import Ground
from tests.faults.text import Texts
from tests.faults.texts import few

pytestmark = pytest.mark.slow

SEED = 1
TEXTS = 400
CHANGES = (
    "MATCH (n:Language) WITH n LIMIT 1 SET n.name = n.name + ' '",
    "MATCH (n:Device) WITH n LIMIT 1 SET n.device_id = n.device_id + 'x'",
    "MATCH ()-[r:REFERRED_BY]->() WITH r LIMIT 1 DELETE r",
)


def wrong(texts: Texts, ground: Ground, directory: Path) -> set[str]:
    """The names of the comparisons that find a difference."""
    verdicts = {fault.name: fault.run(ground, directory) for fault in texts.faults(ground, SEED)}
    assert sum(verdict.times for verdict in verdicts.values()) > 10 * TEXTS
    return {name for name, verdict in verdicts.items() if verdict.outcome is not Outcome.WHOLE}


def test_every_text_comes_back(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """By the import and over Bolt, or in the reject files: properties, keys, links by value. And what does not come
    back as it was is found."""
    texts = Texts(few(SEED, TEXTS), neo4j_home, with_large=False)
    with texts.ground() as ground:
        assert wrong(texts, ground, tmp_path) == set()
        assert texts.graph is not None
        for change in CHANGES:
            texts.graph.driver.execute_query(change)
        [rejects, *_] = (texts.graph.export / "rejects/relationships/Notification-TO_USER-AuthUser").iterdir()
        rejects.write_bytes(rejects.read_bytes().replace(b'"', b"'", 1))
        found = wrong(texts, ground, tmp_path)
    assert found == {
        "Language 0", "Device 0", "ON_DEVICE 0", "REFERRED_BY 0", "rejects of Notification-TO_USER-AuthUser", "counts",
    }  # fmt: skip

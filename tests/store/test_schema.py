"""A schema.cypher is applied statement by statement, and an error names the one that was refused."""

from collections.abc import Iterator

import neo4j
import pytest

from exporter.errors import RunError
from exporter.sink.tally import LARGEST_TEXT
from exporter.store.provision import Neo4jHome
from exporter.store.schema import apply_schema
from exporter.store.server import serve

SCHEMA = """\
// No index on A.text: a comment.
CREATE CONSTRAINT A_id IF NOT EXISTS FOR (n:A) REQUIRE n.id IS UNIQUE;
CREATE INDEX A_name IF NOT EXISTS FOR (n:A) ON (n.name);
CALL db.awaitIndexes(3600);
"""
PHONE = "+919999999999"


@pytest.fixture(scope="module")
def uri(each_neo4j: Neo4jHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Neo4j, at first empty."""
    with serve(each_neo4j, tmp_path_factory.mktemp("store")) as server:
        yield server.bolt_uri


def test_a_schema_is_applied(uri: str) -> None:
    """Also a second time. The error for a statement that the data violates quotes none of them."""
    with neo4j.GraphDatabase.driver(uri) as driver:
        for _ in range(2):
            apply_schema(uri, SCHEMA)
        shown = driver.execute_query("SHOW INDEXES YIELD name, type WHERE type = 'RANGE' RETURN name ORDER BY name")
        assert [record["name"] for record in shown.records] == ["A_id", "A_name"]
        driver.execute_query("CREATE (:B {phone: $phone}), (:B {phone: $phone})", {"phone": PHONE})
        with pytest.raises(RunError, match=r"\(Neo\.\S+\): CREATE CONSTRAINT B_phone .* IS UNIQUE$") as refused:
            apply_schema(uri, "CREATE CONSTRAINT B_phone FOR (n:B) REQUIRE n.phone IS UNIQUE;\n")
        assert PHONE not in str(refused.value)


def test_the_largest_text_that_an_index_holds(uri: str) -> None:
    """In letters of one to four bytes. With one byte more, the index fails and is named."""
    create = "CREATE INDEX {0}_text IF NOT EXISTS FOR (n:{0}) ON (n.text);\n"
    with neo4j.GraphDatabase.driver(uri) as driver:
        for letter in ("x", "é", "आ", "\U0001f680"):
            width = len(letter.encode())
            text = letter * (LARGEST_TEXT // width) + "x" * (LARGEST_TEXT % width)
            driver.execute_query("CREATE (:Fits {text: $text}), (:TooLarge {text: $text + 'x'})", {"text": text})
        apply_schema(uri, create.format("Fits"))
        with pytest.raises(RunError) as failed:
            apply_schema(uri, create.format("TooLarge"))
    assert str(failed.value) == "these indexes did not come online: TooLarge_text; see Neo4j's debug.log"

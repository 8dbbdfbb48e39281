"""Errors of Neo4j and its driver are shown as codes."""

import neo4j
import pytest
from neo4j.exceptions import DriverError, Neo4jError

from exporter.store.bolt import error_code
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from tests.support.ports import closed_port


def test_the_servers_code(neo4j_home: Neo4jHome, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Not its sentence, which quotes the query."""
    with (
        serve(neo4j_home, tmp_path_factory.mktemp("store")) as server,
        neo4j.GraphDatabase.driver(server.bolt_uri) as driver,
        pytest.raises(Neo4jError) as refused,
    ):
        driver.execute_query("RETURN secret")
    assert error_code(refused.value) == "Neo.ClientError.Statement.SyntaxError"


def test_the_drivers_kind() -> None:
    """Not its sentence, which quotes the address."""
    with (
        neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{closed_port()}") as driver,
        pytest.raises(DriverError) as unavailable,
    ):
        driver.verify_connectivity()
    assert error_code(unavailable.value) == "ServiceUnavailable"

"""Queries end with a signal; errors of Neo4j and its driver are shown as codes."""

import signal
import time
from collections.abc import Iterator
from types import FrameType

import neo4j
import pytest
from neo4j.exceptions import DriverError, Neo4jError

from exporter.errors import Interrupted, Stop
from exporter.store.bolt import error_code, query_rows
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from tests.support.ports import closed_port


@pytest.fixture(scope="module")
def uri(neo4j_home: Neo4jHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty Neo4j."""
    with serve(neo4j_home, tmp_path_factory.mktemp("store")) as server:
        yield server.bolt_uri


def test_the_servers_code(uri: str) -> None:
    """Not its sentence, which quotes the query."""
    with neo4j.GraphDatabase.driver(uri) as driver, pytest.raises(Neo4jError) as refused:
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


def test_a_signal_does_not_wait_for_an_answer(uri: str) -> None:
    """Nor does Neo4j go on looking for it."""

    def stop(_: int, __: FrameType | None) -> None:
        raise Stop(Interrupted("stopped by SIGALRM"))

    endless = neo4j.Query("UNWIND range(1, 1000000000000) AS n RETURN count(n)", timeout=60)
    running = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'UNWIND' RETURN currentQuery"
    with neo4j.GraphDatabase.driver(uri) as driver:
        assert query_rows(driver, neo4j.Query("RETURN 1 AS one"), database="neo4j")[0].data() == {"one": 1}
        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 2)
        began = time.monotonic()
        try:
            with pytest.raises(Stop), neo4j.GraphDatabase.driver(uri) as stopped:
                query_rows(stopped, endless)
        finally:
            signal.signal(signal.SIGALRM, before)
        assert time.monotonic() - began < 15
        while driver.execute_query(running).records:
            time.sleep(0.1)

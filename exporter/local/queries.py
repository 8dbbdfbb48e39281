"""Queries on a graph: the five sample queries with values from that graph, and the user's own."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import neo4j
from neo4j.exceptions import ClientError, DriverError, Neo4jError

from exporter.errors import RunError, UsageError
from exporter.local.registry import Graph, Record
from exporter.model.sample_queries import QUERIES, Query
from exporter.store.bolt import error_code, query_rows
from exporter.store.configuration import USER
from exporter.text import visible, visible_json

DATABASE = "neo4j"
FIND_SECONDS = 60

# Parameter of the sample queries -> the query that finds a value for which they return rows.
FINDERS = {
    "phone": """
        MATCH (c:Customer)-[:BOOKED]->(:Consultation)-[:WITH_GUIDE]->(:Guide)
        WHERE c.phone_number IS NOT NULL AND EXISTS { (c)-[:HAS_AUTH]->(:AuthUser) }
          AND EXISTS { (c)-[:HAS_WALLET]->(:CustomerWallet) } AND EXISTS { (c)-[:MADE_PAYMENT]->(:Payment) }
        RETURN c.phone_number AS phone, count(*) AS consultations
        ORDER BY consultations DESC, phone LIMIT 1""",
    "payment_id": """
        MATCH (w:CustomerWallet)-[:HAS_TRANSACTION]->(:Transaction {type: 'SPENT'})-[:FOR_ORDER]->(:WalletOrder)
              -[:FOR_CONSULTATION]->(:Consultation)
        WITH w, count(*) AS consultations
        MATCH (w)<-[:HAS_WALLET]-(:Customer)-[:MADE_PAYMENT]->(p:Payment)
        RETURN p.payment_order_id AS payment_id, consultations
        ORDER BY consultations DESC, payment_id LIMIT 1""",
}


def open_driver(graph: Graph, record: Record) -> neo4j.Driver:
    """A driver for the graph's server."""
    return neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{record.bolt_port}", auth=(USER, graph.password()))


def sample_queries(driver: neo4j.Driver) -> list[tuple[Query, str]]:
    """The sample queries and their Cypher, with the parameter values for which this graph has most to show."""
    values = {}
    for name, finder in FINDERS.items():
        with suppress(DriverError, Neo4jError):  # it takes too long: the parameter is left in
            query = neo4j.Query(finder, timeout=FIND_SECONDS)
            for record in query_rows(driver, query, database=DATABASE, access=neo4j.READ_ACCESS):
                values[name] = record[name]
    return [(query, with_values(query, values)) for query in QUERIES]


def with_values(query: Query, values: Mapping[str, str | int]) -> str:
    """A query's Cypher with values in place of its parameters; a parameter without a value is left in."""
    cypher = query.cypher
    for name in query.parameters:
        if name in values:
            cypher = cypher.replace(f"${name}", visible_json(json.dumps(values[name], ensure_ascii=False)))
    return cypher


@contextmanager
def run_query(driver: neo4j.Driver, cypher: str) -> Iterator[neo4j.Result]:
    """Yields the result of a query, which cannot change the graph; its rows are read as the block takes them. A number
    from 1 to 5 stands for that sample query.

    Raises `UsageError` with Neo4j's message for a query that it rejects, `RunError` if it does not answer.
    """
    try:
        if cypher.strip().isdecimal():
            cypher = sample_query(driver, int(cypher))
        session = driver.session(database=DATABASE, default_access_mode=neo4j.READ_ACCESS)
        yield session.run(neo4j.Query(cypher))
        # Not after an error or a signal: a session waits for its query before it closes. The driver's end stops both.
        session.close()
    except ClientError as error:
        reason, _, _ = (error.message or error.code or "").partition("\n")  # the query with a caret may follow
        raise UsageError(f"Neo4j refuses the query: {visible(reason)}") from None
    except (DriverError, Neo4jError) as error:
        raise RunError(f"Neo4j does not answer the query ({error_code(error)})") from None


def notifications(result: neo4j.Result) -> list[str]:
    """What Neo4j remarks on a query, such as a label that does not exist; what is unread of its result is discarded."""
    found = (status for status in result.consume().gql_status_objects if status.is_notification)
    return list(dict.fromkeys(visible(status.status_description) for status in found))


def sample_query(driver: neo4j.Driver, number: int) -> str:
    """The Cypher of a sample query with values. Raises `UsageError` if the graph has none for it."""
    if not 1 <= number <= len(QUERIES):
        raise UsageError(f"there is no sample query {number}: they are 1 to {len(QUERIES)}")
    query, cypher = sample_queries(driver)[number - 1]
    if missing := [name for name in query.parameters if f"${name}" in cypher]:
        raise UsageError(f"the graph has no {' and no '.join(missing)} for which {query.name} has an answer")
    return cypher

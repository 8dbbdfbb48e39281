"""Asking a graph: the five sample queries with values of that very graph, and whatever the user asks."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

import neo4j
from neo4j.exceptions import ClientError, DriverError, Neo4jError

from exporter.errors import RunError, UsageError
from exporter.local.registry import Graph, Record
from exporter.model.sample_queries import QUERIES, Query
from exporter.store.server import USER

DATABASE = "neo4j"
MOST_ROWS = 1000
FIND_SECONDS = 60

# About whom and what the sample queries have an answer: parameter -> the query that finds one.
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


@dataclass(frozen=True, slots=True)
class Reply:
    """Columns and rows of a query, at most `MOST_ROWS`; `cut` when there were more."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    cut: bool


def connected(graph: Graph, record: Record) -> neo4j.Driver:
    """A driver for the graph's server."""
    return neo4j.GraphDatabase.driver(
        f"bolt://127.0.0.1:{record.bolt_port}", auth=(USER, graph.password()), notifications_min_severity="OFF"
    )


def sample_queries(driver: neo4j.Driver) -> list[tuple[Query, str]]:
    """The sample queries and their Cypher, with values about which the graph has most to say in place of parameters."""
    values = {}
    for name, finder in FINDERS.items():
        with suppress(DriverError, Neo4jError):  # it takes too long: the parameter stays
            query = neo4j.Query(finder, timeout=FIND_SECONDS)
            for record in driver.execute_query(query, database_=DATABASE, routing_="r").records:
                values[name] = record[name]
    return [(query, written(query, values)) for query in QUERIES]


def written(query: Query, values: Mapping[str, str | int]) -> str:
    """A query's Cypher with values for its parameters; a parameter without a value stays."""
    text = query.cypher
    for name in query.parameters:
        if name in values:
            text = text.replace(f"${name}", json.dumps(values[name], ensure_ascii=False))
    return text


def ask(driver: neo4j.Driver, cypher: str) -> Reply:
    """What the graph answers; it cannot be changed by it. A number from 1 to 5 asks that sample query.

    Raises `UsageError` with Neo4j's sentence for a query that it refuses, `RunError` when it does not answer.
    """
    try:
        if cypher.strip().isdecimal():
            cypher = sample(driver, int(cypher))
        with driver.session(database=DATABASE, default_access_mode=neo4j.READ_ACCESS) as session:
            result = session.run(neo4j.Query(cypher))
            rows = [record.values() for record in islice(result, MOST_ROWS + 1)]
            return Reply(result.keys(), rows[:MOST_ROWS], len(rows) > MOST_ROWS)
    except ClientError as error:
        said, _, _ = (error.message or error.code or "").partition("\n")  # a drawing of the place may follow
        raise UsageError(f"Neo4j refuses the query: {said}") from None
    except (DriverError, Neo4jError) as error:
        reason = (error.code if isinstance(error, Neo4jError) else None) or type(error).__name__
        raise RunError(f"Neo4j does not answer the query ({reason})") from None


def sample(driver: neo4j.Driver, number: int) -> str:
    """The Cypher of a sample query."""
    if not 1 <= number <= len(QUERIES):
        raise UsageError(f"there is no sample query {number}: they are 1 to {len(QUERIES)}")
    query, cypher = sample_queries(driver)[number - 1]
    if missing := [name for name in query.parameters if f"${name}" in cypher]:
        raise UsageError(f"the graph has no {' and no '.join(missing)} for which {query.name} has an answer")
    return cypher

"""The sample queries' answers, from Neo4j and from the source, for parameters that have one, and their comparison."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from itertools import pairwise
from typing import Any

import neo4j
import psycopg
from neo4j.graph import Node
from neo4j.time import DateTime

from exporter.errors import SourceError
from exporter.model.sample_queries import Query

# Relative, for numbers: a sum of floats depends on the order of its terms.
TOLERANCE = 1e-9

# Of the customers with a complete journey and a phone of their own, the one with the most consultations.
PHONE = """
SELECT c.phone_number
FROM customers.customer c
JOIN auth.auth_users u ON u.id = c.x_auth_id
JOIN wallet.user_wallets w ON w.user_id = c.customer_id
JOIN consultation.consultation b ON b.customer_id = c.customer_id
JOIN guide.guide_profile g ON g.id = b.guide_id
WHERE EXISTS (SELECT FROM wallet.payment_orders p WHERE p.user_id = c.customer_id)
GROUP BY c.phone_number
HAVING count(DISTINCT c.customer_id) = 1
ORDER BY count(*) DESC, c.phone_number
LIMIT 1
"""

# A payment of the customer who spent on the most consultations.
PAYMENT_ID = """
SELECT p.payment_order_id
FROM wallet.payment_orders p
JOIN customers.customer c ON c.customer_id = p.user_id
JOIN wallet.user_wallets w ON w.user_id = p.user_id
JOIN wallet.wallet_transactions t ON t.user_id = w.user_id
JOIN wallet.wallet_orders o ON o.order_id = t.order_id
JOIN consultation.consultation b ON b.order_id = o.order_id
WHERE t.type = 'SPENT' AND p.status = 'COMPLETED'
GROUP BY p.payment_order_id
ORDER BY count(*) DESC, p.payment_order_id
LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows of plain values: a node is its properties, a timestamp is text in UTC, a decimal is a float."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def parameters(connection: psycopg.Connection) -> dict[str, str | int]:
    """The `phone` and the `payment_id` for which this source has most to show. Raises `SourceError` if it has none."""
    found = {name: connection.execute(text).fetchone() for name, text in (("phone", PHONE), ("payment_id", PAYMENT_ID))}
    missing = [name for name, row in found.items() if row is None]
    if missing:
        raise SourceError(f"The source has no {' and no '.join(missing)} for which the sample queries have an answer.")
    return {name: row[0] for name, row in found.items() if row}


def answer_from_source(connection: psycopg.Connection, query: Query, values: Mapping[str, str | int]) -> Answer:
    """What the graph should answer, computed in SQL on the source."""
    cursor = connection.execute(query.sql, {name: values[name] for name in query.parameters})
    columns = tuple(column.name for column in cursor.description or ())
    return Answer(columns, tuple(tuple(map(_plain, row)) for row in cursor))


def answer_from_graph(
    driver: neo4j.Driver, query: Query, values: Mapping[str, str | int], *, database: str = "neo4j"
) -> Answer:
    """What the graph answers."""
    result = driver.execute_query(
        query.cypher, {name: values[name] for name in query.parameters}, database_=database, routing_="r"
    )
    return Answer(tuple(result.keys), tuple(tuple(map(_plain, record)) for record in result.records))


def differences(query: Query, expected: Answer, found: Answer) -> list[str]:
    """How `found` differs from `expected`, one sentence each; none if the answers are the same.

    Rows are compared as a multiset, numbers within TOLERANCE, and the order only as far as the query specifies one.
    """
    if expected.columns != found.columns:
        return [f"columns {list(found.columns)}, not {list(expected.columns)}"]
    if len(expected.rows) != len(found.rows):
        return [f"{len(found.rows)} rows, not {len(expected.rows)}"]
    pairs = zip(sorted(expected.rows, key=_sort_key), sorted(found.rows, key=_sort_key), strict=True)
    sentences = [f"{right!r}, not {left!r}" for left, right in pairs if not _same(left, right)]
    if query.descending_by is not None:
        column = found.columns.index(query.descending_by)
        for before, after in pairwise(row[column] for row in found.rows):
            if before < after and not _same(before, after):
                sentences.append(f"{query.descending_by} {after!r} comes after {before!r}")
    return sentences


def _plain(value: Any) -> Any:
    """A value of either database, in the form in which values are compared and shown."""
    match value:
        case Node():
            return {name: _plain(member) for name, member in sorted(value.items())}
        case dict():
            return {name: _plain(member) for name, member in sorted(value.items())}
        case list():
            return sorted(map(_plain, value), key=_sort_key)  # collect() and jsonb_agg() promise no order
        case DateTime():
            return value.to_native().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case Decimal():
            return float(value)
        case _:
            return value


def _sort_key(value: Any) -> tuple[str, tuple[float, ...]]:
    """Everything but the numbers first, so that numbers that differ in the last digit do not reorder rows."""
    numbers: list[float] = []

    def without_numbers(part: Any) -> Any:
        match part:
            case bool() | str() | None:
                return part
            case int() | float():
                numbers.append(part)
                return 0
            case dict():
                return {name: without_numbers(member) for name, member in part.items()}
            case _:
                return [without_numbers(member) for member in part]

    return json.dumps(without_numbers(value)), tuple(numbers)


def _same(left: Any, right: Any) -> bool:
    """Equality in which numbers may differ by TOLERANCE, and a boolean is not a number."""
    match left, right:
        case (bool(), _) | (_, bool()):
            return left is right
        case (int() | float(), int() | float()):
            return math.isclose(left, right, rel_tol=TOLERANCE) or (math.isnan(left) and math.isnan(right))
        case (dict(), dict()):
            return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
        case (list() | tuple(), list() | tuple()):
            return len(left) == len(right) and all(map(_same, left, right))
        case _:
            return bool(left == right)

"""Compares every property of every node and relationship in a running Neo4j with the expectations, type and value."""

import math
import re
from collections import Counter
from typing import Any

import neo4j

from .comparison import shown
from .declaration import NODES, RELATIONSHIPS, Relationship
from .expected import Entity, Value

TYPES = {
    "INTEGER": "long",
    "FLOAT": "double",
    "BOOLEAN": "boolean",
    "STRING": "string",
    "ZONED DATETIME": "datetime",
    "DATE": "date",
    "LOCAL TIME": "localtime",
}
# Temporals travel as text: clients cannot hold the years that the store can.
PROPERTIES = """[key IN keys({0}) | [key, valueType({0}[key]), CASE
    WHEN valueType({0}[key]) =~ '(ZONED|LOCAL|DATE).*' THEN toString({0}[key]) ELSE {0}[key] END]]"""
# What toString leaves out: seconds and fractions that are zero.
TEMPORAL = re.compile(r"(?:(-?\d{4}-\d\d-\d\d))?(T)?(?:(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z)?")

Typed = tuple[str, object]
Properties = frozenset[tuple[str, Typed]]


def number(value: float) -> object:
    """A float that equals itself: NaN by name, and -0.0 apart from 0.0."""
    return "NaN" if math.isnan(value) else value.hex()


def temporal(text: str) -> str:
    """The text of a temporal with its seconds and six digits of their fraction."""
    match = TEMPORAL.fullmatch(text)
    if match is None:
        return f"not understood: {text}"
    date, t, minutes, seconds, fraction, zone = match.groups(default="")
    if not minutes:
        return date
    digits = fraction.ljust(9, "0")
    return f"{date}{t}{minutes}:{seconds or '00'}.{digits[:6]}{digits[6:].rstrip('0')}{zone}"


def from_graph(items: list[list[Any]]) -> Properties:
    """What the server said of one node or relationship: names, types, and values that compare as they are."""
    found = set()
    for key, value_type, value in items:
        type_ = TYPES.get(value_type.removesuffix(" NOT NULL"), value_type)
        if type_ == "double":
            value = number(value)
        elif type_ in ("datetime", "date", "localtime"):
            value = temporal(value)
        found.add((key, (type_, value)))
    return frozenset(found)


def from_expected(properties: dict[str, Value]) -> Properties:
    """The same of what is expected."""

    def typed(value: Value) -> Typed:
        match value.type:
            case "long":
                return ("long", int(value.text))
            case "double":
                return ("double", number(float(value.text)))
            case "boolean":
                return ("boolean", value.text == "true")
            case _:
                return (value.type, value.text)

    return frozenset((name, typed(value)) for name, value in properties.items())


def identity(label: str, properties: Properties) -> object:
    """A node's key; a Device, whose key is no property, goes by all it has."""
    key = NODES[label].key
    return dict(properties)[key][1] if key and key in dict(properties) else properties


def differences(name: str, expected: Counter[Any], got: Counter[Any]) -> list[str]:
    """What is in one of them only."""
    return [
        *(f"{name}: missing {shown(sorted_item(item))} x{times}" for item, times in (expected - got).items()),
        *(f"{name}: too many {shown(sorted_item(item))} x{times}" for item, times in (got - expected).items()),
    ]


def sorted_item(item: Any) -> Any:
    """Sets of properties in the order of their names, so that two differences can be read side by side."""
    if isinstance(item, frozenset):
        return sorted(item, key=lambda pair: pair[0])
    return tuple(map(sorted_item, item)) if isinstance(item, tuple) else item


def node_differences(session: neo4j.Session, label: str, entity: Entity) -> list[str]:
    """All nodes of a label."""
    rows = session.run(f"MATCH (n:`{label}`) RETURN labels(n), {PROPERTIES.format('n')}")
    got = Counter((tuple(labels), from_graph(items)) for labels, items in rows)
    return differences(label, Counter(((label,), from_expected(row)) for row in entity.rows.values()), got)


def relationship_differences(
    session: neo4j.Session, relationship: Relationship, expected: dict[str, Entity]
) -> list[str]:
    """All relationships of a pattern, by the identities of their nodes."""
    start, end = relationship.start, relationship.end
    rows = session.run(
        f"MATCH (a:`{start}`)-[r:`{relationship.type}`]->(b:`{end}`)"
        f" RETURN {PROPERTIES.format('a')}, {PROPERTIES.format('r')}, {PROPERTIES.format('b')}"
    )
    got = Counter((identity(start, from_graph(a)), from_graph(r), identity(end, from_graph(b))) for a, r, b in rows)
    wanted: Counter[Any] = Counter()
    for pair, properties in expected[relationship.pattern].rows.items():
        start_key, end_key = pair.split(" -> ", 1)
        nodes = from_expected(expected[start].rows[start_key]), from_expected(expected[end].rows[end_key])
        wanted[(identity(start, nodes[0]), from_expected(properties), identity(end, nodes[1]))] += 1
    return differences(relationship.pattern, wanted, got)


def graph_differences(driver: neo4j.Driver, expected: dict[str, Entity], database: str = "neo4j") -> list[str]:
    """Everything in the graph that is not as the rules say, one sentence each."""
    found: list[str] = []
    with driver.session(database=database) as session:
        for label in NODES:
            found += node_differences(session, label, expected[label])
        for relationship in RELATIONSHIPS:
            found += relationship_differences(session, relationship, expected)
        counts = session.run("RETURN COUNT { (n) }, COUNT { ()-[r]->() }").single(strict=True)
    kinds = ("node", "relationship")
    total = [sum(entity.exported for entity in expected.values() if entity.kind == kind) for kind in kinds]
    if list(counts) != total:
        found.append(f"the whole graph: expected {total} nodes and relationships, got {list(counts)}")
    return found

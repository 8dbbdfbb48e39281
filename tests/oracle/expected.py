"""The oracle's expectations as Python values: entities with their properties, rejects, and the counts of the rows."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import psycopg

from .declaration import NODES, RELATIONSHIP_PROPERTIES, RELATIONSHIPS

# Source types whose digits the CSV must hold as the database writes them.
EXACT_TYPES = {"numeric", "bigint", "integer", "smallint", "edge.amount"}


@dataclass(frozen=True, slots=True)
class Value:
    """A property's import type and its canonical text; `exact` where the text itself is prescribed for a double."""

    type: str
    text: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """One line of a reject file."""

    reason: str
    table: str
    column: str
    key: str
    value: str | None
    references: str


@dataclass(slots=True)
class Entity:
    """A node label or a pattern: its rows by identity, its rejects, and how the table's rows are accounted for."""

    table: str
    kind: str
    counted: int
    exported: int
    no_target: int
    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    rejects: Counter[Reject] = field(default_factory=Counter)

    def reasons(self) -> dict[str, int]:
        """How many rejects there are of each reason."""
        counts: Counter[str] = Counter()
        for reject, times in self.rejects.items():
            counts[reject.reason] += times
        return dict(counts)

    def property_counts(self) -> dict[str, int]:
        """How many values each property has."""
        return dict(Counter(name for row in self.rows.values() for name in row))


def property_types(name: str) -> dict[str, str]:
    """The properties of a label, or of a pattern, with their types, in the order of the specification."""
    if name in NODES:
        return NODES[name].properties
    relationship_property = RELATIONSHIP_PROPERTIES.get(name)
    return {relationship_property: "string"} if relationship_property else {}


def load(connection: psycopg.Connection) -> dict[str, Entity]:
    """Every label and pattern, by its folder's name, as `expectations.compute` left them in the source."""
    entities = {
        name: Entity(*rest)
        for name, *rest in connection.execute(
            'SELECT entity, "table", kind, counted, exported, no_target FROM oracle.accounting'
        )
    }
    assert entities.keys() == {*NODES, *(r.pattern for r in RELATIONSHIPS)}
    found: dict[str, dict[str, dict[str, Value]]] = defaultdict(lambda: defaultdict(dict))
    for entity, identity, name, type_, text, source_type in connection.execute(
        "SELECT entity, identity, name, type, value, source_type FROM oracle.property"
    ):
        row = found[entity][identity]
        if text is not None:
            row[name] = Value(type_, text, type_ != "double" or source_type in EXACT_TYPES)
    for name, entity in entities.items():
        entity.rows = {identity: dict(row) for identity, row in found[name].items()}
        assert len(entity.rows) == entity.exported, name
    for name, *line in connection.execute(
        """SELECT entity, reason, "table", "column", coalesce(key, ''), value, coalesce("references", '')
           FROM oracle.reject"""
    ):
        entities[name].rejects[Reject(*line)] += 1
    return entities

"""What each source table contributes to the graph: at most one node label, and the relationships its rows make.

Without an argument, functions refer to the declared graph.
"""

from dataclasses import dataclass, field
from functools import cache

from exporter.errors import SourceError
from exporter.model.graph import GRAPH
from exporter.model.vocabulary import Graph, IdRule, Node, Property, Reference, Relationship, Type

# How a column is read: as a property of a type, or by an ID rule.
Use = Type | IdRule


@dataclass(frozen=True, slots=True)
class Table:
    """A source table (`schema.table` in the model) and everything made from one read of its rows."""

    name: str
    group: str
    node: Node | None
    relationships: tuple[Relationship, ...]
    graph: Graph = field(default=GRAPH, repr=False)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the node's key, or the pair that identifies a join table's row."""
        if self.node:
            return self.node.key.columns
        relationship = self.relationships[0]
        return relationship.start_reference.columns + relationship.end_reference.columns

    def all_uses(self) -> list[tuple[str, Use]]:
        """Each column that is read, with its use, once for each entity that needs it."""
        uses: list[tuple[str, Use]] = []
        if self.node:
            uses += parts(self.node.key.columns, self.node.key.id_rule).items()
            uses += [(prop.name, prop.type) for prop in self.node.properties]
        for relationship in self.relationships:
            for label, reference in ends(relationship):
                if not is_declared(label, self.graph):
                    continue  # its key is unknown; validate.py reports it
                uses += parts(reference.columns, id_rule_of(label, reference, self.graph)).items()
                if reference.by_value:
                    uses.append((reference.by_value.column, reference.by_value.id_rule))
            uses += [(prop.name, prop.type) for prop in relationship.properties if isinstance(prop, Property)]
        return uses

    def uses(self) -> dict[str, Use]:
        """Each column that is read, with its use, in the order of the declaration."""
        return dict(self.all_uses())

    def columns(self) -> dict[str, Use | None]:
        """Every column that the table must have, with its use; None if it only decides the order of duplicates."""
        keep_latest = self.node.keep_latest if self.node else None
        ordering = (*keep_latest.columns, keep_latest.tiebreaker) if keep_latest else ()
        return {**dict.fromkeys(ordering), **self.uses()}

    def owns(self, label: str, reference: Reference) -> bool:
        """Whether this end of a relationship is the row's own node."""
        return self.node is not None and label == self.node.label and reference.columns == self.node.key.columns


def ends(relationship: Relationship) -> tuple[tuple[str, Reference], tuple[str, Reference]]:
    """Start and end as (label, reference)."""
    return (
        (relationship.start, relationship.start_reference),
        (relationship.end, relationship.end_reference),
    )


def parts(columns: tuple[str, ...], id_rule: IdRule) -> dict[str, Use]:
    """The columns of a key with the rule of each: a pair is an integer ID and a text."""
    if id_rule is IdRule.PAIR:
        return dict(zip(columns, (IdRule.INTEGER, Type.STRING), strict=False))  # validate.py refuses other lengths
    return dict.fromkeys(columns, id_rule)


@cache
def node(label: str, graph: Graph = GRAPH) -> Node:
    """The declared node of a label. Raises `SourceError` if there is none."""
    for declared in graph.nodes:
        if declared.label == label:
            return declared
    raise SourceError(f"the model refers to a label {label} that it does not declare")


@cache
def is_declared(label: str, graph: Graph = GRAPH) -> bool:
    """Whether a label is declared."""
    return any(declared.label == label for declared in graph.nodes)


def id_rule_of(label: str, reference: Reference, graph: Graph = GRAPH) -> IdRule:
    """How a reference's text is read: like its label's key, unless it has its own ID rule."""
    return reference.id_rule or node(label, graph).key.id_rule


@cache
def tables(graph: Graph = GRAPH) -> tuple[Table, ...]:
    """Every source table, in import order."""
    nodes = {node.table: node for node in graph.nodes}
    return tuple(
        Table(name, group.name, nodes.get(name), tuple(r for r in graph.relationships if r.table == name), graph)
        for group in graph.groups
        for name in group.tables
    )


@cache
def referenced_labels() -> tuple[str, ...]:
    """Labels that rows refer to by a key other than their own: the key index needs their key sets."""
    return tuple(
        sorted(
            {
                label
                for table in tables()
                for relationship in table.relationships
                for label, reference in ends(relationship)
                if reference.columns and not table.owns(label, reference)
            }
        )
    )


def linked_values(graph: Graph = GRAPH) -> list[tuple[str, str, IdRule]]:
    """What links by value compare, once each: the label and column that own a value, or share it where a link is
    exclusive, and the rule."""
    links = (
        (table, label, reference.by_value)
        for table in tables(graph)
        for relationship in table.relationships
        for label, reference in ends(relationship)
    )
    found: dict[tuple[str, str, IdRule], None] = {}
    for table, label, link in links:
        if link:
            found[label, link.owner_column, link.id_rule] = None
            if link.exclusive and table.node:
                found[table.node.label, link.column, link.id_rule] = None
    return list(found)


def ordered_relationships() -> list[Relationship]:
    """The relationships, in the import order of their tables."""
    return [relationship for table in tables() for relationship in table.relationships]

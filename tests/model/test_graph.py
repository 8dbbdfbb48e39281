"""The declaration is the specification's: equal to what the oracle has of it, in the oracle's own words."""

from exporter.model.graph import GRAPH
from exporter.model.validate import problems
from exporter.model.vocabulary import IdRule, Node, Reference, Relationship
from tests.oracle import declaration


def node_in_words(node: Node) -> declaration.Node:
    """A label as the oracle writes it down."""
    key = "" if node.key.id_rule is IdRule.PAIR else node.key.columns[0]
    properties = {prop.name: prop.type.value for prop in (*node.key_properties, *node.properties)}
    return declaration.Node(node.label, node.table, key, node.key.id_rule.value, properties)


def relationship_in_words(relationship: Relationship) -> declaration.Relationship:
    """A pattern as the oracle writes it down."""
    keys = {node.table: (node.label, node.key.columns) for node in GRAPH.nodes}

    def column(label: str, reference: Reference) -> str:
        if keys.get(relationship.table) == (label, reference.columns):
            return "="
        linked = (reference.by_value.column,) if reference.by_value else ()
        return (reference.columns or linked)[-1] + ("?" if reference.optional else "")

    return declaration.Relationship(
        relationship.start,
        relationship.type,
        relationship.end,
        relationship.table,
        column(relationship.start, relationship.start_reference),
        column(relationship.end, relationship.end_reference),
    )


def test_the_size_of_the_graph() -> None:
    """33 labels, 44 patterns of 39 types, 35 tables (graph-model.md, first paragraph); other tests count these."""
    tables = {node.table for node in GRAPH.nodes} | {relationship.table for relationship in GRAPH.relationships}
    types = {relationship.type for relationship in GRAPH.relationships}
    assert (len(GRAPH.nodes), len(GRAPH.relationships), len(types), len(tables)) == (33, 44, 39, 35)


def test_the_declaration_is_sound() -> None:
    """It says nothing that the engine would not keep."""
    assert problems(GRAPH) == []


def test_labels() -> None:
    """Each with its table, key and properties."""
    assert {node.label: node_in_words(node) for node in GRAPH.nodes} == declaration.NODES


def test_patterns() -> None:
    """In the specification's order, each with its table, where its ends come from, and its property."""
    assert tuple(map(relationship_in_words, GRAPH.relationships)) == declaration.RELATIONSHIPS
    properties = {
        relationship.name: prop.name for relationship in GRAPH.relationships for prop in relationship.properties
    }
    assert properties == declaration.RELATIONSHIP_PROPERTIES


def test_groups() -> None:
    """The document's ten, in its import order, join tables first."""
    groups = {group.name: [*group.join_tables, *(node.label for node in group.nodes)] for group in GRAPH.groups}
    assert list(groups.items()) == list(declaration.GROUPS.items())


def test_personal_data() -> None:
    """Every mark of the specification stands where it does there, and nowhere else."""
    marks: dict[str, list[str]] = {}
    for node in declaration.NODES:
        [declared] = [declared for declared in GRAPH.nodes if declared.label == node]
        for prop in declared.properties:
            if prop.pii:
                marks.setdefault(prop.pii.value, []).append(f"{node}.{prop.name}")
    assert marks == declaration.PII


def test_indexes() -> None:
    """What is looked up by more than its key."""
    assert [f"{label}.{name}" for label, name in GRAPH.indexes] == declaration.INDEXES


def test_skipped_tables() -> None:
    """The document's list."""
    assert GRAPH.skipped_tables == declaration.SKIPPED_TABLES

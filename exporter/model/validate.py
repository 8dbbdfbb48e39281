"""A declaration checked against what the program supports: everything wrong with it at once, one sentence each.

The vocabulary can express more than the program supports. What the program would ignore, export wrongly or fail on is
refused here, before every export and by `exporter check`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from exporter.model.graph import GRAPH
from exporter.model.redaction import fitting, named_properties, treatment_of
from exporter.model.tables import Table, Use, ends, linked_values, tables
from exporter.model.treatments import ALLOWED, PrivacyClass
from exporter.model.vocabulary import (
    ByValue,
    Constant,
    Entity,
    Graph,
    IdRule,
    Node,
    Property,
    Reference,
    Type,
)
from exporter.model.window_check import window_problems

# The rules that `select.comparable` has in SQL; without it, two spellings of one key would become two nodes.
KEY_RULES = frozenset({IdRule.INTEGER, IdRule.UUID, IdRule.CODE, IdRule.PAIR})
# The rules whose canonical form is text, which is what the index of linked values holds.
LINK_RULES = frozenset({IdRule.UUID, IdRule.CODE, IdRule.PHONE})
# All of these read a column as the same text.
TEXT_USES = (LINK_RULES | {Type.STRING}) - {IdRule.UUID}
# The classes allowed for a property with a PII mark, and for a label's key.
PERSONAL = frozenset({PrivacyClass.QUASI, PrivacyClass.DIRECT, PrivacyClass.TEXT, PrivacyClass.SECRET})
KEY_CLASSES = frozenset({PrivacyClass.KEY, PrivacyClass.DIRECT})


def problems(graph: Graph = GRAPH) -> list[str]:
    """Everything that would make an export of the graph wrong, incomplete or impossible; empty if there is nothing."""
    found = [*bad_names(graph), *repetitions(graph), *bad_tables(graph)]
    for table in tables(graph):
        # The uses of columns follow from key and references, so they are checked only once those are sound.
        found += [*bad_key(table.node), *bad_references(graph, table)] or bad_uses(table)
    found += [*bad_linked_values(graph), *bad_indexes(graph), *bad_privacy(graph)]
    # What treatments fit a property follows from keys and links, so they too are checked only once those are sound.
    return found or [*bad_treatments(graph), *(window_problems() if graph is GRAPH else ())]


def entities(graph: Graph) -> tuple[Entity, ...]:
    """Every label and pattern of a declaration: labels first."""
    return (*graph.nodes, *graph.relationships)


def properties(entity: Entity) -> list[Property | Constant]:
    """The properties of an entity, a node's key among them."""
    return [*(entity.key_properties if isinstance(entity, Node) else ()), *entity.properties]


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, each once."""
    return [name for name, times in Counter(names).items() if times > 1]


def bad_names(graph: Graph) -> Iterator[str]:
    """Names that could not be a label, a property, a column or a file. A property has the name of its column."""
    names = [(node.label, node.label) for node in graph.nodes]
    for relationship in graph.relationships:
        constants = [prop.name for prop in relationship.properties if isinstance(prop, Constant)]
        names += [(relationship.name, name) for name in (relationship.type, *constants)]
    names += [(table.name, column) for table in tables(graph) for column in table.columns()]
    for owner, name in names:
        if not name.isidentifier():
            yield f'{owner}: "{name}" is not a name of letters, digits and underscores'
    for name in dict.fromkeys([*(node.label for node in graph.nodes), *(each.type for each in graph.relationships)]):
        if not name.isascii():
            yield f'"{name}" is part of file names, so it must be ASCII'
    for table in dict.fromkeys([*(entity.table for entity in entities(graph)), *graph.skipped_tables]):
        schema, _, name = table.partition(".")
        if not (schema.isidentifier() and name.isidentifier()):
            yield f'table "{table}" is not schema.table'


def repetitions(graph: Graph) -> Iterator[str]:
    """What a declaration may contain only once, but repeats."""
    for label in repeated(node.label for node in graph.nodes):
        yield f"label {label} is declared more than once"
    for table in repeated(table for group in graph.groups for table in group.tables):
        yield f"table {table} is declared more than once; its rows are nodes of one label, or of none"
    for pattern in repeated(relationship.name for relationship in graph.relationships):
        yield f"pattern {pattern} is declared more than once"
    for entity in entities(graph):
        for name in repeated(prop.name for prop in properties(entity)):
            yield f"{entity.name} has more than one property {name}"


def bad_tables(graph: Graph) -> Iterator[str]:
    """Tables that are in no group, are not used, or are also on the skip list."""
    grouped = {table for group in graph.groups for table in group.tables}
    for relationship in graph.relationships:
        if relationship.table not in grouped:
            yield f"{relationship.name}: {relationship.table} is neither a label's table nor a group's join table"
    made_of = Counter(relationship.table for relationship in graph.relationships)
    for group in graph.groups:
        for table in group.join_tables:
            if made_of[table] != 1:
                yield f"join table {table} must make exactly one pattern, and makes {made_of[table]}"
    for table in sorted(grouped & graph.skipped_tables):
        yield f"table {table} is both exported and on the skip list"


def bad_key(node: Node | None) -> Iterator[str]:
    """A rule by which SQL cannot tell that two spellings are one key, or the wrong number of columns for it."""
    if node and node.key.id_rule not in KEY_RULES:
        yield f"{node.label}: the rule {node.key.id_rule} is not one for keys"
    elif node and len(node.key.columns) != (2 if node.key.id_rule is IdRule.PAIR else 1):
        yield f"{node.label}: a key of {len(node.key.columns)} columns cannot be read by the rule {node.key.id_rule}"


def bad_uses(table: Table) -> Iterator[str]:
    """Columns of a table with conflicting uses: each is read in only one way."""
    uses: dict[str, set[Use]] = {}
    for column, use in table.all_uses():
        uses.setdefault(column, set()).add(use)
    for column, needed in uses.items():
        as_text = needed <= TEXT_USES and column not in table.key_columns
        if len(needed) > 1 and not as_text:
            yield f"{table.name}.{column} is read in more than one way: {', '.join(sorted(needed))}"


def bad_references(graph: Graph, table: Table) -> Iterator[str]:
    """What the program would ignore or fail on in the patterns of a table."""
    labels = {node.label: node for node in graph.nodes}
    for relationship in table.relationships:
        for label, reference in ends(relationship):
            node = labels.get(label)
            for problem in bad_reference(table, node, reference) if node else [f"there is no label {label}"]:
                yield f"{relationship.name}: {problem}"
        fallbacks = [reference for _, reference in ends(relationship) if reference.columns and reference.by_value]
        if len(fallbacks) > 1:
            yield f"{relationship.name}: only one end can fall back to a link by value"
        for prop in relationship.properties:
            if isinstance(prop, Constant) and prop.by_value and not fallbacks:
                yield f"{relationship.name}: no end is linked by value, so {prop.name} has no value for that"


def bad_reference(table: Table, node: Node, reference: Reference) -> Iterator[str]:
    """What the program would ignore or fail on in a reference from a table's rows to a label."""
    label, key, link = node.label, node.key, reference.by_value
    if table.owns(label, reference):
        if reference != Reference(reference.columns):
            yield f"the end {label} is the row's own node, which needs no more than its columns"
        return
    if reference.columns and len(reference.columns) != len(key.columns):
        yield f"the key of {label} has {len(key.columns)} columns, the reference {len(reference.columns)}"
    if not reference.columns and not link:
        yield f"the reference to {label} has no columns"
    if reference.optional and reference.optional not in (reference.columns or (link and link.column,)):
        yield f"the reference to {label} does not read its optional column {reference.optional}"
    if link and not reference.columns and not reference.optional:
        yield f"a link to {label} by value alone is optional, and must say so"
    # A join table's rows are compared in SQL, which cannot canonicalize text auth IDs.
    is_text_auth_id = reference.id_rule is IdRule.TEXT_AUTH_ID and key.id_rule is IdRule.INTEGER
    if reference.id_rule not in (None, key.id_rule) and not (is_text_auth_id and table.node):
        yield f"the key of {label} cannot be referred to by the rule {reference.id_rule} in {table.name}"
    if link:
        yield from bad_link(table, node, link)


def bad_link(table: Table, owner: Node, link: ByValue) -> Iterator[str]:
    """What the program would ignore or fail on in a link by value from a table's rows to a label."""
    if link.id_rule not in LINK_RULES:
        yield f"the rule {link.id_rule} is not one for links by value"
    if not table.node:
        yield f"{table.name} is a join table, whose rows cannot be linked by value"
    elif link.exclusive and table.node.key.id_rule is not IdRule.INTEGER:
        yield f"an exclusive link needs rows with an integer key, and {table.node.label} has another"
    if owner.key.id_rule is not IdRule.INTEGER:
        yield f"only a label with an integer key can be found by value, and {owner.label} has another"
    if link.owner_column not in {prop.name for prop in owner.properties}:
        yield f"{owner.label} is found by {link.owner_column}, which is not one of its properties"


def bad_linked_values(graph: Graph) -> Iterator[str]:
    """Columns that links by value compare by more than one rule: the index of their values is made by one."""
    values = linked_values(graph)
    for column in repeated(f"{label}.{column}" for label, column, _ in values):
        rules = sorted(rule for label, name, rule in values if f"{label}.{name}" == column)
        yield f"links by value compare {column} by more than one rule: {', '.join(rules)}"


def bad_indexes(graph: Graph) -> Iterator[str]:
    """Indexes that are declared twice, or on a property that does not exist."""
    known = {(node.label, prop.name) for node in graph.nodes for prop in properties(node)}
    for label, name in graph.indexes:
        if (label, name) not in known:
            yield f"index on {label}.{name}: there is no such property"
    for name in repeated(f"{label}.{name}" for label, name in graph.indexes):
        yield f"index on {name} is declared more than once"


def bad_privacy(graph: Graph) -> Iterator[str]:
    """Properties without a privacy class, classes without a property, and classes that contradict the declaration.

    A key may be `key`, or `direct` if it is personal itself; a property may be `key` if it holds another label's key.
    """
    keys = {key_property for node in graph.nodes for key_property in node.key_properties}
    known = named_properties(graph)
    for name, (entity, prop) in known.items():
        own_keys = entity.key_properties if isinstance(entity, Node) else ()
        privacy = graph.privacy.get(name)
        if privacy is None:
            yield f"{name} has no privacy class"
        elif prop in own_keys and privacy not in KEY_CLASSES:
            yield f"{name} is a key, and its privacy class is {privacy}"
        elif privacy is PrivacyClass.KEY and prop not in keys:
            yield f"{name} is not a key, and its privacy class is"
        elif prop.pii and privacy not in PERSONAL:
            yield f"{name} holds personal data ({prop.pii}), and its privacy class is {privacy}"
    for name in graph.privacy:
        if name not in known:
            yield f"there is no property {name}, which has a privacy class"


def bad_treatments(graph: Graph) -> Iterator[str]:
    """Properties of which nothing says what a masked copy does with them, treatments without a property, and those that
    do not fit a property or leave more than its class allows."""
    known = named_properties(graph)
    for name, (entity, prop) in known.items():
        privacy, treatment = graph.privacy[name], treatment_of(name, graph)
        if treatment is None:
            yield f"{name} has no treatment, and neither has its privacy class {privacy}"
        elif treatment not in (fit := fitting(entity, prop, graph)):
            yield f"{name} cannot be {treatment} in a masked copy, only {', '.join(fit)}"
        elif treatment not in ALLOWED[privacy]:
            yield f"{name} is {treatment} in a masked copy, which its privacy class {privacy} does not allow"
    for name in graph.treatments:
        if name not in known:
            yield f"there is no property {name}, which has a treatment"

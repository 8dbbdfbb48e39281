"""What a masked copy does with every property: what was asked for, checked against the model, and what follows for the
columns that are read."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exporter.errors import UsageError
from exporter.model.graph import GRAPH
from exporter.model.tables import Table, ends, node
from exporter.model.treatments import DATE_PARTS, NOTHING_LEFT, OF_CLASS, TOKENS, WORDS, PrivacyClass, Rule, Treatment
from exporter.model.vocabulary import (
    ByValue,
    Constant,
    Entity,
    Graph,
    IdRule,
    Node,
    Property,
    Reference,
    Relationship,
    Type,
)
from exporter.text import nearest

# The only built-in profile, and the version of its treatments.
ANALYST, VERSION = "analyst", 1

Rules = Mapping[str, Rule]
# The properties, by label, which may identify a person in combination, and whose combinations are counted.
QUASI_IDENTIFIERS = (("CustomerProfile", ("dob", "gender", "zodiac_sign", "birth_city")),)

# What a value must become in order to be compared, in a masked copy, by these rules.
COMPARED_AS = {
    IdRule.PHONE: Treatment.TOKEN_PHONE,
    IdRule.CODE: Treatment.TOKEN_CODE,
    IdRule.UUID: Treatment.TOKEN_SESSION,
}
TEXT_TREATMENTS = WORDS | TOKENS | NOTHING_LEFT


@dataclass(frozen=True, slots=True)
class RedactionRequest:
    """What the user asked for. Without a `key_file` a key is drawn for the run. `changes` are treatments by property,
    `accept` the properties whose treatment may be weaker than their class allows. A combination of the properties in
    `quasi`, given by label, is rare if fewer than `k` rows have it; more rare rows than the share `max_small` are
    refused."""

    profile: str
    key_file: Path | None = None
    changes: Mapping[str, str] = field(default_factory=dict)
    accept: frozenset[str] = frozenset()
    k: int = 5
    max_small: float | None = None
    quasi: tuple[tuple[str, tuple[str, ...]], ...] = ()


def named_properties(graph: Graph = GRAPH) -> dict[str, tuple[Entity, Property]]:
    """Every property but the constants, by `Label.property` or `Start-TYPE-End.property`; a node's key first."""
    entities: tuple[Entity, ...] = (*graph.nodes, *graph.relationships)
    return {
        f"{entity.name}.{prop.name}": (entity, prop)
        for entity in entities
        for prop in (*(entity.key_properties if isinstance(entity, Node) else ()), *entity.properties)
        if not isinstance(prop, Constant)
    }


def effective_rules(changes: Mapping[str, str], accept: Collection[str], graph: Graph = GRAPH) -> Rules:
    """The rule of every property, in the order of the declaration, with the user's changes to the treatments.

    Raises `UsageError` with all faults at once: properties or treatments that do not exist, treatments that do not fit,
    weaker ones that are not accepted, accepted ones that are not weaker, properties without a class or treatment.
    """
    declared = named_properties(graph)
    faults = [
        f"redact_{where}: there is no property {name}{nearest(name, declared)}"
        for where, name in unknown(declared, changes, accept)
    ]
    rules = {}
    for name, (entity, prop) in declared.items():
        asked = changes.get(name)
        treatment = treatment_of(name, graph)
        fit = fitting(entity, prop, graph)
        if treatment is None:
            faults.append(f"{name} has no privacy class or treatment in the model (exporter/model/privacy.py)")
            continue
        if asked is not None and asked not in fit:
            known = "cannot be" if asked in set(Treatment) else "has no treatment"
            faults.append(f'redact_changes: {name} {known} "{asked}"; it can be {", ".join(fit)}')
            continue
        rule = rules[name] = Rule(graph.privacy[name], treatment if asked is None else Treatment(asked))
        if rule.is_weak and name not in accept:
            faults.append(
                f"redact_changes: {rule.treatment} is weaker than {name} allows, whose class is {rule.privacy_class};"
                " name it in redact_accept if that is meant"
            )
        elif name in accept and not rule.is_weak:
            faults.append(f"redact_accept: {name} is {rule.treatment}, which its class allows")
    if faults:
        raise UsageError("\n  ".join(["this cannot be masked:", *faults]))
    return rules


def unknown(
    declared: Collection[str], changes: Mapping[str, str], accept: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The names of properties that do not exist, each with the setting that has it."""
    for where, names in (("changes", changes), ("accept", sorted(accept))):
        yield from ((where, name) for name in names if name not in declared)


def treatment_of(name: str, graph: Graph = GRAPH) -> Treatment | None:
    """The declared treatment of a property: its own, else that of its class; None if there is neither."""
    privacy = graph.privacy.get(name)
    return None if privacy is None else graph.treatments.get(name) or OF_CLASS.get(privacy)


def fitting(entity: Entity, prop: Property, graph: Graph = GRAPH) -> list[Treatment]:
    """The treatments that a property can have, by what it is: keys and what links compare can be found by tokens alone,
    only dates have a year, and only a text can be replaced by another."""
    found = {Treatment.KEEP}
    if isinstance(entity, Node) and prop in entity.key_properties:
        token = COMPARED_AS.get(entity.key.id_rule)
        found |= {token} if token else set()
    elif isinstance(entity, Node) and prop.name in entity.key.columns:
        found.add(Treatment.TOKEN_DEVICE)  # the text of a pair, taken verbatim
    elif link := link_rule(entity, prop, graph):
        found |= {COMPARED_AS[link]} if link in COMPARED_AS else set()
    elif prop.type is Type.STRING:
        found |= TEXT_TREATMENTS
        if isinstance(entity, Node) and entity.key.id_rule is IdRule.INTEGER:
            found.add(Treatment.LABEL)
    elif prop.type in (Type.DATE, Type.DATETIME):
        found |= {*DATE_PARTS, Treatment.DROP}
    else:
        found.add(Treatment.DROP)
    return [treatment for treatment in Treatment if treatment in found]


def link_rule(entity: Entity, prop: Property, graph: Graph = GRAPH) -> IdRule | None:
    """The rule by which links by value compare a property; None if none does."""
    for relationship, label, link in links(graph):
        if (label, link.owner_column) == (entity.name, prop.name):
            return link.id_rule
        if (relationship.table, link.column) == (entity.table, prop.name):
            return link.id_rule
    return None


def links(graph: Graph) -> Iterator[tuple[Relationship, str, ByValue]]:
    """Every link by value, with its pattern and the label that it finds."""
    for relationship in graph.relationships:
        for label, reference in ends(relationship):
            if reference.by_value:
                yield relationship, label, reference.by_value


def column_rules(table: Table, rules: Rules) -> dict[str, Rule]:
    """The rule of each column that is read from a table. A column that refers to a label has that of the label's key,
    and one that a link compares has that of the property which it is compared with."""
    found: dict[str, Rule] = {}
    if table.node:
        found |= key_rules(table.node, table.node.key.columns, rules)
        found |= {prop.name: rules[f"{table.node.label}.{prop.name}"] for prop in table.node.properties}
    for relationship in table.relationships:
        for prop in relationship.properties:
            if isinstance(prop, Property):
                found[prop.name] = rules[f"{relationship.name}.{prop.name}"]
        for label, reference in ends(relationship):
            found = reference_rules(node(label, table.graph), reference, rules) | found
    return found


def reference_rules(target: Node, reference: Reference, rules: Rules) -> dict[str, Rule]:
    """The rules of the columns of a reference to a label."""
    found = key_rules(target, reference.columns, rules)
    if link := reference.by_value:
        found[link.column] = rules[f"{target.label}.{link.owner_column}"]
    return found


def key_rules(target: Node, columns: tuple[str, ...], rules: Rules) -> dict[str, Rule]:
    """The rules of columns that hold the key of a label. The number in a pair is another label's key."""
    kept = Rule(PrivacyClass.KEY, Treatment.KEEP)
    names = [f"{target.label}.{column}" for column in target.key.columns]
    return dict(zip(columns, (rules.get(name, kept) for name in names), strict=False))


def weakened(rules: Rules) -> list[str]:
    """The properties of which more is left than their class allows."""
    return [name for name, rule in rules.items() if rule.is_weak]


def rules_sha256(rules: Rules) -> str:
    """The SHA-256 of an effective table: equal for two copies exactly if their properties were treated alike."""
    rows = sorted([name, rule.privacy_class, rule.treatment] for name, rule in rules.items())
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()

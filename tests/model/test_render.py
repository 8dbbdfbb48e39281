"""The model as people and machines read it."""

import hashlib
import json
import re

import pytest

from exporter.model.graph import GROUPS, NODES, RELATIONSHIPS, SKIPPED_TABLES
from exporter.model.render import as_object, groups, mermaid, model_json, model_sha256, pattern, reference_text
from exporter.model.tables import ordered_relationships


def test_the_json_is_canonical() -> None:
    """Parsed and written again with sorted keys and no blanks, it is the same text."""
    text = model_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_the_json_holds_the_whole_model() -> None:
    """Every label, pattern and skipped table is in it."""
    model = json.loads(model_json())
    assert [node["label"] for node in model["nodes"]] == [node.label for node in NODES]
    assert ["{start}-{type}-{end}".format_map(relationship) for relationship in model["relationships"]] == [
        relationship.name for relationship in ordered_relationships()
    ]
    assert model["skipped_tables"] == sorted(SKIPPED_TABLES)


def test_an_entity_in_the_json() -> None:
    """One label and one pattern, whole."""
    model = as_object()
    assert next(node for node in model["nodes"] if node["label"] == "Skill") == {
        "label": "Skill",
        "table": "guide.skills",
        "key": {"columns": ("id",), "grammar": "integer"},
        "properties": (
            {"name": "name", "type": "string", "mark": None},
            {"name": "description", "type": "string", "mark": None},
        ),
        "latest": None,
    }
    assert next(relationship for relationship in model["relationships"] if relationship["type"] == "HAS_SKILL") == {
        "start": "Guide",
        "type": "HAS_SKILL",
        "end": "Skill",
        "table": "guide.guide_skills",
        "start_reference": {"columns": ("guide_id",), "optional": None, "grammar": None, "by_value": None},
        "end_reference": {"columns": ("skill_id",), "optional": None, "grammar": None, "by_value": None},
        "properties": (),
    }


def test_the_digest_is_that_of_the_json() -> None:
    """What the manifest names is what is printed."""
    assert model_sha256() == hashlib.sha256(model_json().encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "end", "text"),
    [
        ("Customer-HAS_AUTH-AuthUser", "end", "x_auth_id ?"),
        ("Customer-BOOKED-Consultation", "start", "customer_id"),
        ("Guide-REFERRED_BY-Guide", "end", "referral_code = referrer_code ?"),
        ("Guide-HAS_WALLET-GuideWallet", "start", "consultant_id, else by phone_number"),
        ("Session-ON_DEVICE-Device", "end", "auth_user_id, device_id ?"),
    ],
)
def test_references(name: str, end: str, text: str) -> None:
    """An end's column is written as in the specification's table."""
    relationship = next(relationship for relationship in RELATIONSHIPS if relationship.name == name)
    assert reference_text(relationship.start_reference if end == "start" else relationship.end_reference) == text


def test_a_pattern() -> None:
    """A pattern is written as in Cypher, with the names of its properties."""
    written = {relationship.name: pattern(relationship) for relationship in RELATIONSHIPS}
    assert written["Customer-HAS_AUTH-AuthUser"] == "(Customer)-[HAS_AUTH {via}]->(AuthUser)"
    assert written["Customer-BOOKED-Consultation"] == "(Customer)-[BOOKED]->(Consultation)"


def test_groups() -> None:
    """Each heading of the declaration with its tables."""
    rendered = {name: tuple(table.name for table in tables) for name, tables in groups().items()}
    assert rendered == {group.name: group.tables for group in GROUPS}


IDENTITIES = """\
  subgraph g2["Identities"]
    direction LR
    Customer
    Guide
    CustomerProfile
    AuthUser_2["AuthUser"]:::elsewhere
    Customer -->|HAS_AUTH| AuthUser_2
    Guide -->|HAS_AUTH| AuthUser_2
    Guide -->|REFERRED_BY| Guide
    Customer -->|HAS_PROFILE| CustomerProfile
  end
"""


def test_a_group_in_the_diagram() -> None:
    """Its labels, those of other groups that its rows refer to, and its arrows."""
    assert IDENTITIES in mermaid()


def test_the_diagram_is_the_whole_model() -> None:
    """Every label stands in one group and every pattern is one arrow."""
    lines = [line.strip() for line in mermaid().split("\n")]
    arrows = [re.sub(r"_\d+\b", "", line) for line in lines if "-->" in line]
    expected = (f"{pattern.start} -->|{pattern.type}| {pattern.end}" for pattern in RELATIONSHIPS)
    assert sorted(arrows) == sorted(expected)
    assert sorted(line for line in lines if line.isidentifier() and line != "end") == sorted(n.label for n in NODES)
    assert [line for line in lines if line.startswith("subgraph")] == [
        f'subgraph g{number}["{group.name}"]' for number, group in enumerate(GROUPS)
    ]

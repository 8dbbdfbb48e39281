"""The instructions for Neo4j: the importer's arguments and the server's schema."""

import pytest

from exporter.errors import SourceError
from exporter.model.graph import NODES
from exporter.model.tables import ordered_relationships
from exporter.sink.instructions import import_arguments, longest_line, schema_cypher
from exporter.sink.layout import entities
from exporter.sink.tally import Oversized, Tally, new_tallies

FILES = {entity.name: [f"{entity.name}/part-0001.csv"] for entity in entities()}


def test_arguments() -> None:
    """No tolerance, an entity a line in import order, header first, then every data file."""
    files = FILES | {"Skill": ["nodes/Skill/part-0001.csv", "nodes/Skill/part-0002.csv"]}
    lines = import_arguments(files, multiline=False, longest=90).splitlines()
    assert lines[:5] == [
        "--id-type=string",
        "--bad-tolerance=0",
        "--strict=true",
        "--read-buffer-size=256k",
        "--nodes=Skill=headers/Skill.csv,nodes/Skill/part-0001.csv,nodes/Skill/part-0002.csv",
    ]
    assert "--relationships=HAS_SKILL=headers/Guide-HAS_SKILL-Skill.csv,Guide-HAS_SKILL-Skill/part-0001.csv" in lines
    assert [line.split("=")[:2] for line in lines[4:]] == [
        *(["--nodes", node.label] for node in NODES),
        *(["--relationships", relationship.type] for relationship in ordered_relationships()),
    ]


def test_line_breaks_are_asked_for_when_there_are_some() -> None:
    """They cost the import time, so only then."""
    without, with_breaks = (
        import_arguments(FILES, multiline=there, longest=90).splitlines() for there in (False, True)
    )
    assert [line for line in with_breaks if line not in without] == ["--multiline-fields=true"]
    assert with_breaks.index("--multiline-fields=true") < with_breaks.index(
        "--nodes=Skill=headers/Skill.csv,Skill/part-0001.csv"
    )


@pytest.mark.parametrize(
    ("longest", "buffer"),
    [
        (0, 256),
        (128 << 10, 256),
        ((128 << 10) + 1, 512),
        (2 << 20, 4 << 10),
        (5 << 20, 7 << 10),
        (100_000_000, 97 << 10),
    ],
)
def test_the_buffer_holds_every_line_twice(longest: int, buffer: int) -> None:
    """One that does not hold a line fails; a large one takes its time for each file, and memory: it holds it once."""
    assert f"--read-buffer-size={buffer}k" in import_arguments(FILES, multiline=False, longest=longest).splitlines()


def test_a_line_that_neo4j_cannot_read() -> None:
    """Java has no array for its buffer: the source cannot be exported, and it is said which rows are too long."""
    tallies = new_tallies() | {"Feedback": Tally(longest=(1021 << 20) + 5)}
    assert longest_line(tallies) == (1021 << 20) + 5
    tallies["Lead"] = Tally(longest=1022 << 20)
    sentence = "a row of Lead is 1,022 MB long, with its quotes doubled; Neo4j's importer takes 1,021 MB: shorten"
    with pytest.raises(SourceError, match=sentence):
        longest_line(tallies)


def test_the_text_ends_with_a_line_end() -> None:
    """One argument a line, the last one too, and no blank line between."""
    text = import_arguments(FILES, multiline=True, longest=90)
    assert text.endswith("\n")
    assert "" not in text[:-1].split("\n")


def test_constraints() -> None:
    """One for each label's key property; a pair, such as Device's, is none (graph-model.md)."""
    lines = [line for line in schema_cypher().splitlines() if line.startswith("CREATE CONSTRAINT")]
    keys = [(node.label, node.key.columns[0]) for node in NODES if len(node.key.columns) == 1]
    assert lines == [
        f"CREATE CONSTRAINT {label}_{key} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE;"
        for label, key in keys
    ]
    assert "Device" not in dict(keys)


def test_indexes() -> None:
    """Those of the specification, and then the server's word that they are ready."""
    lines = schema_cypher().splitlines()
    assert [line for line in lines if not line.startswith("CREATE CONSTRAINT")] == [
        "CREATE INDEX Customer_phone_number IF NOT EXISTS FOR (n:Customer) ON (n.phone_number);",
        "CREATE INDEX Guide_phone_number IF NOT EXISTS FOR (n:Guide) ON (n.phone_number);",
        "CREATE INDEX AuthUser_phone_number IF NOT EXISTS FOR (n:AuthUser) ON (n.phone_number);",
        "CREATE INDEX Lead_phone IF NOT EXISTS FOR (n:Lead) ON (n.phone);",
        "CREATE INDEX Device_device_id IF NOT EXISTS FOR (n:Device) ON (n.device_id);",
        "CREATE INDEX WalletOrder_status IF NOT EXISTS FOR (n:WalletOrder) ON (n.status);",
        "CREATE INDEX Transaction_type IF NOT EXISTS FOR (n:Transaction) ON (n.type);",
        "CREATE INDEX Consultation_created_at IF NOT EXISTS FOR (n:Consultation) ON (n.created_at);",
        "CREATE INDEX Payment_created_at IF NOT EXISTS FOR (n:Payment) ON (n.created_at);",
        "CREATE INDEX Notification_created_at IF NOT EXISTS FOR (n:Notification) ON (n.created_at);",
        "CALL db.awaitIndexes(3600);",
    ]


def test_an_index_that_cannot_be_built() -> None:
    """A comment takes its place, and everything else is as before."""
    found = {"Device": {"device_id": Oversized(1, 8165, "9:…")}, "Session": {"id": Oversized(2, 9000, "some key")}}
    before, after = schema_cypher().splitlines(), schema_cypher(found).splitlines()
    changes = [(was, now) for was, now in zip(before, after, strict=True) if was != now]
    assert changes == [
        (
            "CREATE CONSTRAINT Session_id IF NOT EXISTS FOR (n:Session) REQUIRE n.id IS UNIQUE;",
            "// No index on Session.id: 2 values exceed the 8,164 bytes that an index holds; "
            "the largest, of the Session some key, has 9,000",
        ),
        (
            "CREATE INDEX Device_device_id IF NOT EXISTS FOR (n:Device) ON (n.device_id);",
            "// No index on Device.device_id: 1 value exceeds the 8,164 bytes that an index holds; "
            "the largest, of the Device 9:…, has 8,165",
        ),
    ]

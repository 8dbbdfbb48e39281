"""The manifest: sums that hold, the exact text, and the same read back."""

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import DifferenceError
from exporter.sink.files import FileRecord
from exporter.sink.layout import entities
from exporter.sink.manifest import (
    Manifest,
    NodeEntry,
    Options,
    RelationshipEntry,
    Totals,
    entry,
    make_manifest,
    manifest_json,
    read_manifest,
    timestamp,
)
from exporter.sink.tally import Oversized, SkippedIndex, Tally, new_tallies
from tests.support import tiny_export
from tests.support.manifests import METADATA

ENTITIES = {entity.name: entity for entity in entities()}
SKILLS = Tally(
    rows=3,
    values=Counter(id=3, name=3, description=1),
    rejects=Counter(null_id=1, unrepresentable_value=2, duplicate_id=1),
    files=(FileRecord("nodes/Skill/part-0001.csv", 3, 40, "aa"),),
)
DEVICES = Tally(
    rows=2,
    values=Counter({":ID": 2, "device_id": 2, "platform": 1}),
    files=(FileRecord("nodes/Device/part-0001.csv", 2, 30, "bb"),),
)
SKILLS_OF_GUIDES = Tally(
    rows=4,
    rejects=Counter(dangling_end=2),
    files=(FileRecord("relationships/Guide-HAS_SKILL-Skill/part-0001.csv", 4, 20, "cc"),),
)
LOGINS_OF_CUSTOMERS = Tally(rows=5, no_target=2, values=Counter({":START_ID": 5, ":END_ID": 5, "via": 5}))
TALLIES = new_tallies() | {
    "Skill": SKILLS,
    "Device": DEVICES,
    "Guide-HAS_SKILL-Skill": SKILLS_OF_GUIDES,
    "Customer-HAS_AUTH-AuthUser": LOGINS_OF_CUSTOMERS,
}
SKILL = NodeEntry(
    label="Skill",
    table="guide.skills",
    rows=3,
    properties=7,
    property_counts={"id": 3, "name": 3, "description": 1},
    rejects={"duplicate_id": 1, "null_id": 1, "unrepresentable_value": 2},
)
HAS_AUTH = RelationshipEntry(
    start="Customer",
    type="HAS_AUTH",
    end="AuthUser",
    table="customers.customer",
    rows=5,
    properties=5,
    property_counts={"via": 5},
    no_target=2,
    rejects={},
)
SMALL = Manifest(
    1, METADATA.tool, METADATA.model, METADATA.source,
    Options("Asia/Kolkata", {"marketing.leads": "crm.prospects"}, {"marketing.leads": {"phone": "Telefon ü"}}),
    METADATA.started_at, METADATA.finished_at, [SKILL], [HAS_AUTH],
    [FileRecord("nodes/Skill/part-0001.csv", 3, 40, "aa")], Totals(3, 5, 12, 40, 4),
    [SkippedIndex("Device", "device_id", 2, 8166, "2:…")],
)  # fmt: skip
SMALL_TEXT = """\
{
  "format": 1,
  "tool": {
    "name": "astrokiran-graph-exporter",
    "version": "1.0.0"
  },
  "model": {
    "sha256": "0000000000000000000000000000000000000000000000000000000000000000"
  },
  "source": {
    "database": "astrokiran",
    "server_version": "18.4",
    "host": "db.example.org",
    "identity": "postgresql:7301234567890123456/astrokiran",
    "snapshot_at": "2026-11-23T03:15:01.250000Z",
    "wal_lsn": "0/16B3748"
  },
  "options": {
    "timezone": "Asia/Kolkata",
    "tables": {
      "marketing.leads": "crm.prospects"
    },
    "columns": {
      "marketing.leads": {
        "phone": "Telefon ü"
      }
    }
  },
  "started_at": "2026-11-23T03:15:00.000000Z",
  "finished_at": "2026-11-23T03:15:02.500000Z",
  "nodes": [
    {
      "label": "Skill",
      "table": "guide.skills",
      "rows": 3,
      "properties": 7,
      "property_counts": {
        "id": 3,
        "name": 3,
        "description": 1
      },
      "rejects": {
        "duplicate_id": 1,
        "null_id": 1,
        "unrepresentable_value": 2
      }
    }
  ],
  "relationships": [
    {
      "start": "Customer",
      "type": "HAS_AUTH",
      "end": "AuthUser",
      "table": "customers.customer",
      "rows": 5,
      "properties": 5,
      "property_counts": {
        "via": 5
      },
      "no_target": 2,
      "rejects": {}
    }
  ],
  "files": [
    {
      "path": "nodes/Skill/part-0001.csv",
      "rows": 3,
      "bytes": 40,
      "sha256": "aa"
    }
  ],
  "totals": {
    "nodes": 3,
    "relationships": 5,
    "properties": 12,
    "bytes": 40,
    "rejects": 4
  },
  "skipped_indexes": [
    {
      "label": "Device",
      "property": "device_id",
      "values": 2,
      "bytes": 8166,
      "key": "2:…"
    }
  ]
}
"""


def test_an_empty_manifest() -> None:
    """Every entity has an entry before anything is written, in import order, nodes first."""
    manifest = make_manifest(new_tallies(), METADATA)
    assert [entry.name for entry in manifest.entities] == list(ENTITIES)
    assert (manifest.files, manifest.totals) == ([], Totals(0, 0, 0, 0, 0))


def test_entries() -> None:
    """A label's key is a property, a pair and both ends are not; rejects are counted by reason."""
    assert entry(ENTITIES["Skill"], SKILLS) == SKILL
    assert entry(ENTITIES["Customer-HAS_AUTH-AuthUser"], LOGINS_OF_CUSTOMERS) == HAS_AUTH
    assert entry(ENTITIES["Device"], DEVICES).property_counts == {
        "device_id": 2, "device_type": 0, "platform": 1, "fcm_token": 0, "created_at": 0, "updated_at": 0,
    }  # fmt: skip


def test_the_names_of_entries() -> None:
    """One for folders and headers, the model's, and one for sentences."""
    entries = make_manifest(new_tallies(), METADATA).entities
    assert [entry.name for entry in entries] == list(ENTITIES)
    assert (SKILL.name, SKILL.pattern, SKILL.folder) == ("Skill", "Skill", "nodes/Skill")
    assert (HAS_AUTH.name, HAS_AUTH.pattern, HAS_AUTH.folder) == (
        "Customer-HAS_AUTH-AuthUser", "(Customer)-[HAS_AUTH]->(AuthUser)", "relationships/Customer-HAS_AUTH-AuthUser",
    )  # fmt: skip


def test_the_rows_of_a_table() -> None:
    """Rows, rejects but for values, and rows without a target."""
    assert (SKILL.table_rows, HAS_AUTH.table_rows) == (5, 7)


def test_files_and_totals() -> None:
    """They are the sums over all entities; what is said of the run comes through."""
    manifest = make_manifest(TALLIES, METADATA)
    assert manifest.files == [*SKILLS.files, *DEVICES.files, *SKILLS_OF_GUIDES.files]
    assert manifest.totals == Totals(nodes=5, relationships=9, properties=15, bytes=90, rejects=6)
    assert {part: getattr(manifest, part) for part in asdict(METADATA)} == {
        part: getattr(METADATA, part) for part in asdict(METADATA)
    }


def test_indexes_that_are_left_out(tmp_path: Path) -> None:
    """They are listed, and each is a sentence; a manifest of before has none."""
    devices = replace(DEVICES, oversized={"device_id": Oversized(2, 8166, "2:…")})
    manifest = make_manifest(TALLIES | {"Device": devices}, METADATA)
    assert manifest.skipped_indexes == [SkippedIndex("Device", "device_id", 2, 8166, "2:…")]
    assert str(manifest.skipped_indexes[0]) == (
        "no index on Device.device_id: 2 values exceed the 8,164 bytes that an index holds; "
        "the largest, of the Device 2:…, has 8,166"
    )
    content = json.loads(SMALL_TEXT)
    del content["skipped_indexes"]
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    assert read_manifest(tmp_path) == replace(SMALL, skipped_indexes=[])


def test_the_text() -> None:
    """Byte for byte: what other versions and other programs read."""
    assert manifest_json(SMALL).decode() == SMALL_TEXT


def test_a_manifest_comes_back(tmp_path: Path) -> None:
    """As it was written; keys that a later version has added are passed over."""
    (tmp_path / "manifest.json").write_bytes(manifest_json(SMALL))
    assert read_manifest(tmp_path) == SMALL
    content = json.loads(SMALL_TEXT)
    parts = (
        content,
        content["source"],
        content["options"],
        content["nodes"][0],
        content["files"][0],
        content["totals"],
    )
    for part in parts:
        part["later"] = {}
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert read_manifest(tmp_path) == SMALL


@given(st.text())
def test_any_text_is_written_as_json_writes_it(text: str) -> None:
    """Whatever a database or a column is called: not escaped but where JSON must."""
    manifest = replace(SMALL, options=Options(text, {text: text}, {}), source=replace(SMALL.source, database=text))
    content = manifest_json(manifest).decode()
    assert content == json.dumps(json.loads(content), indent=2, ensure_ascii=False) + "\n"
    assert json.loads(content)["source"]["database"] == text


def test_a_timestamp() -> None:
    """UTC with microseconds, from whatever zone."""
    kolkata = timezone(timedelta(hours=5, minutes=30))
    assert timestamp(datetime(2026, 11, 23, 8, 45, tzinfo=kolkata)) == "2026-11-23T03:15:00.000000Z"
    assert timestamp(datetime(2026, 11, 23, 3, 15, 0, 7, UTC)) == "2026-11-23T03:15:00.000007Z"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "manifest.json is missing"),
        ("{", "manifest.json is not JSON"),
        ("[]", "manifest.json has format None, and this program reads format 1"),
        ('{"format": 2}', "manifest.json has format 2, and this program reads format 1"),
        (r'{"format": "\u001b[2J"}', r"manifest.json has format \x1B[2J, and this program reads format 1"),
        ("[" * 100_000 + "]" * 100_000, "manifest.json is not JSON"),
        ('{"format": 1}', "manifest.json is not what this program writes: see tool"),
        (
            SMALL_TEXT.replace('"rows": 3', '"rows": "many"', 1),
            "manifest.json is not what this program writes: see nodes.0.rows",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read(tmp_path: Path, content: str | None, sentence: str) -> None:
    """It is a difference, and the message names the first key that is wrong."""
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(DifferenceError) as refused:
        read_manifest(tmp_path)
    assert str(refused.value) == sentence


def test_a_manifest_of_another_hand(tmp_path: Path) -> None:
    """One written elsewhere, by the contract alone, is read."""
    manifest = read_manifest(tiny_export.write(tmp_path / "export"))
    assert (manifest.source.database, manifest.totals.nodes, manifest.source.snapshot_at) == (
        "tiny", 18, datetime(2026, 11, 23, 3, 15, 1, 250_000, UTC),
    )  # fmt: skip

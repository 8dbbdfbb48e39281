"""The manifest: sums that hold, the exact text, and the same read back."""

import json
from collections import Counter
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import DifferenceError
from exporter.sink.copies import (
    timestamp,
)
from exporter.sink.entries import NodeEntry, RelationshipEntry, entry
from exporter.sink.files import FileRecord
from exporter.sink.layout import entities
from exporter.sink.manifest import Manifest, Options, Totals, make_manifest, manifest_json, read_manifest
from exporter.sink.tally import Oversized, SkippedIndex, Tally, new_tallies
from exporter.text import visible_json, visible_lines
from tests.support import tiny_export
from tests.support.manifests import METADATA, REDACTION, WINDOW

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
  "window": null,
  "redaction": null,
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
      },
      "outside_window": 0
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
      "rejects": {},
      "outside_window": 0
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
    """Whatever a database or a column is called: not escaped but where JSON must, or a terminal would obey."""
    manifest = replace(SMALL, options=Options(text, {text: text}, {}), source=replace(SMALL.source, database=text))
    content = manifest_json(manifest).decode()
    assert content == visible_json(json.dumps(json.loads(content), indent=2, ensure_ascii=False)) + "\n"
    assert visible_lines(content) == content
    assert json.loads(content)["source"]["database"] == text


def test_a_timestamp() -> None:
    """UTC with microseconds, from whatever zone."""
    kolkata = timezone(timedelta(hours=5, minutes=30))
    assert timestamp(datetime(2026, 11, 23, 8, 45, tzinfo=kolkata)) == "2026-11-23T03:15:00.000000Z"
    assert timestamp(datetime(2026, 11, 23, 3, 15, 0, 7, UTC)) == "2026-11-23T03:15:00.000007Z"
    assert timestamp(datetime(110, 5, 26, 9, 8, tzinfo=UTC)) == "0110-05-26T09:08:00.000000Z"
    assert str(replace(WINDOW, since=datetime(110, 5, 26, 9, 8, tzinfo=UTC)))[:26] == "since 0110-05-26 09:08 UTC"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "manifest.json is missing"),
        ("{", "manifest.json is not JSON"),
        ("[]", "manifest.json has format None, and this program reads formats 1 and 2"),
        ('{"format": 3}', "manifest.json has format 3, and this program reads formats 1 and 2"),
        (r'{"format": "\u001b[2J"}', r"manifest.json has format \x1B[2J, and this program reads formats 1 and 2"),
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


WINDOW_JSON = {
    "since": "2026-11-16T03:15:01.250000Z",
    "until": None,
    "sample": 0.01,
    "seed": 7,
    "roots": [{"label": "Customer", "property": "phone_number", "matched": 1}],
    "without": ["Notification"],
    "rows": {"in": 35_261, "of": 99_704},
    "pulled": [{"by": "(Notification)-[TO_USER]->(AuthUser)", "rows": 1_427}],
}


def test_a_faithful_export_has_no_window() -> None:
    """Its format is 1, so that programs of before read it."""
    manifest = make_manifest(TALLIES, METADATA)
    assert (manifest.format, manifest.is_copy, manifest.window, manifest.redaction) == (1, False, None, None)


@pytest.mark.parametrize("part", [{"window": WINDOW}, {"redaction": REDACTION}])
def test_a_copy_has_a_format_of_its_own(part: dict[str, Any], tmp_path: Path) -> None:
    """Programs of before refuse it; this one reads what it wrote."""
    manifest = make_manifest(TALLIES, replace(METADATA, **part))
    assert (manifest.format, manifest.is_copy) == (2, True)
    (tmp_path / "manifest.json").write_bytes(manifest_json(manifest))
    assert read_manifest(tmp_path) == manifest


def test_the_text_of_a_copy() -> None:
    """As contract.md has it: absolute times, and what a root is found by without its value."""
    content = json.loads(manifest_json(make_manifest(TALLIES, replace(METADATA, window=WINDOW, redaction=REDACTION))))
    assert content["window"] == WINDOW_JSON
    assert content["redaction"] == asdict(REDACTION)
    assert content["redaction"]["note"] == "pseudonymised, not anonymous"
    assert list(content)[4:9] == ["options", "window", "redaction", "started_at", "finished_at"]


def test_rows_outside_of_the_window() -> None:
    """They are part of the table."""
    skills = entry(ENTITIES["Skill"], replace(SKILLS, outside=40))
    assert (skills.outside_window, skills.table_rows) == (40, 45)
    has_auth = entry(ENTITIES["Customer-HAS_AUTH-AuthUser"], replace(LOGINS_OF_CUSTOMERS, outside=3))
    assert (has_auth.outside_window, has_auth.table_rows) == (3, 10)


def test_a_manifest_of_before(tmp_path: Path) -> None:
    """One without windows is read: nothing is outside."""
    content = json.loads(SMALL_TEXT)
    del content["window"], content["redaction"]
    del content["nodes"][0]["outside_window"], content["relationships"][0]["outside_window"]
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    assert read_manifest(tmp_path) == SMALL


@pytest.mark.parametrize(
    "change", [{"format": 1, "window": WINDOW_JSON}, {"format": 2}, {"format": 1, "redaction": asdict(REDACTION)}]
)
def test_a_format_that_is_not_that_of_its_window(change: dict[str, Any], tmp_path: Path) -> None:
    """A copy never passes for the whole source, whoever edited the manifest."""
    (tmp_path / "manifest.json").write_text(json.dumps(json.loads(SMALL_TEXT) | change))
    with pytest.raises(DifferenceError, match="which is not that of its window and redaction"):
        read_manifest(tmp_path)

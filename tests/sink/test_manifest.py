"""The manifest: sums that hold, and the proof that every row is accounted for."""

from collections import Counter

from exporter.model.tables import tables
from exporter.sink.files import FileRecord
from exporter.sink.manifest import Tally, manifest, new_tallies, unaccounted

EMPTY_COUNTS = {table.name: 0 for table in tables()}


def filled() -> dict[str, Tally]:
    """Tallies in which a few entities have something."""
    tallies = new_tallies()
    skill = tallies["Skill"]
    skill.rows, skill.values = 3, Counter(id=3, name=3, description=1)
    skill.rejects = Counter(null_id=1, unrepresentable_value=2, duplicate_id=1)
    skill.files = [FileRecord("nodes/Skill/part-0001.csv", 3, 40, "aa")]
    device = tallies["Device"]
    device.rows, device.values = 2, Counter({":ID": 2, "device_id": 2, "platform": 1})
    device.files = [FileRecord("nodes/Device/part-0001.csv", 2, 30, "bb")]
    made = tallies["Guide-HAS_SKILL-Skill"]
    made.rows, made.no_target, made.rejects = 4, 0, Counter(dangling_end=2)
    made.files = [FileRecord("relationships/Guide-HAS_SKILL-Skill/part-0001.csv", 4, 20, "cc")]
    auth = tallies["Customer-HAS_AUTH-AuthUser"]
    auth.rows, auth.no_target, auth.values = 5, 2, Counter({":START_ID": 5, ":END_ID": 5, "via": 5})
    return tallies


def test_an_empty_manifest() -> None:
    """Every entity has an entry before anything is written, in import order, nodes first."""
    tallies = new_tallies()
    assert (list(tallies)[:2], list(tallies)[33], len(tallies)) == (["Skill", "Language"], "AuthUser-HAS_ROLE-Role", 77)
    made = manifest(tallies, about={})
    assert made["totals"] == {"nodes": 0, "relationships": 0, "properties": 0, "bytes": 0, "rejects": 0}
    assert (len(made["nodes"]), len(made["relationships"]), made["files"]) == (33, 44, [])


def test_entries() -> None:
    """A label's key is a property, a pair and both ends are none; rejects are counted by reason."""
    tallies = filled()
    assert tallies["Skill"].entry() == {
        "label": "Skill",
        "table": "guide.skills",
        "rows": 3,
        "properties": 7,
        "property_counts": {"id": 3, "name": 3, "description": 1},
        "rejects": {"duplicate_id": 1, "null_id": 1, "unrepresentable_value": 2},
    }
    assert tallies["Device"].entry()["property_counts"] == {
        "device_id": 2,
        "device_type": 0,
        "platform": 1,
        "fcm_token": 0,
        "created_at": 0,
        "updated_at": 0,
    }
    assert tallies["Customer-HAS_AUTH-AuthUser"].entry() == {
        "start": "Customer",
        "type": "HAS_AUTH",
        "end": "AuthUser",
        "table": "customers.customer",
        "rows": 5,
        "properties": 5,
        "property_counts": {"via": 5},
        "no_target": 2,
        "rejects": {},
    }


def test_the_whole_object() -> None:
    """What is said of the run comes through; files and totals are the sums over all entities."""
    made = manifest(filled(), about={"tool": {"name": "exporter"}, "started_at": "now"})
    assert list(made) == ["format", "tool", "started_at", "nodes", "relationships", "files", "totals"]
    assert (made["format"], made["tool"], made["started_at"]) == (1, {"name": "exporter"}, "now")
    assert made["files"] == [
        {"path": "nodes/Skill/part-0001.csv", "rows": 3, "bytes": 40, "sha256": "aa"},
        {"path": "nodes/Device/part-0001.csv", "rows": 2, "bytes": 30, "sha256": "bb"},
        {"path": "relationships/Guide-HAS_SKILL-Skill/part-0001.csv", "rows": 4, "bytes": 20, "sha256": "cc"},
    ]
    assert made["totals"] == {"nodes": 5, "relationships": 9, "properties": 15, "bytes": 90, "rejects": 6}


def test_every_row_is_accounted_for() -> None:
    """Rows, rejects but for values, and rows without a target are `count(*)`, entity by entity."""
    tallies = filled()
    counts = EMPTY_COUNTS | {
        "guide.skills": 5,
        "auth.user_devices": 2,
        "guide.guide_skills": 6,
        "customers.customer": 7,
    }
    tallies["Customer"].rows = 7
    tallies["AuthUser-HAS_DEVICE-Device"].no_target = 2
    assert unaccounted(tallies, counts, Counter(counts)) == []


def test_a_row_that_is_not_accounted_for() -> None:
    """One too few or too many is told, of the entity and of the table."""
    tallies = new_tallies()
    tallies["Skill"].rows = 2
    tallies["Skill"].rejects = Counter(unrepresentable_value=1)
    tallies["Language"].rejects = Counter(null_id=2)
    counts = EMPTY_COUNTS | {"guide.skills": 3, "guide.languages": 1}
    assert unaccounted(tallies, counts, Counter({"guide.skills": 2, "guide.languages": 1})) == [
        "guide.skills has 3 rows in the snapshot, but 2 were read",
        "Skill: 2 of the 3 rows of guide.skills are accounted for",
        "Language: 2 of the 1 rows of guide.languages are accounted for",
    ]

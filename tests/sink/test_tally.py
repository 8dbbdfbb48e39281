"""Tallies add up, travel, and prove that every row is accounted for."""

import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import replace

from exporter.model.tables import tables
from exporter.sink.files import FileRecord
from exporter.sink.layout import entities
from exporter.sink.tally import Oversized, Tally, new_tallies, unaccounted

ONE, TWO, THREE, FOUR = (FileRecord(f"part-000{number}.csv", number, 10, "") for number in (1, 2, 3, 4))
FIRST = Tally(
    rows=2, values=Counter(id=2, name=1), no_target=1, rejects=Counter(null_id=1), multiline=True, longest=70,
    files=(ONE,), reject_files=(TWO,),
)  # fmt: skip
SECOND = Tally(
    rows=3, values=Counter(id=3), no_target=4, rejects=Counter(null_id=2, dangling_end=1), longest=90,
    files=(THREE,), reject_files=(FOUR,),
)  # fmt: skip
NO_ROWS = {table.name: 0 for table in tables()}


def test_a_sum() -> None:
    """Counts are added, files listed one after the other, and the longest line is that of both."""
    assert Tally(
        rows=5, values=Counter(id=5, name=1), no_target=5, rejects=Counter(null_id=3, dangling_end=1), multiline=True,
        longest=90, files=(ONE, THREE), reject_files=(TWO, FOUR),
    ) == FIRST + SECOND  # fmt: skip
    assert FIRST + Tally() == Tally() + FIRST == FIRST


def test_oversized_texts_add_up() -> None:
    """By property; the key is that of the largest."""
    small, large = Oversized(1, 8165, "9"), Oversized(2, 8200, "1")
    first, second = Tally(oversized={"a": small, "b": small}), Tally(oversized={"a": large, "c": large})
    assert (first + second).oversized == {"a": Oversized(3, 8200, "1"), "b": small, "c": large}
    assert (second + first).oversized == (first + second).oversized


def test_a_tally_travels() -> None:
    """From a worker to the leader, as it is."""
    assert pickle.loads(pickle.dumps(FIRST)) == FIRST


def test_no_polars_is_loaded() -> None:
    """The leader adds tallies up, and needs none."""
    code = "import sys, exporter.sink.tally; sys.exit('polars' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_entity_has_one() -> None:
    """In import order."""
    assert new_tallies() == {entity.name: Tally() for entity in entities()}


def test_every_row_is_accounted_for() -> None:
    """Rows, rejects but for values, and rows without a target are `count(*)`, entity by entity."""
    counts = NO_ROWS | {"guide.skills": 5, "auth.user_devices": 2, "guide.guide_skills": 6, "customers.customer": 7}
    tallies = new_tallies() | {
        "Skill": Tally(rows=3, rejects=Counter(null_id=1, unrepresentable_value=2, duplicate_id=1)),
        "Device": Tally(rows=2),
        "AuthUser-HAS_DEVICE-Device": Tally(no_target=2),
        "Guide-HAS_SKILL-Skill": Tally(rows=4, rejects=Counter(dangling_end=2)),
        "Customer": Tally(rows=7),
        "Customer-HAS_AUTH-AuthUser": Tally(rows=5, no_target=2),
    }
    assert unaccounted(tallies, counts, counts) == []
    assert unaccounted(tallies | {"Customer": replace(tallies["Customer"], rows=8)}, counts, counts) == [
        "Customer: 8 of the 7 rows of customers.customer are accounted for"
    ]


def test_a_row_that_is_not_accounted_for() -> None:
    """One too few or too many is told, of the entity and of the table."""
    tallies = new_tallies() | {
        "Skill": Tally(rows=2, rejects=Counter(unrepresentable_value=1)),
        "Language": Tally(rejects=Counter(null_id=2)),
    }
    counts = NO_ROWS | {"guide.skills": 3, "guide.languages": 1}
    assert unaccounted(tallies, counts, {"guide.skills": 2, "guide.languages": 1}) == [
        "guide.skills has 3 rows in the snapshot, but 2 were read",
        "Skill: 2 of the 3 rows of guide.skills are accounted for",
        "Language: 2 of the 1 rows of guide.languages are accounted for",
    ]

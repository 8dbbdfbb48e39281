"""counts.tsv: every count of the manifest is one line, in the manifest's order."""

from dataclasses import replace
from datetime import UTC, datetime

from exporter.sink.counts import counts_tsv
from exporter.sink.entries import NodeEntry, RelationshipEntry
from exporter.sink.files import FileRecord
from exporter.sink.manifest import Manifest, Totals
from tests.support.manifests import METADATA, REDACTION, WINDOW

MANIFEST = Manifest(
    1, METADATA.tool, METADATA.model,
    replace(METADATA.source, snapshot_at=datetime(2023, 11, 14, 22, 13, 20, 987_654, UTC)),
    METADATA.options, METADATA.started_at, METADATA.finished_at,
    nodes=[NodeEntry("Skill", "guide.skills", 2, 3, {"id": 2, "name": 1}, {"null_id": 1})],
    relationships=[RelationshipEntry("Guide", "HAS_SKILL", "Skill", "guide.guide_skills", 3, 0, {}, 1, {})],
    files=[FileRecord("nodes/Skill/part-0001.csv", 2, 11, "0" * 64)],
    totals=Totals(nodes=2, relationships=3, properties=3, bytes=11, rejects=1),
)  # fmt: skip


def test_counts() -> None:
    """Rows, values, totals, the bytes of each data file, the second of the snapshot."""
    assert counts_tsv(MANIFEST) == (
        "Skill\t\t2\n"
        "Skill\tid\t2\n"
        "Skill\tname\t1\n"
        "Guide-HAS_SKILL-Skill\t\t3\n"
        "total\tnodes\t2\n"
        "total\trelationships\t3\n"
        "total\tproperties\t3\n"
        "total\tbytes\t11\n"
        "total\trejects\t1\n"
        "file\tnodes/Skill/part-0001.csv\t11\n"
        "snapshot\tepoch\t1700000000\n"
    )


def test_what_a_copy_is() -> None:
    """A line each for its window, with the rows in it, and for its masking, with the properties that are masked."""
    lines = counts_tsv(replace(MANIFEST, window=WINDOW, redaction=REDACTION)).splitlines()
    assert lines[-3:] == [
        "copy\ta window, since 2026-11-16 03:15 UTC, 1 % of the people (seed 7), what belongs to 1 Customer by "
        "phone_number, without Notification: 35,261 of 99,704 rows\t35261",
        "copy\tmasked by the profile analyst: pseudonymised, not anonymous\t1",
        "snapshot\tepoch\t1700000000",
    ]

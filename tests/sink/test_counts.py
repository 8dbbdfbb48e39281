"""counts.tsv: every count of the manifest is one line, in the manifest's order."""

from exporter.sink.counts import counts_tsv


def test_counts() -> None:
    """Rows, values, totals, the bytes of each data file, the second of the snapshot."""
    manifest = {
        "source": {"snapshot_at": "2023-11-14T22:13:20.987654Z"},
        "nodes": [{"label": "Skill", "rows": 2, "property_counts": {"id": 2, "name": 1}}],
        "relationships": [
            {"start": "Guide", "type": "HAS_SKILL", "end": "Skill", "rows": 3, "property_counts": {}},
        ],
        "totals": {"nodes": 2, "relationships": 3, "properties": 3, "bytes": 11, "rejects": 0},
        "files": [{"path": "nodes/Skill/part-0001.csv", "rows": 2, "bytes": 11, "sha256": "0" * 64}],
    }
    assert counts_tsv(manifest) == (
        "Skill\t\t2\n"
        "Skill\tid\t2\n"
        "Skill\tname\t1\n"
        "Guide-HAS_SKILL-Skill\t\t3\n"
        "total\tnodes\t2\n"
        "total\trelationships\t3\n"
        "total\tproperties\t3\n"
        "total\tbytes\t11\n"
        "total\trejects\t0\n"
        "file\tnodes/Skill/part-0001.csv\t11\n"
        "snapshot\tepoch\t1700000000\n"
    )

"""What the report shows, in numbers."""

import re
from pathlib import Path

from exporter.published.history import PublishedExport, readable_manifest
from exporter.report.content import REASONS, content
from exporter.report.entities import EntitySummary
from exporter.report.limits import Level, Limits
from exporter.shape.rejects import Reason
from tests.support import tiny_export
from tests.support.report_content import CONTENT, content_of, content_since, manifest_of

GRAPH_PAGE = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")


def test_the_reasons() -> None:
    """Each has a meaning, the same as docs/graph.md gives it."""
    assert list(REASONS) == list(Reason)
    for reason, meaning in REASONS.items():
        assert f"| `{reason}` | {meaning} |" in re.sub(r"`(guide_\w+)`", r"\1", GRAPH_PAGE)


def test_an_entity() -> None:
    """Its numbers are the manifest's; its bytes are those of its files."""
    number = [label.name for label in CONTENT.labels].index("Guide")
    guide = CONTENT.labels[number]
    assert guide == EntitySummary(
        name="Guide", pattern="Guide", folder="nodes/Guide", table="guide.guide_profile", group="Identities",
        rows=1000 * number, bytes=1000, properties=3000, no_target=0, outside_window=0, rejects={"null_id": number},
        examples=guide.examples, rejected_before=0, trend=[1000 * number], level=Level.WITHIN,
    )  # fmt: skip
    assert len(guide.examples) == 2
    assert (guide.reason, guide.cypher) == ("null_id", "MATCH (n:Guide) RETURN n LIMIT 25")
    role = CONTENT.patterns[0]
    assert (role.name, role.pattern, role.folder, role.no_target) == (
        "AuthUser-HAS_ROLE-Role", "(AuthUser)-[HAS_ROLE]->(Role)", "relationships/AuthUser-HAS_ROLE-Role", 4,
    )  # fmt: skip
    assert (role.reason, role.cypher) == ("", "MATCH p = (:AuthUser)-[:HAS_ROLE]->(:Role) RETURN p LIMIT 25")


def test_the_first_export() -> None:
    """There is nothing to compare it with."""
    assert [(total.name, total.before) for total in CONTENT.totals] == [
        (name, None) for name in ("nodes", "relationships", "properties", "rejects", "bytes", "seconds")
    ]
    assert (CONTENT.changed, CONTENT.earlier) == ([], [])


def test_the_rejects() -> None:
    """By reason with all entities together, those with the most first; with their number in the previous export."""
    counts = range(len(CONTENT.labels))  # of the n-th label, n
    [reason] = CONTENT.reasons
    assert (reason.name, reason.meaning, reason.rejects, reason.before) == (
        "null_id", REASONS["null_id"], sum(counts), None,
    )  # fmt: skip
    assert [entity.rejected for entity in reason.entities] == [count for count in reversed(counts) if count]
    assert content_of(rows=0).reasons == []
    [reason] = content_since(rows=1, now={}, rejects={"Lead": 0}).reasons
    assert (reason.rejects, reason.before) == (sum(counts) - rejected("Lead"), sum(counts))


def rejected(label: str) -> int:
    [found] = [entity for entity in CONTENT.labels if entity.name == label]
    return found.rejected


def test_earlier_exports(tmp_path: Path) -> None:
    """Each label and pattern has its rows of each of them, None where it was not there; what moved most comes first."""
    earlier = [
        PublishedExport(path, readable_manifest(tiny_export.write(path))) for path in (tmp_path / "1", tmp_path / "2")
    ]
    found = content(manifest_of(rows=1), {}, earlier, {}, 0, Limits())
    rows = {node.label: node.rows for node in earlier[0].manifest.nodes} if earlier[0].manifest else {}
    for label in found.labels:
        assert label.trend == [rows.get(label.name), rows.get(label.name), label.rows]
    assert found.earlier == earlier
    assert [len(total.trend) for total in found.totals] == [3] * 6
    order = list(Level)
    changes = [(order.index(entity.level), -abs(entity.rows - (entity.before or 0))) for entity in found.changed]
    assert changes == sorted(changes) and len(changes) > 1 and all(change for _, change in changes)

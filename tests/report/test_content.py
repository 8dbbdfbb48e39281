"""What the report shows, in numbers."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.published.history import PublishedExport, readable_manifest
from exporter.report.content import REASONS, EntitySummary, content
from exporter.shape.rejects import Reason
from tests.support import tiny_export
from tests.support.report_content import CONTENT, content_of, manifest_of

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_reasons() -> None:
    """Each has a meaning, the same as README.md gives it."""
    assert list(REASONS) == list(Reason)
    for reason, meaning in REASONS.items():
        assert f"| `{reason}` | {meaning} |" in re.sub(r"`(guide_\w+)`", r"\1", README)


def test_an_entity() -> None:
    """Its numbers are the manifest's; its bytes are those of its files."""
    number = [label.name for label in CONTENT.labels].index("Guide")
    guide = CONTENT.labels[number]
    assert guide == EntitySummary(
        name="Guide", pattern="Guide", folder="nodes/Guide", table="guide.guide_profile", group="Identities",
        rows=1000 * number, bytes=1000, properties=3000, no_target=0, rejects={"null_id": number},
        examples=guide.examples, trend=[1000 * number],
    )  # fmt: skip
    assert len(guide.examples) == 2
    role = CONTENT.patterns[0]
    assert (role.name, role.pattern, role.folder, role.no_target) == (
        "AuthUser-HAS_ROLE-Role", "(AuthUser)-[HAS_ROLE]->(Role)", "relationships/AuthUser-HAS_ROLE-Role", 4,
    )  # fmt: skip


def test_the_first_export() -> None:
    """There is nothing to compare it with."""
    assert [(total.name, total.before) for total in CONTENT.totals] == [
        (name, None) for name in ("nodes", "relationships", "properties", "rejects", "bytes", "seconds")
    ]
    assert (CONTENT.changed, CONTENT.earlier) == ([], [])


def test_the_rejects() -> None:
    """By reason with all entities together, and the entities with the most first."""
    counts = range(len(CONTENT.labels))  # of the n-th label, n
    assert CONTENT.rejects == [("null_id", REASONS["null_id"], sum(counts))]
    assert [entity.rejected for entity in CONTENT.rejecting] == [count for count in reversed(counts) if count]
    assert content_of(rows=0).rejects == content_of(rows=0).rejecting == []


def test_earlier_exports(tmp_path: Path) -> None:
    """Each label and pattern has its rows of each of them, None where it was not there; what moved most comes first."""
    earlier = [
        PublishedExport(path, readable_manifest(tiny_export.write(path))) for path in (tmp_path / "1", tmp_path / "2")
    ]
    found = content(manifest_of(rows=1), {}, earlier, {}, 0)
    rows = {node.label: node.rows for node in earlier[0].manifest.nodes} if earlier[0].manifest else {}
    for label in found.labels:
        assert label.trend == [rows.get(label.name), rows.get(label.name), label.rows]
    assert found.earlier == ["1", "2"]
    assert [len(total.trend) for total in found.totals] == [3] * 6
    changes = [abs(entity.rows - (entity.before or 0)) for entity in found.changed]
    assert changes == sorted(changes, reverse=True) and changes[-1] > 0


@pytest.mark.parametrize(
    ("trend", "dropped"),
    [([100, 79], True), ([100, 80], False), ([19, 0], False), ([20, 0], True), ([100], False), ([None, 5], False)],
)
def test_a_drop(trend: list[int | None], dropped: bool) -> None:
    """More than a fifth of at least twenty rows."""
    assert replace(CONTENT.labels[0], trend=trend, rows=trend[-1] or 0).dropped is dropped

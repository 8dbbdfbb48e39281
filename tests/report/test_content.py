"""What the report tells, in numbers."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.published.history import PublishedExport, readable_manifest
from exporter.report.content import REASONS, Entity, content
from exporter.shape.rejects import Reason
from tests.support import tiny_export
from tests.support.report_content import CONTENT, content_of, manifest_of

PAGE = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(encoding="utf-8")


def test_the_reasons() -> None:
    """Each has a meaning, the same as docs/graph.md gives it."""
    assert list(REASONS) == list(Reason)
    for reason, meant in REASONS.items():
        assert f"| `{reason}` | {meant} |" in re.sub(r"`(guide_\w+)`", r"\1", PAGE)


def test_an_entity() -> None:
    """Its numbers are the manifest's; its bytes are those of its files."""
    guide = next(each for each in CONTENT.labels if each.name == "Guide")
    place = [each.name for each in CONTENT.labels].index("Guide")
    assert guide == Entity(
        name="Guide", folder="Guide", table="guide.guide_profile", group="Identities", rows=1000 * place, bytes=1000,
        properties=3000, no_target=0, rejects={"null_id": place}, examples=guide.examples, trend=[1000 * place],
    )  # fmt: skip
    assert len(guide.examples) == 2
    made = CONTENT.patterns[0]
    assert (made.name, made.no_target) == ("(AuthUser)-[HAS_ROLE]->(Role)", 4)


def test_the_first_export() -> None:
    """There is nothing to compare it with."""
    assert [(each.name, each.before) for each in CONTENT.sums] == [
        (name, None) for name in ("nodes", "relationships", "properties", "rejects", "bytes", "seconds")
    ]
    assert (CONTENT.moved, CONTENT.earlier) == ([], [])


def test_the_rejects() -> None:
    """By reason with all entities together, and the entities with the most first."""
    assert CONTENT.rejects == [("null_id", REASONS["null_id"], sum(range(33)))]
    assert [each.rejected for each in CONTENT.rejecting] == list(range(32, 0, -1))
    assert content_of(rows=0).rejects == content_of(rows=0).rejecting == []


def test_earlier_exports(tmp_path: Path) -> None:
    """Each label and pattern has its rows of each of them, None where it was not there; what moved most comes first."""
    earlier = [
        PublishedExport(path, readable_manifest(tiny_export.write(path))) for path in (tmp_path / "1", tmp_path / "2")
    ]
    made = content(manifest_of(rows=1), {}, earlier, {}, 0)
    rows = {node.label: node.rows for node in earlier[0].manifest.nodes} if earlier[0].manifest else {}
    for each in made.labels:
        assert each.trend == [rows.get(each.name), rows.get(each.name), each.rows]
    assert made.earlier == ["1", "2"]
    assert [len(each.trend) for each in made.sums] == [3] * 6
    changes = [abs(each.rows - (each.before or 0)) for each in made.moved]
    assert changes == sorted(changes, reverse=True) and changes[-1] > 0


@pytest.mark.parametrize(
    ("trend", "dropped"),
    [([100, 79], True), ([100, 80], False), ([19, 0], False), ([20, 0], True), ([100], False), ([None, 5], False)],
)
def test_a_drop(trend: list[int | None], dropped: bool) -> None:
    """More than a fifth of at least twenty rows."""
    assert replace(CONTENT.labels[0], trend=trend, rows=trend[-1] or 0).dropped is dropped

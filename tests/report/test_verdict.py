"""What the report says first."""

from dataclasses import replace

from exporter.report.content import Content
from exporter.report.limits import Level, Limits
from exporter.report.verdict import MOST, Verdict, verdict, worst
from tests.support.report_content import CONTENT, content_since


def changed(**rows: int) -> Content:
    """A second export, in which these labels have other numbers of rows."""
    return content_since(rows=1000, now=rows)


def test_nothing_to_look_at() -> None:
    """In a first export, and where nothing was lost."""
    assert verdict(CONTENT) == verdict(changed()) == verdict(changed(Lead=10**6)) == Verdict(
        Level.WITHIN, 0, 0, [], 0, Level.WITHIN, []
    )  # fmt: skip


def test_drops() -> None:
    """Those beyond the limit come before those near it, and of them what lost most."""
    content = changed(Guide=0, Lead=10_000, AuthUser=4_000)
    found = verdict(content)
    assert [(entity.name, entity.level) for entity in found.drops] == [
        ("Guide", Level.OVER), ("Lead", Level.OVER), ("AuthUser", Level.NEAR),
    ]  # fmt: skip
    assert (found.level, found.over, found.near, found.unlisted) == (Level.OVER, 2, 1, 0)


def test_many_drops() -> None:
    """Only the first are listed."""
    content = changed(**{label.name: 0 for label in CONTENT.labels})
    found = verdict(content)
    assert len(found.drops) == MOST and found.unlisted == found.over - MOST > 0


def test_more_rejects() -> None:
    """They are counted as one thing, with the labels that have most of them."""
    content = content_since(rows=1000, now={}, rejects={"Lead": 10**6, "Guide": 3})
    found = verdict(replace(content, rejects_level=Level.OVER))
    assert [entity.name for entity in found.more_rejects] == ["Lead"]
    assert content.rejects_level is Level.OVER and (found.level, found.over, found.drops) == (Level.OVER, 1, [])


def test_the_limits_are_settings() -> None:
    """Whoever allows more sees less."""
    content = content_since(rows=1000, now={"Lead": 10_000}, limits=Limits(max_drop=80))
    assert verdict(content).over == 0


def test_the_worst() -> None:
    """Of none, it is none."""
    assert worst([]) is Level.WITHIN
    assert worst([Level.WITHIN, Level.NEAR, Level.OVER]) is Level.OVER

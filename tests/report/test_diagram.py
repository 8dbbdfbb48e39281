"""The graph drawn."""

import re
from itertools import combinations
from math import hypot

import pytest

from exporter.model.graph import NODES
from exporter.model.tables import ordered_relationships
from exporter.report.diagram import LINE, NARROW, WIDE, Sheet, caption, diagram, positions
from exporter.report.routes import Curve
from tests.support.report_content import CONTENT, content_of

both = pytest.mark.parametrize("sheet", [WIDE, NARROW], ids=lambda sheet: sheet.name)


@both
def test_every_label_has_coordinates(sheet: Sheet) -> None:
    """Whoever adds a label gives it some; those of a label that is gone go too."""
    assert sorted(label for row in sheet.coordinates for label in row if label) == sorted(node.label for node in NODES)


@both
def test_no_two_labels_overlap(sheet: Sheet) -> None:
    """However many rows they have."""
    centres = positions([node.label for node in NODES], sheet)
    assert len(centres) == len(NODES)
    for one, other in combinations(centres.values(), 2):
        assert hypot(one[0] - other[0], one[1] - other[1]) > 2 * sheet.largest + 2 * LINE


@both
def test_a_label_without_coordinates(sheet: Sheet) -> None:
    """It is drawn below all others."""
    centres = positions([*(node.label for node in NODES), "Novelty"], sheet)
    assert centres["Novelty"][1] > max(y for label, (_, y) in centres.items() if label != "Novelty")


@both
def test_all_of_the_graph_is_drawn(sheet: Sheet) -> None:
    """A circle for each label, an arrow for each pattern, within the drawing; sizes follow rows."""
    drawn = diagram(CONTENT, sheet)
    assert [circle.entity.name for circle in drawn.circles] == [label.name for label in CONTENT.labels]
    assert [(arrow.start, arrow.type, arrow.end) for arrow in drawn.arrows] == [
        (relationship.start, relationship.type, relationship.end) for relationship in ordered_relationships()
    ]
    assert [bool(arrow.name) for arrow in drawn.arrows] == [sheet.named] * len(drawn.arrows)
    lines = [re.fullmatch(r"M(\S+) (\S+)Q(\S+) (\S+) (\S+) (\S+)", arrow.path) for arrow in drawn.arrows]
    ends = [list(map(float, line.groups())) for line in lines if line]
    assert len(ends) == len([arrow for arrow in drawn.arrows if arrow.start != arrow.end])
    points = [point for a, b, c, d, e, f in ends for point in Curve((a, b), (c, d), (e, f)).points()]
    assert all(0 < x < drawn.width and 0 < y < drawn.height for x, y in points)
    assert all(circle.radius < circle.x < drawn.width - circle.radius for circle in drawn.circles)
    assert all(circle.y > circle.radius and circle.lines[-1][1] < drawn.height for circle in drawn.circles)
    ordered = sorted(drawn.circles, key=lambda circle: circle.entity.rows)
    assert [circle.radius for circle in ordered] == sorted(circle.radius for circle in ordered)
    assert (ordered[0].radius, ordered[-1].radius) == (sheet.smallest, sheet.largest)


@both
def test_two_patterns_between_two_labels(sheet: Sheet) -> None:
    """Neither hides the other."""
    labels = {"Consultation", "WalletOrder"}
    between = [arrow.path for arrow in diagram(CONTENT, sheet).arrows if {arrow.start, arrow.end} == labels]
    assert len(between) == len(set(between)) == 2


@both
def test_an_empty_graph(sheet: Sheet) -> None:
    """Every size is the smallest."""
    assert {circle.radius for circle in diagram(content_of(rows=0), sheet).circles} == {sheet.smallest}


@pytest.mark.parametrize(
    ("label", "lines"),
    [("Guide", ["Guide"]), ("AuthUser", ["AuthUser"]), ("OfferConsumption", ["Offer", "Consumption"]),
     ("OTPAttempt", ["OTP", "Attempt"]), ("Consultation", ["Consultation"]), ("VeryLongLabel", ["VeryLong", "Label"])],
)  # fmt: skip
def test_a_caption(label: str, lines: list[str]) -> None:
    """A long one is broken at a capital."""
    assert caption(label, 9) == lines
    assert caption(label, 99) == [label]

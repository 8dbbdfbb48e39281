"""The graph drawn."""

import re
from itertools import combinations
from math import hypot

from exporter.model.graph import NODES
from exporter.model.tables import ordered_relationships
from exporter.report.coordinates import COORDINATES
from exporter.report.diagram import LARGEST, SMALLEST, diagram, positions, sparkline
from tests.support.report_content import CONTENT, content_of


def test_every_label_has_coordinates() -> None:
    """Whoever adds a label gives it some; those of a label that is gone go too."""
    assert sorted(label for row in COORDINATES for label in row if label) == sorted(node.label for node in NODES)


def test_no_two_labels_overlap() -> None:
    """However many rows they have."""
    centres = positions([node.label for node in NODES])
    assert len(centres) == len(NODES)
    for one, other in combinations(centres.values(), 2):
        assert hypot(one[0] - other[0], one[1] - other[1]) > 2 * LARGEST + 30


def test_a_label_without_coordinates() -> None:
    """It is drawn below all others."""
    centres = positions([*(node.label for node in NODES), "Novelty"])
    assert centres["Novelty"][1] > max(y for label, (_, y) in centres.items() if label != "Novelty")


def test_all_of_the_graph_is_drawn() -> None:
    """A circle for each label, an arrow for each pattern, within the drawing; sizes follow rows."""
    drawn = diagram(CONTENT)
    assert [circle.entity.name for circle in drawn.circles] == [label.name for label in CONTENT.labels]
    assert [(arrow.start, arrow.end) for arrow in drawn.arrows] == [
        (relationship.start, relationship.end) for relationship in ordered_relationships()
    ]
    paths = [arrow.path + arrow.head for arrow in drawn.arrows]
    numbers = [float(number) for path in paths for number in re.findall(r"-?\d+\.\d", path)]
    assert min(numbers) > 0 and max(numbers) < max(drawn.width, drawn.height)
    assert all(circle.radius < circle.x < drawn.width - circle.radius for circle in drawn.circles)
    assert all(circle.radius < circle.y < drawn.height - circle.radius - 26 for circle in drawn.circles)
    ordered = sorted(drawn.circles, key=lambda circle: circle.entity.rows)
    assert [circle.radius for circle in ordered] == sorted(circle.radius for circle in ordered)
    assert (ordered[0].radius, ordered[-1].radius) == (SMALLEST, LARGEST)


def test_two_patterns_between_two_labels() -> None:
    """Neither hides the other."""
    labels = {"Consultation", "WalletOrder"}
    between = [arrow.path for arrow in diagram(CONTENT).arrows if {arrow.start, arrow.end} == labels]
    assert len(between) == len(set(between)) == 2


def test_an_empty_graph() -> None:
    """Every size is the smallest."""
    assert {circle.radius for circle in diagram(content_of(rows=0)).circles} == {SMALLEST}


def test_a_sparkline() -> None:
    """From left to right, larger is higher; a gap is left out; a level one lies in the middle; one point is no line."""
    assert sparkline([1, None, 3, 2]) == "2.0,16.0 47.3,2.0 70.0,9.0"
    assert sparkline([5, 5]) == "2.0,9.0 70.0,9.0"
    assert sparkline([5]) == sparkline([None, 5]) == sparkline([]) == ""

"""The graph's picture."""

import re
from itertools import combinations
from math import hypot

from exporter.model.graph import NODES, RELATIONSHIPS
from exporter.report.coordinates import PLACES
from exporter.report.diagram import LARGEST, SMALLEST, picture, positions, sparkline
from tests.support.report_content import CONTENT, content_of


def test_every_label_has_its_place() -> None:
    """Whoever adds a label gives it one; a place of a label that is gone goes too."""
    assert sorted(label for row in PLACES for label in row if label) == sorted(node.label for node in NODES)


def test_no_two_labels_overlap() -> None:
    """However many rows they have."""
    places = positions([node.label for node in NODES])
    assert len(places) == len(NODES)
    for one, other in combinations(places.values(), 2):
        assert hypot(one[0] - other[0], one[1] - other[1]) > 2 * LARGEST + 30


def test_a_label_without_a_place() -> None:
    """It is drawn below all others."""
    places = positions([*(node.label for node in NODES), "Novelty"])
    assert places["Novelty"][1] > max(y for label, (_, y) in places.items() if label != "Novelty")


def test_all_of_the_graph_is_drawn() -> None:
    """A circle for each label, an arrow for each pattern, within the drawing; sizes follow rows."""
    made = picture(CONTENT)
    assert [each.entity.name for each in made.circles] == [each.name for each in CONTENT.labels]
    assert [(each.start, each.end) for each in made.arrows] == [
        tuple(each.folder.split("-")[::2]) for each in CONTENT.patterns
    ]
    assert len(made.circles) == len(NODES) and len(made.arrows) == len(RELATIONSHIPS)
    numbers = [float(number) for each in made.arrows for number in re.findall(r"-?\d+\.\d", each.path + each.head)]
    assert min(numbers) > 0 and max(numbers) < max(made.width, made.height)
    assert all(each.radius < each.x < made.width - each.radius for each in made.circles)
    assert all(each.radius < each.y < made.height - each.radius - 26 for each in made.circles)
    ordered = sorted(made.circles, key=lambda each: each.entity.rows)
    assert [each.radius for each in ordered] == sorted(each.radius for each in ordered)
    assert (ordered[0].radius, ordered[-1].radius) == (SMALLEST, LARGEST)


def test_two_patterns_between_two_labels() -> None:
    """Neither hides the other."""
    between = [
        each.path for each in picture(CONTENT).arrows if {each.start, each.end} == {"Consultation", "WalletOrder"}
    ]
    assert len(between) == len(set(between)) == 2


def test_an_empty_graph() -> None:
    """Every size is the smallest."""
    made = picture(content_of(rows=0))
    assert {each.radius for each in made.circles} == {SMALLEST}


def test_a_sparkline() -> None:
    """From left to right, larger is higher; a gap is left out; a level one lies in the middle; one point is no line."""
    assert sparkline([1, None, 3, 2]) == "2.0,16.0 47.3,2.0 70.0,9.0"
    assert sparkline([5, 5]) == "2.0,9.0 70.0,9.0"
    assert sparkline([5]) == sparkline([None, 5]) == sparkline([]) == ""

"""Lines that pass no label, and names that cover nothing."""

from math import pi

import pytest

from exporter.report.routes import Curve, Point, Shape, bent, between, distance, name, route

LEFT, RIGHT = Shape(0, 0, 10, 30, 20), Shape(300, 0, 10, 30, 20)


@pytest.mark.parametrize(
    ("point", "inside"),
    [((0, 9), True), ((0, -11), False), ((25, 5), False), ((25, 20), True), ((25, 31), False), ((31, 20), False)],
)
def test_a_shape(point: Point, inside: bool) -> None:
    """A circle, and a caption that is wider than it below."""
    assert LEFT.holds(point, 0) is inside
    assert LEFT.holds((0, -11), 2)


def test_a_part_of_a_curve() -> None:
    """It lies on the whole, and begins and ends where it should."""
    whole = Curve((0, 0), (50, 80), (100, 0))
    part = whole.part(0.25, 0.75)
    assert (part.start, part.at(0.5), part.end) == (whole.at(0.25), whole.at(0.5), whole.at(0.75))
    assert whole.angle(0.5) == 0


def test_a_line_ends_at_the_edges() -> None:
    """Of circles, and of captions where it comes from below."""
    line = between(bent(LEFT, RIGHT, 0), LEFT, RIGHT)
    assert line.start[0] == pytest.approx(12, abs=4) and line.end[0] == pytest.approx(288, abs=4)
    below = Shape(0, 300, 10, 30, 20)
    assert between(bent(below, LEFT, 0), below, LEFT).end[1] == pytest.approx(32, abs=4)


def test_a_line_goes_around() -> None:
    """Past a label between its ends, not past the edge of the drawing, and not over another line of theirs."""
    between_them = Shape(150, 0, 20, 20, 20)
    assert not any(between_them.holds(point, 2) for point in route(LEFT, RIGHT, [between_them], [], 400).points())
    first = route(LEFT, RIGHT, [], [], 400)
    second = route(RIGHT, LEFT, [], [first], 400)
    assert distance(first.at(0.5), second.at(0.5)) > 20
    above, below = Shape(30, 0, 10, 10, 20), Shape(30, 300, 10, 10, 20)
    in_the_way = Shape(60, 150, 40, 10, 20)
    assert min(x for x, _ in route(above, below, [in_the_way], [], 400).points()) > 0


def test_a_name_is_never_upside_down() -> None:
    """Whatever the direction of its line."""
    for line in (Curve((0, 0), (50, 0), (100, 0)), Curve((100, 0), (50, 0), (0, 0)), Curve((0, 100), (0, 50), (0, 0))):
        assert -90 <= name(line, 40, [], [], []).turn <= 90
    assert abs(Curve((100, 0), (50, 0), (0, 0)).angle(0.5)) == pi


def test_a_name_covers_nothing() -> None:
    """It moves along its line until it does not, away from labels, names and lines."""
    line = Curve((0, 0), (100, 0), (200, 0))
    written: list[Point] = []
    first = name(line, 40, [], written, [])
    assert (first.x, first.y) == (100, 0)
    second = name(line, 40, [], written, [])
    assert abs(second.x - first.x) > 40
    assert abs(name(line, 40, [Shape(100, 0, 20, 5, 5)], [], []).x - 100) > 40
    assert abs(name(line, 40, [], [], [(100.0, 0.0)]).x - 100) > 20

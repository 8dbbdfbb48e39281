"""Lines between labels: bent so that they pass no other label, ended where a circle or its caption begins, and named
where their names cover nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, inf, pi, sin

Point = tuple[float, float]

# How far a line may be bent, as a share of its length, in the order of preference; to the left is positive.
BENDS = tuple(sign * bend for bend in (0.06, 0.12, 0.18, 0.25, 0.33, 0.42, 0.52) for sign in (1, -1))
# The places of a name along its line, in the order of preference.
PLACES = (0.5, 0.44, 0.56, 0.38, 0.62, 0.31, 0.69, 0.25, 0.75)
STEPS = 24
# How near a line may come to a label and to the edge, and how far apart two lines between the same labels are.
CLEARANCE, EDGE, APART = 5.0, 8.0, 26.0


@dataclass(frozen=True, slots=True)
class Shape:
    """A label as lines see it: its circle, and below that its caption, `half` to both sides and `caption` high."""

    x: float
    y: float
    radius: float
    half: float
    caption: float

    def holds(self, point: Point, margin: float) -> bool:
        """Whether a point is in it, or nearer than the margin."""
        across, below = abs(point[0] - self.x), point[1] - self.y
        if across < self.half + margin and self.radius - margin < below < self.radius + self.caption + margin:
            return True
        return across * across + below * below < (self.radius + margin) ** 2


@dataclass(frozen=True, slots=True)
class Curve:
    """A quadratic Bézier curve."""

    start: Point
    control: Point
    end: Point

    def at(self, t: float) -> Point:
        """The point at `t`, from 0 to 1."""
        return self.blossom(t, t)

    def blossom(self, s: float, t: float) -> Point:
        """The control point of the part from `s` to `t`."""
        a, b, c = (1 - s) * (1 - t), (1 - s) * t + s * (1 - t), s * t
        (x0, y0), (x1, y1), (x2, y2) = self.start, self.control, self.end
        return a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2

    def part(self, s: float, t: float) -> "Curve":
        """The same curve from `s` to `t`."""
        return Curve(self.at(s), self.blossom(s, t), self.at(t))

    def angle(self, t: float) -> float:
        """Its direction at `t`."""
        (x0, y0), (x1, y1) = self.blossom(0, t), self.blossom(1, t)
        return atan2(y1 - y0, x1 - x0)

    def points(self) -> list[Point]:
        """Points along it."""
        return [self.at(step / STEPS) for step in range(STEPS + 1)]


@dataclass(frozen=True, slots=True)
class Name:
    """Where the middle of a line's name is, and how it is turned, in degrees."""

    x: float
    y: float
    turn: float


def route(start: Shape, end: Shape, others: Iterable[Shape], taken: Sequence[Curve], width: float) -> Curve:
    """The curve from one label's edge to another's that passes fewest of `others`, keeps apart from the curves `taken`
    between the same two, and stays within the drawing's top and sides."""
    reach = distance((start.x, start.y), (end.x, end.y)) / 2 + 100
    x, y = (start.x + end.x) / 2, (start.y + end.y) / 2
    near = [other for other in others if abs(other.x - x) < reach and abs(other.y - y) < reach]

    def hits(curve: Curve) -> int:
        points = curve.points()
        passed = sum(other.holds(point, CLEARANCE) for point in points for other in near)
        outside = sum(not EDGE < x < width - EDGE or y < EDGE for x, y in points)
        return passed + outside + sum(STEPS for other in taken if distance(curve.at(0.5), other.at(0.5)) < APART)

    best = bent(start, end, BENDS[0])
    least = hits(best)
    for bend in BENDS[1:]:
        if not least:
            break
        curve = bent(start, end, bend)
        if (found := hits(curve)) < least:
            best, least = curve, found
    return between(best, start, end)


def bent(start: Shape, end: Shape, bend: float) -> Curve:
    """A curve from centre to centre; `bend` is the share of its length by which its control point is off."""
    x, y = end.x - start.x, end.y - start.y
    middle = ((start.x + end.x) / 2 + y * bend * 2, (start.y + end.y) / 2 - x * bend * 2)
    return Curve((start.x, start.y), middle, (end.x, end.y))


def between(curve: Curve, start: Shape, end: Shape) -> Curve:
    """The part of a curve between two labels that is in neither."""
    step = 1 / (4 * STEPS)
    half = [number * step for number in range(2 * STEPS + 1)]
    leaves = max((t + step for t in half if start.holds(curve.at(t), 2)), default=0.0)
    arrives = min((1 - t - step for t in half if end.holds(curve.at(1 - t), 2)), default=1.0)
    return curve.part(leaves, arrives) if leaves < arrives else curve


def name(curve: Curve, length: float, shapes: Sequence[Shape], taken: list[Point], crossing: Sequence[Point]) -> Name:
    """The place on a curve where a name of this length covers least of `shapes`, of the names `taken` and of the points
    `crossing` of other lines. Its own points are added to `taken`."""
    (x, y), reach = curve.at(0.5), (length + distance(curve.start, curve.end)) / 2
    shapes = [shape for shape in shapes if abs(shape.x - x) < reach + 80 and abs(shape.y - y) < reach + 80]
    names = [point for point in taken if abs(point[0] - x) < reach and abs(point[1] - y) < reach]
    crossing = [point for point in crossing if abs(point[0] - x) < reach and abs(point[1] - y) < reach]
    best, least = 0.5, inf
    for place in PLACES:
        written = list(letters(curve, place, length))
        hits = 3 * sum(shape.holds(point, 5) for point in written for shape in shapes)
        hits += 3 * sum(distance(point, other) < 12 for point in written for other in names)
        hits += sum(distance(point, other) < 7 for point in written for other in crossing)
        if hits < least:
            best, least = place, hits
        if not hits:
            break
    taken += letters(curve, best, length)
    turn = curve.angle(best)
    upright = turn - pi if turn > pi / 2 else turn + pi if turn <= -pi / 2 else turn
    return Name(*curve.at(best), degrees(upright))


def letters(curve: Curve, t: float, length: float) -> Iterator[Point]:
    """Points along a name of this length with its middle at `t`."""
    (x, y), angle, number = curve.at(t), curve.angle(t), max(1, round(length / 10))
    for index in range(number + 1):
        off = length * (index / number - 0.5)
        yield x + cos(angle) * off, y + sin(angle) * off


def distance(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])

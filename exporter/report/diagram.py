"""The graph drawn: a circle for each label, an arrow for each pattern, laid out by coordinates.py."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

from exporter.model.render import groups
from exporter.report.content import Content, EntitySummary
from exporter.report.coordinates import COORDINATES

# The grid's spacing, and the margin around it. Every other row begins half a column later.
COLUMN, ROW, MARGIN = 132, 118, 72
SMALLEST, LARGEST = 7.0, 34.0
THINNEST, THICKEST = 1.0, 9.0


@dataclass(frozen=True, slots=True)
class Circle:
    """A label; `group` counts the domain model's groups from 0."""

    entity: EntitySummary
    group: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """A pattern: the `d` attributes of its line's and its head's paths, and the line's width."""

    entity: EntitySummary
    start: str
    end: str
    path: str
    head: str
    width: float


@dataclass(frozen=True, slots=True)
class Diagram:
    """The drawing with its size, and the names of the groups."""

    width: float
    height: float
    circles: Sequence[Circle]
    arrows: Sequence[Arrow]
    groups: Sequence[str]


def diagram(content: Content) -> Diagram:
    """Draws the export's graph. Labels without coordinates get their own row below the others."""
    centres = positions([label.name for label in content.labels])
    most = max((label.rows for label in content.labels), default=0)
    order = list(groups())
    circles = {
        label.name: Circle(label, order.index(label.group), *centres[label.name], radius(label.rows, most))
        for label in content.labels
    }
    return Diagram(
        max(x for x, _ in centres.values()) + MARGIN,
        max(y for _, y in centres.values()) + MARGIN,
        list(circles.values()),
        arrows(content.patterns, circles),
        order,
    )


def positions(labels: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The centre of each label's circle."""
    placed = {label for row in COORDINATES for label in row}
    rows = [*COORDINATES, tuple(label for label in labels if label not in placed)]
    return {
        label: (MARGIN + COLUMN * (column + (number % 2) / 2), MARGIN + ROW * number - 16)
        for number, row in enumerate(rows)
        for column, label in enumerate(row)
        if label in labels
    }


def radius(rows: int, most: int) -> float:
    """A radius that grows with the fourth root of the rows, so that ten rows are visible beside ten million."""
    share: float = (rows / max(most, 1)) ** 0.25
    return max(SMALLEST, LARGEST * share)


def arrows(patterns: Sequence[EntitySummary], circles: Mapping[str, Circle]) -> list[Arrow]:
    """An arrow for each pattern; arrows between the same two labels are bent apart."""
    most = max((pattern.rows for pattern in patterns), default=0)
    drawn_between: Counter[frozenset[str]] = Counter()
    drawn = []
    for pattern in patterns:
        start, _, end = pattern.name.split("-")
        number = drawn_between[frozenset((start, end))]
        drawn_between[frozenset((start, end))] += 1
        width = max(THINNEST, THICKEST * (pattern.rows / max(most, 1)) ** 0.5)
        draw = loop if start == end else curve
        drawn.append(Arrow(pattern, start, end, *draw(circles[start], circles[end], width, number), width))
    return drawn


def curve(start: Circle, end: Circle, width: float, number: int) -> tuple[str, str]:
    """The paths of a slightly bent line from one circle's edge to the other's, and of its head. `number` counts the
    lines already drawn between the two."""
    x, y = end.x - start.x, end.y - start.y
    distance = hypot(x, y)
    # Always to the left of its direction, so that two opposite arrows between the same labels are on different sides.
    bend = distance * (0.06 + 0.16 * number)
    cx, cy = (start.x + end.x) / 2 + y / distance * bend, (start.y + end.y) / 2 - x / distance * bend
    leaving, coming = atan2(cy - start.y, cx - start.x), atan2(end.y - cy, end.x - cx)
    size = 5 + width * 1.4
    x1, y1 = start.x + cos(leaving) * (start.radius + 2), start.y + sin(leaving) * (start.radius + 2)
    x2, y2 = end.x - cos(coming) * (end.radius + 2), end.y - sin(coming) * (end.radius + 2)
    xn, yn = x2 - cos(coming) * size, y2 - sin(coming) * size
    return f"M{x1:.1f} {y1:.1f}Q{cx:.1f} {cy:.1f} {xn:.1f} {yn:.1f}", arrowhead(x2, y2, coming, size)


def loop(circle: Circle, _: Circle, width: float, number: int) -> tuple[str, str]:
    """The paths of a line from a circle to itself, above it to the right, and of its head."""
    size, reach = 5 + width * 1.4, circle.radius + 26 + 12 * number
    out, back = -pi * 0.42, -pi * 0.12
    x1, y1 = circle.x + cos(out) * (circle.radius + 2), circle.y + sin(out) * (circle.radius + 2)
    x2, y2 = circle.x + cos(back) * (circle.radius + 2), circle.y + sin(back) * (circle.radius + 2)
    ax, ay = circle.x + cos(out) * reach * 1.25, circle.y + sin(out) * reach * 1.25
    bx, by = circle.x + cos(back) * reach * 1.25, circle.y + sin(back) * reach * 1.25
    coming = atan2(y2 - by, x2 - bx)
    xn, yn = x2 - cos(coming) * size, y2 - sin(coming) * size
    return f"M{x1:.1f} {y1:.1f}C{ax:.1f} {ay:.1f} {bx:.1f} {by:.1f} {xn:.1f} {yn:.1f}", arrowhead(x2, y2, coming, size)


def arrowhead(x: float, y: float, angle: float, size: float) -> str:
    """The path of a triangle whose tip is at (x, y)."""
    corners = ((x - cos(angle + turn) * size, y - sin(angle + turn) * size) for turn in (0.42, -0.42))
    return f"M{x:.1f} {y:.1f}" + "".join(f"L{a:.1f} {b:.1f}" for a, b in corners) + "Z"


def sparkline(trend: Sequence[float | None], width: int = 72, height: int = 18) -> str:
    """The points of a polyline through a trend, without missing values; empty for fewer than two."""
    known = [(index, value) for index, value in enumerate(trend) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    span, last = (high - low) or 1, len(trend) - 1
    top = 2 if high > low else height / 2
    return " ".join(
        f"{2 + (width - 4) * index / last:.1f},{top + (height - 4) * (high - value) / span:.1f}"
        for index, value in known
    )

"""The graph's picture: a circle for each label, an arrow for each pattern, drawn where places says."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin

from exporter.model.render import groups
from exporter.report.content import Content, Entity
from exporter.report.coordinates import PLACES

# Distances of the grid, and the room around it. Every other row begins half a column later.
COLUMN, ROW, MARGIN = 132, 118, 72
SMALLEST, LARGEST = 7.0, 34.0
THINNEST, THICKEST = 1.0, 9.0


@dataclass(frozen=True, slots=True)
class Circle:
    """A label; `group` counts the document's groups from 0."""

    entity: Entity
    group: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """A pattern, as the `d` of a path; `head` is its tip's."""

    entity: Entity
    start: str
    end: str
    path: str
    head: str
    width: float


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it, with the size of the drawing."""

    width: float
    height: float
    circles: Sequence[Circle]
    arrows: Sequence[Arrow]
    groups: Sequence[str]


def picture(content: Content) -> Picture:
    """Draws the export's graph. A label that has no place comes in a row of its own below the others."""
    places = positions([each.name for each in content.labels])
    most = max((each.rows for each in content.labels), default=0)
    order = list(groups())
    circles = {
        each.name: Circle(each, order.index(each.group), *places[each.name], radius(each.rows, most))
        for each in content.labels
    }
    return Picture(
        max(x for x, _ in places.values()) + MARGIN,
        max(y for _, y in places.values()) + MARGIN,
        list(circles.values()),
        arrows(content, circles),
        order,
    )


def positions(labels: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Where each label's circle has its centre."""
    placed = {label for row in PLACES for label in row}
    rows = [*PLACES, tuple(label for label in labels if label not in placed)]
    return {
        label: (MARGIN + COLUMN * (column + (number % 2) / 2), MARGIN + ROW * number - 16)
        for number, row in enumerate(rows)
        for column, label in enumerate(row)
        if label in labels
    }


def radius(rows: int, most: int) -> float:
    """Grows with the fourth root of the rows, so that ten can be told from none beside ten million."""
    share: float = (rows / max(most, 1)) ** 0.25
    return max(SMALLEST, LARGEST * share)


def arrows(content: Content, circles: dict[str, Circle]) -> list[Arrow]:
    """An arrow for each pattern; those between the same two labels are bent apart."""
    most = max((each.rows for each in content.patterns), default=0)
    between: Counter[frozenset[str]] = Counter()
    made = []
    for each in content.patterns:
        start, end = ends(each)
        number = between[frozenset((start, end))]
        between[frozenset((start, end))] += 1
        width = max(THINNEST, THICKEST * (each.rows / max(most, 1)) ** 0.5)
        draw = loop if start == end else curve
        made.append(Arrow(each, start, end, *draw(circles[start], circles[end], width, number), width))
    return made


def ends(pattern: Entity) -> tuple[str, str]:
    """The labels of a pattern: its folder is START-TYPE-END."""
    start, _, end = pattern.folder.split("-")
    return start, end


def curve(start: Circle, end: Circle, width: float, number: int) -> tuple[str, str]:
    """A slightly bent line from one circle's edge to the other's, and its tip."""
    x, y = end.x - start.x, end.y - start.y
    distance = hypot(x, y)
    # Always to the left of its direction: of two between the same labels, one each way lies on either side.
    bend = distance * (0.06 + 0.16 * number)
    cx, cy = (start.x + end.x) / 2 + y / distance * bend, (start.y + end.y) / 2 - x / distance * bend
    leaving, coming = atan2(cy - start.y, cx - start.x), atan2(end.y - cy, end.x - cx)
    size = 5 + width * 1.4
    x1, y1 = start.x + cos(leaving) * (start.radius + 2), start.y + sin(leaving) * (start.radius + 2)
    x2, y2 = end.x - cos(coming) * (end.radius + 2), end.y - sin(coming) * (end.radius + 2)
    xn, yn = x2 - cos(coming) * size, y2 - sin(coming) * size
    return f"M{x1:.1f} {y1:.1f}Q{cx:.1f} {cy:.1f} {xn:.1f} {yn:.1f}", tip(x2, y2, coming, size)


def loop(circle: Circle, _: Circle, width: float, number: int) -> tuple[str, str]:
    """A line from a circle to itself, above it to the right."""
    size, reach = 5 + width * 1.4, circle.radius + 26 + 12 * number
    out, back = -pi * 0.42, -pi * 0.12
    x1, y1 = circle.x + cos(out) * (circle.radius + 2), circle.y + sin(out) * (circle.radius + 2)
    x2, y2 = circle.x + cos(back) * (circle.radius + 2), circle.y + sin(back) * (circle.radius + 2)
    ax, ay = circle.x + cos(out) * reach * 1.25, circle.y + sin(out) * reach * 1.25
    bx, by = circle.x + cos(back) * reach * 1.25, circle.y + sin(back) * reach * 1.25
    coming = atan2(y2 - by, x2 - bx)
    xn, yn = x2 - cos(coming) * size, y2 - sin(coming) * size
    return f"M{x1:.1f} {y1:.1f}C{ax:.1f} {ay:.1f} {bx:.1f} {by:.1f} {xn:.1f} {yn:.1f}", tip(x2, y2, coming, size)


def tip(x: float, y: float, angle: float, size: float) -> str:
    """A triangle that points at a place."""
    corners = ((x - cos(angle + turn) * size, y - sin(angle + turn) * size) for turn in (0.42, -0.42))
    return f"M{x:.1f} {y:.1f}" + "".join(f"L{a:.1f} {b:.1f}" for a, b in corners) + "Z"


def sparkline(trend: Sequence[float | None], width: int = 72, height: int = 18) -> str:
    """The points of a polyline through a trend, what is missing left out; nothing where there are fewer than two."""
    known = [(place, value) for place, value in enumerate(trend) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    span, last = (high - low) or 1, len(trend) - 1
    top = 2 if high > low else height / 2
    return " ".join(
        f"{2 + (width - 4) * place / last:.1f},{top + (height - 4) * (high - value) / span:.1f}"
        for place, value in known
    )

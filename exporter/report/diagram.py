"""The graph drawn: a circle for each label, an arrow for each pattern; once for a wide screen, once for a phone."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, radians, sin

from exporter.model.render import groups
from exporter.report.content import Content
from exporter.report.coordinates import NARROW_COORDINATES, WIDE_COORDINATES
from exporter.report.entities import EntitySummary
from exporter.report.routes import Curve, Name, Point, Shape, name, route

THINNEST, THICKEST = 1.0, 9.0
# About how wide a letter of a label's caption and of a pattern's name is, and how high their lines are (style.css).
CAPTION_LETTER, NAME_LETTER, LINE = 7.9, 6.4, 13.0
# The direction in which an arrow from a label to itself leaves, in degrees.
LOOP = -10


@dataclass(frozen=True, slots=True)
class Sheet:
    """A layout: the labels' places by row, the distances between columns and rows, the margin, the smallest and the
    largest radius, after how many letters a caption is broken, and whether arrows bear their names.

    Every other row begins half a column later.
    """

    name: str
    coordinates: Sequence[Sequence[str]]
    column: float
    row: float
    margin: float
    smallest: float
    largest: float
    letters: int
    named: bool


WIDE = Sheet("wide", WIDE_COORDINATES, 164, 136, 80, 7, 32, 99, True)
NARROW = Sheet("narrow", NARROW_COORDINATES, 98, 104, 50, 5, 22, 9, False)


@dataclass(frozen=True, slots=True)
class Circle:
    """A label with the lines of its caption; `group` counts the domain model's groups from 0."""

    entity: EntitySummary
    group: int
    x: float
    y: float
    radius: float
    caption: Sequence[str]

    @property
    def shape(self) -> Shape:
        """What lines keep clear of: the circle, its caption, and the number below that."""
        width = max(len(line) for line in (*self.caption, f"{self.entity.rows:,}"))
        return Shape(self.x, self.y, self.radius, width * CAPTION_LETTER / 2, LINE * (len(self.caption) + 1) + 3)

    @property
    def lines(self) -> list[tuple[str, float]]:
        """The lines of the caption and the number of rows, with their positions."""
        texts = [*self.caption, f"{self.entity.rows:,}"]
        return [(text, self.y + self.radius + LINE * number) for number, text in enumerate(texts, 1)]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A pattern: the `d` attributes of its line's and its head's paths, the line's width, and where its type is
    written."""

    entity: EntitySummary
    start: str
    type: str
    end: str
    path: str
    head: str
    width: float
    name: Name | None


@dataclass(frozen=True, slots=True)
class Diagram:
    """A drawing with its size."""

    name: str
    width: float
    height: float
    circles: Sequence[Circle]
    arrows: Sequence[Arrow]


def diagram(content: Content, sheet: Sheet) -> Diagram:
    """Draws the export's graph. Labels without coordinates get their own row below the others."""
    centres = positions([label.name for label in content.labels], sheet)
    most = max((label.rows for label in content.labels), default=0)
    order = list(groups())
    circles = {
        label.name: Circle(
            label, order.index(label.group), *centres[label.name], radius(label.rows, most, sheet),
            caption(label.name, sheet.letters),
        )
        for label in content.labels
    }  # fmt: skip
    width = max(x for x, _ in centres.values()) + sheet.margin
    return Diagram(
        sheet.name,
        width,
        max(y for _, y in centres.values()) + sheet.largest + LINE * 4,
        list(circles.values()),
        arrows(content.patterns, {label: circle.shape for label, circle in circles.items()}, width, named=sheet.named),
    )


def positions(labels: Sequence[str], sheet: Sheet) -> dict[str, Point]:
    """The centre of each label's circle."""
    placed = {label for row in sheet.coordinates for label in row}
    rows = [*sheet.coordinates, tuple(label for label in labels if label not in placed)]
    return {
        label: (sheet.margin + sheet.column * (column + (number % 2) / 2), sheet.margin - 26 + sheet.row * number)
        for number, row in enumerate(rows)
        for column, label in enumerate(row)
        if label in labels
    }


def radius(rows: int, most: int, sheet: Sheet) -> float:
    """A radius that grows with the fourth root of the rows, so that ten rows are visible beside ten million."""
    share: float = (rows / max(most, 1)) ** 0.25
    return max(sheet.smallest, sheet.largest * share)


def caption(label: str, letters: int) -> list[str]:
    """A label's name, in two lines if it has more letters than this, broken at the capital that is next to its
    middle."""
    capitals = [match.start() for match in re.finditer(r"(?<=[a-z])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])", label)]
    if len(label) <= letters or not capitals:
        return [label]
    cut = min(capitals, key=lambda capital: abs(capital - len(label) / 2))
    return [label[:cut], label[cut:]]


def arrows(patterns: Sequence[EntitySummary], shapes: Mapping[str, Shape], width: float, *, named: bool) -> list[Arrow]:
    """An arrow for each pattern, in their order; the names are placed when all lines are."""
    curves = routes(patterns, shapes, width)
    places = names(patterns, shapes, curves) if named else {}
    most = max((pattern.rows for pattern in patterns), default=0)
    drawn = []
    for pattern in patterns:
        start, kind, end = pattern.parts
        thickness = max(THINNEST, THICKEST * (pattern.rows / max(most, 1)) ** 0.5)
        curve = curves.get(pattern.name)
        path, head = line(curve, thickness) if curve else loop(shapes[start], thickness)
        drawn.append(Arrow(pattern, start, kind, end, path, head, thickness, places.get(pattern.name)))
    return drawn


def names(
    patterns: Sequence[EntitySummary], shapes: Mapping[str, Shape], curves: Mapping[str, Curve]
) -> dict[str, Name]:
    """Where each pattern's type is written, one after the other."""
    points = {pattern: curve.points() for pattern, curve in curves.items()}
    written: list[Point] = []
    places = {}
    for pattern in patterns:
        start, kind, _ = pattern.parts
        length = len(kind) * NAME_LETTER
        if curve := curves.get(pattern.name):
            crossing = [point for other in points if other != pattern.name for point in points[other]]
            places[pattern.name] = name(curve, length, list(shapes.values()), written, crossing)
        else:
            x, y = beside(shapes[start], LOOP, 30)
            places[pattern.name] = Name(x + length / 2, y, 0)
    return places


def routes(patterns: Sequence[EntitySummary], shapes: Mapping[str, Shape], width: float) -> dict[str, Curve]:
    """The curve of each pattern between two labels."""
    between = defaultdict[frozenset[str], list[Curve]](list)
    curves = {}
    for pattern in patterns:
        start, _, end = pattern.parts
        if start != end:
            others = [shape for label, shape in shapes.items() if label not in (start, end)]
            curve = route(shapes[start], shapes[end], others, between[frozenset((start, end))], width)
            between[frozenset((start, end))].append(curve)
            curves[pattern.name] = curve
    return curves


def line(curve: Curve, width: float) -> tuple[str, str]:
    """The paths of a line and of its head."""
    (x, y), (cx, cy), (x2, y2) = curve.start, curve.control, curve.end
    size, angle = 5 + width * 1.4, curve.angle(1)
    x1, y1 = x2 - cos(angle) * size, y2 - sin(angle) * size
    return f"M{x:.1f} {y:.1f}Q{cx:.1f} {cy:.1f} {x1:.1f} {y1:.1f}", arrowhead(x2, y2, angle, size)


def loop(shape: Shape, width: float) -> tuple[str, str]:
    """The paths of a line from a circle to itself, to its right, and of its head."""
    size, reach = 5 + width * 1.4, shape.radius * 0.25 + 34
    (x1, y1), (ax, ay), (bx, by), (x2, y2) = (
        beside(shape, LOOP + turn, off) for turn, off in ((-28, 2), (-28, reach), (28, reach), (28, 2))
    )
    angle = atan2(y2 - by, x2 - bx)
    xn, yn = x2 - cos(angle) * size, y2 - sin(angle) * size
    path = f"M{x1:.1f} {y1:.1f}C{ax:.1f} {ay:.1f} {bx:.1f} {by:.1f} {xn:.1f} {yn:.1f}"
    return path, arrowhead(x2, y2, angle, size)


def beside(shape: Shape, turn: float, off: float) -> Point:
    """The point this far from a circle's edge, in a direction in degrees."""
    return (
        shape.x + cos(radians(turn)) * (shape.radius + off),
        shape.y + sin(radians(turn)) * (shape.radius + off),
    )


def arrowhead(x: float, y: float, angle: float, size: float) -> str:
    """The path of a triangle whose tip is at (x, y)."""
    corners = ((x - cos(angle + turn) * size, y - sin(angle + turn) * size) for turn in (0.42, -0.42))
    return f"M{x:.1f} {y:.1f}" + "".join(f"L{a:.1f} {b:.1f}" for a, b in corners) + "Z"

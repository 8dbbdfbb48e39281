"""Draws how cost grows with scale: results as JSON lines in, one SVG out.

Usage: python -m benchmarks.plot RESULTS.jsonl PICTURE.svg
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

PANELS = (
    ("wall", "wall time, s", 1.0),
    ("server_cpu", "server CPU, s", 1.0),
    ("peak_memory", "peak memory (PSS), MB", 1e6),
)


def curves(lines: Iterable[str], measure: str, unit: float) -> dict[str, list[tuple[float, float]]]:
    """For each contender its points (scale, median), by scale; of several results at a scale the last counts."""
    points: dict[str, dict[float, float]] = defaultdict(dict)
    for result in map(json.loads, filter(str.strip, lines)):
        known = [value for value in result[measure] if value is not None]
        if known:
            points[result["contender"]][result["scale"]] = statistics.median(known) / unit
    return {contender: sorted(found.items()) for contender, found in points.items()}


def scales_of(drawn: Mapping[str, list[tuple[float, float]]]) -> list[float]:
    """The scales that were measured, in order: the ticks of an axis."""
    return sorted({scale for points in drawn.values() for scale, _ in points})


def draw(lines: list[str], picture: Path) -> None:
    """Writes the SVG: a panel for each measure, logarithmic axes, plain numbers; equal results give equal bytes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"
    from matplotlib import pyplot
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(13, 4.2), layout="constrained")
    for panel, (measure, title, unit) in zip(axes, PANELS, strict=True):
        drawn = curves(lines, measure, unit)
        for contender, points in drawn.items():
            line = "dotted" if contender.startswith("floor_") else "solid"
            width = 3 if contender == "ours" else 1.5
            panel.plot(*zip(*points, strict=True), marker="o", linestyle=line, linewidth=width, label=contender)
        panel.set(title=title, xlabel="million rows", xscale="log", yscale="log")
        panel.xaxis.set(major_locator=FixedLocator(scales_of(drawn)), minor_locator=NullLocator())
        panel.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), minor_formatter=NullFormatter())
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,g}"))
        panel.grid(visible=True, alpha=0.25)
    axes[0].legend()
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines(), Path(sys.argv[2]))

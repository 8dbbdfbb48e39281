"""A trend as a line so small that it fits into a table."""

from collections.abc import Sequence

WIDTH, HEIGHT = 72, 18
# Two points would always make the steepest slope; and what changed by less than this share is drawn almost level.
FEWEST, LEAST = 3, 0.1


def sparkline(trend: Sequence[float | None]) -> str:
    """The points of a polyline through a trend, without missing values; empty for fewer than three.

    Its height stands for at least a tenth of the middle value, 5 % to each side, so that noise does not look like news.
    """
    known = [(index, value) for index, value in enumerate(trend) if value is not None]
    if len(known) < FEWEST:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    middle = (low + high) / 2
    scale = max(high - low, LEAST * middle) or 1
    return " ".join(
        f"{2 + (WIDTH - 4) * index / (len(trend) - 1):.1f},{HEIGHT / 2 - (HEIGHT - 4) * (value - middle) / scale:.1f}"
        for index, value in known
    )

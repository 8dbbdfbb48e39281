"""Consoles on which no value and no name of a source can command the terminal."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from exporter.text import visible_lines


class SafeConsole(Console):
    """A rich console that escapes control characters in whatever is printed, and leaves rich's own alone. A subclass,
    since rich renders everything, live views included, by this one method."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, safe to print; where an escape makes one wider than rich knew, it is cut."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))

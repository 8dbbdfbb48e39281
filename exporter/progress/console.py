"""Consoles on which no value and no name of a source can command the terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from exporter.text import visible_lines


class SafeConsole(Console):
    """A rich console that escapes control characters in whatever is printed, and leaves rich's own alone. A subclass,
    since rich renders everything, live views included, by this one method."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable, safe to print; where an escape makes one wider than rich knew, it is cut.
        Except on a terminal, no line ends with the spaces that fill a table's last column."""
        segments = (
            segment if segment.control else segment._replace(text=visible_lines(segment.text))
            for segment in super().render(renderable, options)
        )
        return segments if self.is_terminal else without_spaces_at_ends(segments)


def without_spaces_at_ends(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments without the spaces before the end of a line or of everything."""
    held: list[Segment] = []
    for segment in segments:
        if segment.control or not segment.text.strip(" "):
            held.append(segment)
            continue
        ends = segment.text.startswith("\n")
        yield from (space for space in held if space.control or not ends)
        text = segment.text.rstrip(" ")
        yield segment._replace(text=text)
        held = [segment._replace(text=segment.text[len(text) :])] if text != segment.text else []
    yield from (segment for segment in held if segment.control)

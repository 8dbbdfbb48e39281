"""The page: a Jinja template, filled with the report's content."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from rich.filesize import decimal

from exporter.model.render import groups
from exporter.pipeline.profile import Profile
from exporter.report.content import Content
from exporter.report.diagram import NARROW, WIDE, diagram
from exporter.report.entities import EntitySummary
from exporter.report.sparkline import sparkline
from exporter.report.timeline import Block, timeline
from exporter.report.verdict import verdict, worst
from exporter.text import format_change, format_duration, format_seconds, quantity, visible


def page(content: Content, profile: Profile) -> str:
    """The report as one HTML file that loads nothing else. Everything from the source is escaped, and its policy allows
    no script but its own."""
    environment = Environment(
        loader=PackageLoader("exporter.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": format_number, "size": decimal, "tick": format_tick, "seconds": format_seconds,
        "change": format_change, "moment": format_moment, "time": time_element, "value": format_value, "share": share,
        "sparkline": sparkline, "stops": colour_stops, "grouped": grouped, "heading": heading, "worst": worst,
        "details": entity_details, "spent": block_details, "fitting": fitting, "breakable": breakable,
        "visible": visible, "relative": relative_change, "quantity": quantity, "percent": percent,
    }  # fmt: skip
    script = page_file("script.js")
    return environment.get_template("report.html").render(
        content=content,
        verdict=verdict(content),
        diagrams=[diagram(content, WIDE), diagram(content, NARROW)],
        groups=list(groups()),
        timeline=timeline(profile),
        bottleneck=profile.bottleneck(),
        style=Markup(page_file("style.css")),
        script=Markup(script),
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def page_file(name: str) -> str:
    """The text of a file that is inserted into the page unchanged."""
    return files("exporter.report").joinpath("page", name).read_text(encoding="utf-8")


def grouped(entities: Iterable[EntitySummary]) -> list[tuple[str, list[EntitySummary]]]:
    """Entities by group, in their order."""
    return [(group, list(members)) for group, members in groupby(entities, key=lambda entity: entity.group)]


def heading(entity: EntitySummary) -> Markup:
    """A label's name, or a pattern's with its type set apart."""
    return Markup(" ").join(
        Markup('<span class="type">{}</span>').format(breakable(part)) if index == 1 else escape(part)
        for index, part in enumerate(entity.parts)
    )


def breakable(name: str) -> Markup:
    """The name of a column, table or reason, which may be broken at a dot, underscore or colon on a narrow screen."""
    return Markup(re.sub(r"([._:])", r"\1<wbr>", str(escape(name))))


def entity_details(entity: EntitySummary) -> str:
    """What pointing at a label or pattern shows, line by line."""
    lines = [entity.pattern, f"{quantity(entity.rows, 'row')} of {entity.table}, {decimal(entity.bytes)}"]
    if entity.before is not None and entity.before != entity.rows:
        change = format_change(entity.before, entity.rows)
        lines.append(f"{change} since the previous export ({format_number(entity.before)})")
    if entity.outside_window:
        lines.append(f"{quantity(entity.outside_window, 'row')} outside of the window")
    if entity.no_target:
        lines.append(f"{quantity(entity.no_target, 'row')} without a target")
    return "\n".join([*lines, *(f"{format_number(count)} {reason}" for reason, count in entity.rejects.items())])


def block_details(block: Block) -> str:
    """What pointing at a block of the timeline shows, line by line."""
    pieces = f" in {block.tasks} pieces" if block.tasks > 1 else ""
    lines = [block.name, f"{format_seconds(block.seconds)}{pieces}"]
    return "\n".join([*lines, *(f"{activity} {format_seconds(spent)}" for activity, spent in block.spent.items())])


# About how many characters fit into the width of the timeline.
LETTERS = 150


def fitting(texts: Iterable[str], seconds: float, total: float) -> str:
    """The first text that fits into a block of `seconds` in a timeline of `total`; empty if none does."""
    room = LETTERS * seconds / total - 2 if total else 0
    return next((text for text in texts if len(text) <= room), "")


def format_value(value: float | None) -> str:
    """A number of a trend, or a dash."""
    return "–" if value is None else format_number(value)


def format_number(value: float) -> str:
    """`7,036`"""
    return f"{value:,.0f}"


def format_tick(seconds: float) -> str:
    """A time on the axis: `0.5 s`, `10 s`, `2 min`"""
    return f"{seconds:g} s" if seconds < 60 else format_duration(seconds).removesuffix(" 0 s").removesuffix(" 0 min")


def format_moment(moment: datetime) -> str:
    """`Mon 23 Nov 2026, 03:15 UTC`"""
    return moment.astimezone(UTC).strftime("%a %d %b %Y, %H:%M UTC")


def time_element(moment: datetime) -> Markup:
    """A time to read, with its seconds when it is pointed at; the page's script adds the reader's own time."""
    exact = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        exact.strftime("%Y-%m-%dT%H:%M:%SZ"), exact.strftime("%Y-%m-%d %H:%M:%S UTC"), format_moment(moment)
    )


def relative_change(before: float | None, after: float) -> float:
    """The change as a share of what was before, to sort by; what is new comes after all that grew."""
    if not before:
        return 0.0 if before is None or not after else 1e9
    return round((after - before) / before, 6)


def share(value: float, total: float) -> str:
    """A part of a total as a percentage for a style: `12.5%`"""
    return f"{100 * value / total if total else 0:.3f}%"


def percent(value: float, total: float) -> str:
    """A part of a total to read: `4.2 %`, `under 0.1 %`"""
    found = 100 * value / total if total else 0
    return "under 0.1 %" if 0 < found < 0.05 else f"{found:.1f} %"


def colour_stops(shares: Iterable[tuple[str, float]]) -> str:
    """The colours of a bar of several parts: `var(--read) 0% 40%, var(--shape) 40% 100%`"""
    stops, start = [], 0.0
    for name, width in shares:
        stops.append(f"var(--{name}) {start:.1%} {start + width:.1%}")
        start += width
    return ", ".join(stops) or "var(--line) 0% 100%"

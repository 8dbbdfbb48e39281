"""The page itself: Jinja's template filled with what the report tells."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from rich.filesize import decimal

from exporter.pipeline.profile import Profile
from exporter.report.content import Content, Entity, moment
from exporter.report.diagram import picture, sparkline
from exporter.report.timeline import Block, timeline
from exporter.text import format_change, format_duration


def page(content: Content, profile: Profile) -> str:
    """The report as one HTML file, which loads nothing from anywhere: all that it holds of the source is escaped, and
    its policy allows no script but its own."""
    environment = Environment(
        loader=PackageLoader("exporter.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number, "size": decimal, "time": time_text, "seconds": seconds_text, "change": format_change,
        "share": share, "sparkline": sparkline, "stops": stops, "moment": moment_text, "shown": shown,
        "grouped": grouped, "heading": heading, "details": details, "spent": spent, "fitting": fitting,
        "breakable": breakable,
    }  # fmt: skip
    script = part("script.js")
    return environment.get_template("report.html").render(
        content=content,
        picture=picture(content),
        timeline=timeline(profile),
        bottleneck=profile.bottleneck(),
        style=Markup(part("style.css")),
        script=Markup(script),
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def grouped(members: Iterable[Entity]) -> list[tuple[str, list[Entity]]]:
    """Entities by group, in their order."""
    return [(group, list(inside)) for group, inside in groupby(members, key=lambda each: each.group)]


def heading(entity: Entity) -> Markup:
    """A label's name, or a pattern's with its type set apart."""
    parts = entity.folder.split("-")
    return Markup(" ").join(
        Markup('<span class="type">{}</span>').format(breakable(part)) if place == 1 else escape(part)
        for place, part in enumerate(parts)
    )


def breakable(name: str) -> Markup:
    """A name of a column, table or reason, that a narrow screen may break where it has a joint."""
    return Markup(re.sub(r"([._:])", r"\1<wbr>", str(escape(name))))


def details(entity: Entity) -> str:
    """What is told of a label or pattern that is pointed at."""
    sanitized_errors = [entity.name, f"{number(entity.rows)} rows of {entity.table}, {decimal(entity.bytes)}"]
    if entity.before is not None and entity.before != entity.rows:
        sanitized_errors.append(
            f"{format_change(entity.before, entity.rows)} since the export before ({number(entity.before)})"
        )
    if entity.no_target:
        sanitized_errors.append(f"{number(entity.no_target)} rows refer to nobody")
    sanitized_errors += [f"{number(count)} {reason}" for reason, count in entity.rejects.items()]
    return "\n".join(sanitized_errors)


def spent(block: Block) -> str:
    """What is told of a block of the timeline."""
    sanitized_errors = [
        block.what,
        f"{seconds_text(block.seconds)}{f' in {block.tasks} pieces' if block.tasks > 1 else ''}",
    ]
    sanitized_errors += [f"{name} {seconds_text(seconds)}" for name, seconds in block.spent.items()]
    return "\n".join(sanitized_errors)


# The timeline is about so many letters wide.
LETTERS = 150


def fitting(texts: Iterable[str], seconds: float, whole: float) -> str:
    """The first of some texts that has room in a block of the timeline; nothing where none has."""
    room = LETTERS * seconds / whole - 2 if whole else 0
    return next((text for text in texts if len(text) <= room), "")


def shown(value: float | None) -> str:
    """A number of a trend."""
    return "–" if value is None else number(value)


def part(name: str) -> str:
    """A file that is put into the page as it is."""
    return files("exporter.report").joinpath("page", name).read_text(encoding="utf-8")


def number(value: float) -> str:
    """`7,036`"""
    return f"{value:,.0f}"


def seconds_text(value: float) -> str:
    """`40 ms`, `0.3 s`, `42 s`, `3 min 20 s`"""
    if value < 0.095:
        return f"{value * 1e3:.0f} ms"
    return f"{value:.1f} s" if value < 9.95 else format_duration(value)


def time_text(value: float) -> str:
    """A time on the axis: `0.5 s`, `10 s`, `2 min`"""
    return f"{value:g} s" if value < 60 else format_duration(value).removesuffix(" 0 s").removesuffix(" 0 min")


def moment_text(value: str) -> str:
    """`2026-11-23 03:15:01 UTC`"""
    return moment(value).strftime("%Y-%m-%d %H:%M:%S UTC")


def share(value: float, whole: float) -> str:
    """A part of a whole as a percentage for a style: `12.5%`"""
    return f"{100 * value / whole if whole else 0:.3f}%"


def stops(shares: Iterable[tuple[str, float]]) -> str:
    """The colours of a bar of several parts: `var(--read) 0% 40%, var(--shape) 40% 100%`"""
    made, place = [], 0.0
    for name, width in shares:
        made.append(f"var(--{name}) {place:.1%} {place + width:.1%}")
        place += width
    return ", ".join(made) or "var(--line) 0% 100%"

"""Numbers, sizes, durations and ages as people read and write them: the only formatter, and the only parser."""

import json
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
HOURS = {"h": 1, "d": 24, "w": 168}
# A date, or a date and a time, as ISO 8601 has them; with a zone or without.
TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
# At these years' ends, another zone would have no such date.
YEARS = range(2, 9999)
# Unicode's categories of what a terminal obeys rather than shows: controls, formats, surrogates, line separators.
INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
JOINERS = "\u200c\u200d"
ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def format_duration(seconds: float) -> str:
    """For sentences: `42 s`, `3 min 20 s`, `1 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def format_seconds(seconds: float) -> str:
    """`40 ms`, `0.3 s`, `42 s`, `3 min 20 s`: with the digits that matter."""
    if seconds < 0.095:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else format_duration(seconds)


def format_clock(seconds: float) -> str:
    """For columns, as short as is readable: `4.5 s`, `42 s`, `3:20`, `1:05:00`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def quantity(number: int, noun: str) -> str:
    """`no errors`, `1 error`, `1,200 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if number else f"no {noun}s"


def round_estimate(number: int) -> str:
    """An estimate to three significant digits: `12,300` for 12,345."""
    return f"{float(f'{number:.3g}'):,.0f}"


def format_change(before: float | None, after: float) -> str:
    """`+3.1 %`, `-20 %`, `new`, `gone`; the difference, `-72`, where the percentage would be 0.0; empty if nothing
    changed, or there is nothing to compare with."""
    if before is None or before == after:
        return ""
    if not before or not after:
        return "gone" if before else "new"
    percent = (after - before) / before * 100
    if abs(percent) < 0.05:
        return f"{after - before:+,.0f}" if abs(after - before) >= 0.5 else ""
    return f"{percent:+,.0f} %" if abs(percent) >= 9.95 else f"{percent:+.1f} %"


def format_age(moment: datetime) -> str:
    """How long ago a moment was: `42 s`, `3 min 20 s`, `1 h 5 min`, `12 days`."""
    seconds = max((datetime.now(UTC) - moment).total_seconds(), 0)
    return f"{seconds // 86400:.0f} days" if seconds >= 2 * 86400 else format_duration(seconds)


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is not known: the one that is nearest to it whatever their case, if any
    is near."""
    names = {other.lower(): other for other in known}
    found = get_close_matches(name.lower(), names, n=1, cutoff=0.8)
    return f"; the nearest is {names[found[0]]}" if found else ""


def visible(text: str) -> str:
    """Text of the source, safe on a terminal and in a log: control characters, line ends included, are escaped as psql
    does (`\\r`, `\\x1B`), and so is what reverses or hides letters (bidirectional and other format characters,
    `\\u202E`), except the joiners that Indic scripts and emoji need."""
    return "".join(escaped(letter) if unicodedata.category(letter) in INVISIBLE else letter for letter in text)


def visible_lines(text: str) -> str:
    """Text of several lines, safe to print: as `visible`, but its line ends stay."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """JSON, or a string of Cypher, with the control characters escaped that `json.dumps` leaves raw (DEL, C1,
    bidirectional); it means the same."""
    lines = text.split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(visible_in_json, line)) for line in lines)


def visible_in_json(letter: str) -> str:
    """A letter of a JSON string, escaped if a terminal would obey it."""
    return json.dumps(letter)[1:-1] if visible(letter) != letter else letter


def escaped(letter: str) -> str:
    """A control or format character as an escape; a joiner unchanged."""
    if letter in JOINERS:
        return letter
    number = ord(letter)
    if number < 0x100:
        return ESCAPES.get(letter, f"\\x{number:02X}")
    return f"\\u{number:04X}" if number < 0x10000 else f"\\U{number:08X}"


# Settings as users write them, and back. What cannot be parsed is returned unchanged, and the setting refuses it.


def parse_size(value: Any) -> Any:
    """Bytes of `640MB`, `1.5G` or a plain number."""
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]+)?)\s*([KMG]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
    return int(float(match[1]) * BYTES[match[2].upper()]) if match else value


def write_size(size: int) -> str:
    """A number of bytes as a setting has it, in whole megabytes: `640MB`."""
    return f"{size >> 20}MB"


def parse_span(value: Any) -> Any:
    """Seconds of `90s`, `15m`, `2h` or a plain number."""
    match = re.fullmatch(r"([0-9]{1,18})\s*([smh]?)", value.strip()) if isinstance(value, str) else None
    return int(match[1]) * SECONDS[match[2]] if match else value


def write_span(seconds: int) -> str:
    """Seconds as a setting has them: `90s`."""
    return f"{seconds}s"


def parse_percentage(value: Any) -> Any:
    """The number in `20%`, `0.5 %` or `20`."""
    return value.strip().removesuffix("%").rstrip() if isinstance(value, str) else value


def write_percentage(percent: float) -> str:
    """A percentage as a setting has it: `20%`."""
    return f"{percent:g}%"


def parse_moment(value: Any) -> Any:
    """How long before, of `36h`, `7d`, `2w`, as a timedelta above zero; the moment of a date (its midnight) or a
    timestamp as a datetime, which has a zone only if the timestamp has."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    elif not isinstance(value, str):
        return value
    elif match := re.fullmatch(r"([0-9]{1,6})\s*([hdw])", value.strip()):
        return timedelta(hours=int(match[1]) * HOURS[match[2]]) or value
    elif not TIMESTAMP.fullmatch(value.strip()):
        return value
    else:
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return value
    return moment if moment.year in YEARS else value


def write_moment(moment: timedelta | datetime) -> str:
    """A moment as a setting has it: `36h`, `7d`, `2026-11-01T06:30:00+05:30`."""
    if isinstance(moment, datetime):
        return moment.isoformat()
    hours = round(moment / timedelta(hours=1))
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


def parse_share(value: Any) -> Any:
    """The exact share in `1%`, `0.5 %` or `20`, which are percentages."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,12})?)\s*%?", str(value).strip())
    return Fraction(match[1]) / 100 if match else value


def write_share(share: Fraction) -> str:
    """A share as a setting has it, exactly: `0.5%`."""
    percent = share * 100
    return f"{Decimal(percent.numerator) / Decimal(percent.denominator):f}%"

"""Numbers, sizes, durations and ages as people read them: the one formatter."""

from datetime import UTC, datetime


def format_duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `1 h 5 min`."""
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
    """`4.5 s`, `42 s`, `3:20`, `1:05:00`: as short as it can be read."""
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
    """Three digits of a number: what an estimate is good for."""
    return f"{float(f'{number:.3g}'):,.0f}"


def format_estimate(seconds: float) -> str:
    """`3 s`, `12 min`, `2 h 5 min`."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def format_change(before: float | None, after: float) -> str:
    """`+3.1 %`, `-20 %`, `new`, `gone`; nothing where there is nothing to compare with, or nothing changed."""
    if before is None or before == after:
        return ""
    if not before or not after:
        return "gone" if before else "new"
    percent = (after - before) / before * 100
    return f"{percent:+,.0f} %" if abs(percent) >= 9.95 else f"{percent:+.1f} %"


def format_age(moment: datetime) -> str:
    """`42 s`, `3 min 20 s`, `1 h 5 min`, `12 days`."""
    seconds = max((datetime.now(UTC) - moment).total_seconds(), 0)
    return f"{seconds // 86400:.0f} days" if seconds >= 2 * 86400 else format_duration(seconds)

"""How much of its source an export is, and in what form: whole or a window, as it is there or masked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from exporter.sink.copies import RedactionEntry, WindowEntry
from exporter.sink.manifest import Manifest
from exporter.text import quantity

# The times of a window are before the snapshot by the span that was asked for, but for the time that the server takes.
TOLERANCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Extent:
    """The window of an export and what was masked in it, None if nothing, and when its snapshot was taken."""

    window: WindowEntry | None = None
    redaction: RedactionEntry | None = None
    snapshot_at: datetime | None = None


WHOLE = Extent()


def extent_of(manifest: Manifest) -> Extent:
    """The extent of an export."""
    return Extent(manifest.window, manifest.redaction, manifest.source.snapshot_at)


def same_extent(one: Extent, other: Extent) -> bool:
    """Whether two exports are of equal windows, and masked alike."""
    return same_window(one, other) and same_redaction(one, other)


def same_redaction(one: Extent, other: Extent) -> bool:
    """Whether neither is masked, or every property of both was treated alike, with whatever key."""
    if one.redaction is None or other.redaction is None:
        return one.redaction is other.redaction
    return one.redaction.sha256 == other.redaction.sha256


def same_window(one: Extent, other: Extent) -> bool:
    """Whether neither is a window, or both were cut by the same settings: the same times, or times that are before the
    snapshot by the same span.

    Nothing is known to be equal to a window by roots: their values are not in the manifest.
    """
    first, second = one.window, other.window
    if first is None or second is None:
        return first is second
    if first.roots or second.roots:
        return False
    if (first.sample, first.seed, first.without) != (second.sample, second.seed, second.without):
        return False
    if (first.since, first.until) == (second.since, second.until):
        return True
    return all(same_span(before, after) for before, after in zip(spans(one), spans(other), strict=True))


def spans(extent: Extent) -> tuple[timedelta | None, timedelta | None]:
    """How long before the snapshot the window begins and ends; None where it does not."""
    window, taken_at = extent.window, extent.snapshot_at
    since, until = (window.since, window.until) if window else (None, None)
    return (
        taken_at - since if taken_at and since else None,
        taken_at - until if taken_at and until else None,
    )


def same_span(one: timedelta | None, other: timedelta | None) -> bool:
    """Whether both are none, or both are as long."""
    if one is None or other is None:
        return one is other
    return abs(one - other) < TOLERANCE


def short_window(extent: Extent) -> str:
    """A window for a column of a table: `7d`, `7d to 1d`, `2026-11-01, 5%`, `2 roots`; empty where it is none."""
    window = extent.window
    if not window:
        return ""
    since, until = (
        moment and short_moment(moment, span)
        for moment, span in zip((window.since, window.until), spans(extent), strict=True)
    )
    parts = [(since and until and f"{since} to {until}") or since or (until and f"until {until}")]
    parts += [f"{100 * window.sample:g}%" if window.sample is not None else None]
    parts += [quantity(len(window.roots), "root") if window.roots else None]
    parts += [f"without {len(window.without)}" if window.without else None]
    return ", ".join(part for part in parts if part)


def short_moment(moment: datetime, span: timedelta | None) -> str:
    """The span before the snapshot in whole days or hours, `7d` or `36h`, else the day."""
    hours = round(span / timedelta(hours=1)) if span else 0
    if span is None or hours <= 0 or not same_span(span, timedelta(hours=hours)):
        return moment.date().isoformat()
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


def window_text(extent: Extent) -> str:
    """A window in words, `the whole source` where it is none: `since 2026-11-16 03:15 UTC, 5 % of the people, without
    Notification`."""
    return str(extent.window) if extent.window else "the whole source"


def redaction_text(extent: Extent) -> str:
    """What masked an export, in words: `masked by the profile analyst`, `not masked`."""
    return str(extent.redaction) if extent.redaction else "not masked"

"""What the manifest says of a copy: which rows of the source it has."""

from exporter.pipeline.extract import Extract
from exporter.sink.copies import PulledEntry, RootEntry, WindowEntry, WindowRows


def window_entry(extracted: Extract) -> WindowEntry | None:
    """The window that was exported, as it was resolved in the snapshot; None for the whole source."""
    if extracted.asked is None or extracted.closed is None:
        return None
    window, total = extracted.asked.window, sum(extracted.counts.values())
    return WindowEntry(
        since=window.since,
        until=window.until,
        sample=float(window.sample) if window.sample is not None else None,
        seed=window.seed,
        roots=[RootEntry(*place, matched) for place, matched in extracted.asked.matched.items()],
        without=sorted(window.without),
        rows=WindowRows(total - sum(extracted.outside.values()), total),
        pulled=[PulledEntry(by, rows) for by, rows in extracted.closed.pulled.items()],
    )

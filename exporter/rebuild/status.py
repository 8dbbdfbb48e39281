"""What a rebuild has made so far: which export is live, which one a rollback brings back, what is under way."""

import fcntl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exporter.errors import ExporterError, UsageError
from exporter.rebuild.installation import find_installation
from exporter.rebuild.live import fault
from exporter.rebuild.report import counts
from exporter.rebuild.store import Store
from exporter.rebuild.stores import Stores
from exporter.settings import RebuildSettings
from exporter.sink.copies import timestamp, window_object
from exporter.sink.layout import LOCK
from exporter.sink.manifest import Manifest
from exporter.text import format_age, quantity, visible


@dataclass(frozen=True, slots=True)
class Status:
    """The stores of a live graph, what its Neo4j says (empty: it answers), whether a rebuild is running, and whether a
    swap is under way that only a repair can end, if none is."""

    live: Store | None
    previous: Store | None
    fault: str
    running: bool
    swapping: bool

    @property
    def broken(self) -> bool:
        """Whether a run died while it swapped the stores."""
        return self.swapping and not self.running

    def as_object(self) -> dict[str, Any]:
        """The object of `exporter rebuild --status --json` (docs/nightly.md)."""
        return {
            "answers": not self.fault,
            "fault": self.fault or None,
            "running": self.running,
            "needs_repair": self.broken,
            "live": self.live and store_object(self.live),
            "previous": self.previous and store_object(self.previous),
        }


def store_object(store: Store) -> dict[str, Any]:
    """A store for programs: its export, and what the export's manifest says."""
    manifest = store.manifest
    source = manifest.source if manifest else None
    return {
        "export": store.export,
        "source": source and source.identity,
        "snapshot_at": source and timestamp(source.snapshot_at),
        "window": window_object(manifest.window) if manifest else None,
        "masked": manifest.redaction.profile if manifest and manifest.redaction else None,
        "counts": counts(manifest) if manifest else None,
    }


def describe(store: Store) -> str:
    """A store in a sentence: of which export it is, how old its rows are, and how many there are."""
    manifest = store.manifest
    if not manifest:
        return f"{store}, of which no more is known"
    taken_at = manifest.source.snapshot_at
    when = f"snapshot of {taken_at:%a %d %b %Y %H:%M} UTC, {format_age(taken_at)} ago"
    return f"{store}: {when}; {numbers(manifest)}"


def numbers(manifest: Manifest) -> str:
    """`100,280 nodes, 116,781 relationships`."""
    totals = manifest.totals
    return f"{quantity(totals.nodes, 'node')}, {quantity(totals.relationships, 'relationship')}"


def rebuild_status(settings: RebuildSettings) -> Status:
    """Looks at the stores and asks Neo4j; changes nothing.

    Raises `UsageError` if the settings name no Neo4j, or this user may not look at its stores.
    """
    stores = find_installation(settings).stores
    try:
        current, kept, swapping = stores.current(), stores.kept(), stores.under_way() is not None
        running = is_locked(stores.root / LOCK)
    except OSError as error:
        raise UsageError(f"cannot look at {stores.root}: {error.strerror}; run this as the user of Neo4j") from None
    return Status(current, kept[0] if kept else None, fault(settings), running, swapping)


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock file, which is neither created nor changed. It is shared for an instant, which
    `hold_lock` survives."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def known_stores(settings: RebuildSettings) -> Stores | None:
    """The stores of the Neo4j that the settings name; None if they name none, or this user may not look at them."""
    with suppress(ExporterError, OSError):
        stores = find_installation(settings).stores
        stores.all()
        return stores
    return None


def status_lines(status: Status, latest: str | None, program: str) -> list[str]:
    """A status for people, with the export that `latest` leads to; `program` is the command without its options."""
    rollback = f"`{program} --rollback` makes it live again"
    described = {
        "live": store_lines(status.live) if status.live else ["not known: no rebuild made it"],
        "previous": [*store_lines(status.previous), rollback] if status.previous else ["none to go back to"],
        "Neo4j": [status.fault or "answers"],
        "latest": [latest or "leads to no export"],
    }
    if status.broken:
        described["swap"] = [f"a run died in it: `{program} --repair` puts the old store back"]
    elif status.running:
        described["rebuild"] = ["one is running now"]
    return [
        f"{'' if number else name:<10}{visible(line)}"
        for name, lines in described.items()
        for number, line in enumerate(lines)
    ]


def store_lines(store: Store) -> list[str]:
    """A store in a few short lines."""
    manifest = store.manifest
    if not manifest:
        return [str(store)]
    taken_at = manifest.source.snapshot_at
    return [
        f"export {store.export}, {format_age(taken_at)} old",
        f"snapshot of {taken_at:%a %d %b %Y %H:%M} UTC: {numbers(manifest)}",
        f"source {manifest.source.identity or 'not known (an export of version 1.0)'}",
        *manifest.copy_lines,
    ]

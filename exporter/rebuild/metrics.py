"""A rebuild's report as a Prometheus textfile, for node_exporter's textfile collector."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from exporter.errors import UsageError
from exporter.rebuild.report import RebuildReport, counts

# Name -> help, and the name of its label, if any.
GAUGES = {
    "success": ("Whether the last run succeeded.", ""),
    "exit_code": ("The exit code of the last run.", ""),
    "finished_timestamp_seconds": ("When the last run ended.", ""),
    "downtime_seconds": ("How long the live graph was unavailable.", ""),
    "step_seconds": ("How long each step of the last run took.", "step"),
    "count": ("What the live graph's export holds.", "what"),
    "live_timestamp_seconds": ("When the snapshot of the live graph was taken.", ""),
}


def values(report: RebuildReport) -> dict[str, Mapping[str, float]]:
    """Each gauge's values by label; by the empty string if it has none."""
    manifest = report.live and report.live.manifest
    return {
        "success": {"": float(report.exit_code == 0)},
        "exit_code": {"": report.exit_code},
        "finished_timestamp_seconds": {"": time.time()},
        "downtime_seconds": {} if report.downtime is None else {"": report.downtime},
        "step_seconds": report.seconds,
        "count": counts(manifest) if manifest else {},
        "live_timestamp_seconds": {"": manifest.source.snapshot_at.timestamp()} if manifest else {},
    }


def write_metrics(report: RebuildReport, path: Path) -> None:
    """Writes the file in one step. Raises `UsageError` if it cannot be written."""
    registry = CollectorRegistry()
    try:
        for name, by_label in values(report).items():
            description, label = GAUGES[name]
            if by_label:
                gauge = Gauge(f"exporter_rebuild_{name}", description, [label] if label else [], registry=registry)
                for label_value, value in by_label.items():
                    (gauge.labels(label_value) if label else gauge).set(value)
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise UsageError(f"the metrics {path} cannot be written: {error.strerror}") from None


def check_metrics(path: Path) -> None:
    """Raises `UsageError` if it would be impossible to write the metrics."""
    if path.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"the metrics {path} cannot be written: it is a directory, or its directory is not writable")

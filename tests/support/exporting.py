"""An export made in this process."""

from exporter.pipeline import run
from exporter.pipeline.pool import worker_pool
from exporter.pipeline.run import ExportResult
from exporter.progress.state import ProgressState
from exporter.report.report import report
from exporter.settings import Settings


def export(settings: Settings) -> ExportResult:
    """Exports as the command does, without showing progress."""
    with worker_pool(settings.workers) as pool:
        return run.export(settings, pool, ProgressState(), render=report)

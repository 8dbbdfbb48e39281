"""An export in this process, for tests that need one made."""

from exporter.pipeline import run
from exporter.pipeline.pool import worker_pool
from exporter.pipeline.run import ExportResult
from exporter.progress.log import PlainLines
from exporter.report.report import report
from exporter.settings import Settings


def export(settings: Settings) -> ExportResult:
    """Exports as the command does, with plain lines."""
    with worker_pool(settings.workers) as pool:
        return run.export(settings, pool, PlainLines(), render=report)

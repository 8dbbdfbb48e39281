"""An export in this process, for tests that need one made."""

from exporter import run
from exporter.pool import worker_pool
from exporter.progress import PlainLines
from exporter.run import Outcome
from exporter.settings import Settings


def export(settings: Settings) -> Outcome:
    """Exports as the command does, with plain lines."""
    with worker_pool(settings.workers) as pool:
        return run.export(settings, pool, PlainLines())

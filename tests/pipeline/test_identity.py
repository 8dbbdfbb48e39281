"""The identity of a source in a manifest, from one end to the other."""

from pathlib import Path

from exporter.pipeline import run
from exporter.pipeline.pool import worker_pool
from exporter.progress.state import ProgressState
from exporter.report.report import report
from exporter.settings import Settings
from exporter.source.connection import connect
from exporter.source.identity import source_identity
from tests.support.exporting import export


def test_a_manifest_says_of_which_source_it_is(sample_database: str, tmp_path: Path) -> None:
    """By what the server says, or by the name that the user gave."""
    with connect(sample_database, "test", lock_seconds=3) as connection:
        identity = source_identity(connection)
    unnamed = export(Settings(source=sample_database, output=tmp_path))
    named = export(Settings(source=sample_database, output=tmp_path, source_name="production"))
    assert [result.manifest.source.identity for result in (unnamed, named)] == [identity, "production"]


def test_an_export_of_a_rebuild_leaves_latest(sample_database: str, tmp_path: Path) -> None:
    """Until its graph is live, the last one that was accepted is the latest."""
    first = export(Settings(source=sample_database, output=tmp_path)).directory
    with worker_pool(2) as pool:
        settings = Settings(source=sample_database, output=tmp_path)
        second = run.export(settings, pool, ProgressState(), render=report, move_latest=False).directory
    assert second.is_dir() and (tmp_path / "latest").readlink() == Path(first.name)

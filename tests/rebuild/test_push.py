"""The push of a rebuild: after the swap, and what is said where it fails."""

import json
from pathlib import Path

import pytest

from exporter.cli.rebuild import push_rebuilt
from exporter.errors import Interrupted, RunError
from exporter.rebuild.report import Action, Log, RebuildReport
from exporter.settings import LogFormat, Settings
from exporter.sink.manifest import read_manifest
from tests.support import tiny_export
from tests.support.object_store import SECRET, ObjectStore

STAMP = "20261123T031500Z"


@pytest.fixture
def report(tmp_path: Path) -> RebuildReport:
    """Of a rebuild whose graph is live."""
    export = tiny_export.write(tmp_path / STAMP)
    report = RebuildReport(Action.REBUILD, Log(LogFormat.JSON))
    report.use(export, read_manifest(export))
    return report


def test_the_export_behind_the_graph(
    store: ObjectStore, report: RebuildReport, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report says where it is; every line of the log is what was asked for. Where archives are made, the archive is
    pushed, and nothing else."""
    settings = Settings(push=str(store.url(f"{store.bucket}/graph")))
    push_rebuilt(settings, report, [])
    assert report.pushed == str(store.url(f"{store.bucket}/graph/{STAMP}")) and "push" in report.seconds
    assert f"{STAMP}/SHA256SUMS" in store.objects(f"{store.bucket}/graph")
    messages = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert messages[0] == "The new graph is live; pushing its export" and messages[-1].startswith("Pushed 23 objects")
    assert report.directory
    archive = report.directory.with_name(f"{STAMP}.tar.zst")
    archive.write_bytes(b"packed")
    push_rebuilt(Settings(push=str(store.url(f"{store.bucket}/packed")), archive=True), report, [])
    assert store.objects(f"{store.bucket}/packed") == {archive.name: 6}


def test_a_push_that_fails(store: ObjectStore, report: RebuildReport) -> None:
    """Exit code 4, the step, the export, the command that goes on; a signal that came too late stops it before."""
    settings = Settings(push=str(store.url(f"{store.bucket}/graph")))
    refusing = store.failing(lambda asked: ("403 Forbidden", "AccessDenied"))
    with (
        refusing,
        pytest.raises(RunError, match=rf"{STAMP} is complete, but was not pushed: .*exporter push ") as failed,
    ):
        push_rebuilt(settings, report, [])
    report.fail(failed.value)
    assert (report.exit_code, report.step_name, report.result, report.pushed) == (4, "push", "failed", None)
    assert SECRET not in str(report.message)
    with pytest.raises(Interrupted, match=r"^stopped by SIGTERM; .* is complete, and not pushed"):
        push_rebuilt(settings, report, ["SIGTERM"])
    assert store.objects(f"{store.bucket}/graph") == {}

"""The push of a rebuild: after the swap, and what is said where it fails."""

import json
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from exporter.cli.rebuild import push_rebuilt
from exporter.errors import Interrupted, RunError
from exporter.interrupts import disable_interrupts, interruptible
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


def test_nothing_plain_where_archives_are_encrypted(store: ObjectStore, report: RebuildReport) -> None:
    """Neither the export nor a plain archive beside it stands in for the encrypted one, as after `--from`."""
    assert report.directory
    report.directory.with_name(f"{STAMP}.tar.zst").write_bytes(b"packed")
    encrypted = report.directory.with_name(f"{STAMP}.tar.zst.age")
    url = str(store.url(f"{store.bucket}/graph"))
    settings = Settings(push=url, archive=True, encrypt_to="age1recipient")
    with pytest.raises(RunError, match=rf"has no archive {encrypted.name} beside it, so it was not pushed") as failed:
        push_rebuilt(settings, report, [])
    report.fail(failed.value)
    assert (report.exit_code, report.step_name, store.objects(f"{store.bucket}/graph")) == (4, "push", {})
    encrypted.write_bytes(b"encrypted")
    push_rebuilt(settings, report, [])
    assert store.objects(f"{store.bucket}/graph") == {encrypted.name: 9}


@pytest.mark.parametrize("refused", [False, True])
def test_signals_after_the_push(store: ObjectStore, report: RebuildReport, *, refused: bool) -> None:
    """They stop neither what is said of it nor the metrics: the graph is live, pushed or not."""
    settings = Settings(push=str(store.url(f"{store.bucket}/graph")))
    failing = store.failing(lambda asked: ("403 Forbidden", "AccessDenied") if refused else None)
    with interruptible("the live graph is unchanged") as pending:
        disable_interrupts()  # as the swap does
        with failing, suppress(RunError):
            push_rebuilt(settings, report, pending)
        signal.raise_signal(signal.SIGTERM)
    assert (report.pushed is None) == refused


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

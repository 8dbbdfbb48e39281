"""What a rebuild reports: the JSON object, the log in both formats, and the metrics."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from exporter.cli.rebuild import reported
from exporter.errors import DownError, GuardError, Interrupted, RunError, SwapError, UsageError
from exporter.interrupts import enable_interrupts, interruptible
from exporter.rebuild.metrics import check_metrics, write_metrics
from exporter.rebuild.report import Action, Log, RebuildReport
from exporter.rebuild.store import Store
from exporter.settings import LogFormat
from tests.support import tiny_export


@pytest.fixture
def report(tmp_path: Path) -> RebuildReport:
    """Of a rebuild that has gone well."""
    live = Store(tiny_export.write(tmp_path / "20261123T031500.123Z"), "20261123T031500Z")
    report = RebuildReport(Action.REBUILD, live=live, previous=Store(tmp_path / "20261122", "20261122T031500Z"))
    report.seconds = {"export": 1.23456, "stop": 2.0}
    report.export, report.counts, report.downtime = "20261123T031500Z", {"nodes": 18, "rejects": 2}, 3.4567
    report.succeed()
    return report


def test_the_object_has_all_numbers(report: RebuildReport) -> None:
    """All there is to know, in numbers that a program can read."""
    result_object = report.as_object()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", result_object.pop("started_at"))
    assert json.loads(json.dumps(result_object)) == {
        "action": "rebuild",
        "result": "swapped",
        "exit_code": 0,
        "message": None,
        "failed_step": None,
        "export": "20261123T031500Z",
        "counts": {"nodes": 18, "rejects": 2},
        "live_export": "20261123T031500Z",
        "previous_export": "20261122T031500Z",
        "seconds": {"export": 1.235, "stop": 2.0},
        "downtime_seconds": 3.457,
        "removed_stores": [],
        "removed_exports": [],
        "pushed": None,
    }


@pytest.mark.parametrize(
    ("error", "result", "code", "message"),
    [
        (RunError("a full disk"), "failed", 4, "a full disk"),
        (GuardError("too unlike"), "refused", 6, "too unlike"),
        (SwapError("put back"), "put back", 7, "put back"),
        (DownError("down"), "down", 8, "down"),
        (Interrupted("stopped"), "stopped", 130, "stopped"),
        (ValueError("a secret cell"), "failed", 1, "unexpected ValueError"),
    ],
)
def test_a_failure_has_its_step_and_code(
    report: RebuildReport, error: Exception, result: str, code: int, message: str
) -> None:
    """The step it failed in has its seconds too; a bug does not tell what may be data."""
    with pytest.raises(type(error)), report.step("import", "Importing"):
        raise error
    report.fail(error)
    result_object = report.as_object()
    assert (result_object["result"], result_object["exit_code"], result_object["message"]) == (
        result,
        code,
        message,
    )
    assert (result_object["failed_step"], list(result_object["seconds"])) == (
        "import",
        ["export", "stop", "import"],
    )


def test_a_repair_says_whether_there_was_anything_to_do() -> None:
    """By the word for its result."""
    report = RebuildReport(Action.REPAIR)
    report.succeed()
    untouched = report.result
    report.repaired = True
    report.succeed()
    assert (untouched, report.result) == ("nothing to repair", "repaired")


def test_quiet_leaves_the_errors(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of either log, with what went wrong in a swap."""
    monkeypatch.setattr("exporter.progress.log._quiet", True)
    for log in (Log(), Log(LogFormat.JSON)):
        log.write("Importing")
        log.write("old stores were not removed", "warning")
        log.write("THE SWAP FAILED", "error")
        log.fail("a full disk")
    lines = capsys.readouterr().err.splitlines()
    assert [line.endswith("THE SWAP FAILED") for line in lines[:2]] == [True, False]
    assert [json.loads(line)["message"] for line in lines[2:]] == ["THE SWAP FAILED", "a full disk"]
    assert lines[1].endswith("exporter: a full disk")


def test_plain_lines_are_dated(capsys: pytest.CaptureFixture[str]) -> None:
    """Dated; the sentence of a failure is as every command's."""
    Log().write("Importing")
    Log().fail("a full disk")
    date = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
    assert re.fullmatch(f"{date} Importing\n{date} exporter: a full disk\n", capsys.readouterr().err)


def test_json_lines_are_one_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, whatever the text has, and still one when what a terminal would obey is escaped."""
    log = Log(LogFormat.JSON)
    log.write("Importing \x9b\u202e")
    log.fail('a "full"\n  disk')
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT.*", line.pop("time")) for line in lines)
    assert lines == [
        {"level": "info", "message": "Importing \x9b\u202e"}, {"level": "error", "message": 'a "full"\n  disk'}
    ]  # fmt: skip


def test_the_metrics_are_the_reports(report: RebuildReport, tmp_path: Path) -> None:
    """The same for Prometheus, and how old the live graph is."""
    path = tmp_path / "metrics" / "exporter.prom"
    path.parent.mkdir()
    check_metrics(path)
    write_metrics(report, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert re.fullmatch(r"1\.\d+e\+09", found.pop("exporter_rebuild_finished_timestamp_seconds"))
    assert found == {
        "exporter_rebuild_success": "1.0",
        "exporter_rebuild_exit_code": "0.0",
        "exporter_rebuild_downtime_seconds": "3.4567",
        'exporter_rebuild_step_seconds{step="export"}': "1.23456",
        'exporter_rebuild_step_seconds{step="stop"}': "2.0",
        'exporter_rebuild_count{what="nodes"}': "18.0",
        'exporter_rebuild_count{what="relationships"}': "5.0",
        'exporter_rebuild_count{what="properties"}': "45.0",
        'exporter_rebuild_count{what="rejects"}': "2.0",
        "exporter_rebuild_live_timestamp_seconds": "1.79540370125e+09",
    }
    assert [file.name for file in path.parent.iterdir()] == ["exporter.prom"]


def test_the_metrics_of_a_failure(report: RebuildReport, tmp_path: Path) -> None:
    """What there is not has no value; the counts are those of the live graph, whatever the run has made."""
    report.fail(DownError("down"))
    report.downtime, report.live = None, None
    write_metrics(report, tmp_path / "exporter.prom")
    text = (tmp_path / "exporter.prom").read_text(encoding="utf-8")
    assert "exporter_rebuild_success 0.0\n" in text and "exporter_rebuild_exit_code 8.0\n" in text
    assert not any(word in text for word in ("downtime", "live", "count"))


def test_metrics_that_cannot_be_written_are_refused(report: RebuildReport, tmp_path: Path) -> None:
    """It is known before anything is done."""
    for path in (tmp_path, tmp_path / "missing" / "exporter.prom"):
        for attempt in (lambda path=path: check_metrics(path), lambda path=path: write_metrics(report, path)):
            with pytest.raises(UsageError, match=r"the metrics .* cannot be written"):
                attempt()


def test_an_error_in_the_place_of_a_stop(capsys: pytest.CaptureFixture[str]) -> None:
    """A library that cleans up may raise one: the report is of the stop, as the exit code is."""
    report = RebuildReport(Action.REBUILD)
    with interruptible("the live graph is unchanged"), reported(report):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            raise RunError("Bad file descriptor")
    assert json.loads(capsys.readouterr().out)["exit_code"] == 130
    assert report.message == "stopped by SIGTERM; the live graph is unchanged"
    enable_interrupts()

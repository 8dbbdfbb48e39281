"""The state of a run, its plain dated lines, and the line for other waits."""

import io
import logging
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from exporter.errors import UsageError
from exporter.pipeline import timing
from exporter.progress import log, state
from exporter.progress import status as status_module
from exporter.progress.log import PlainLines
from exporter.progress.state import SEEN_SECONDS, ProgressState
from exporter.progress.status import Spinner, Transfer, status
from exporter.text import format_clock, format_duration
from tests.support.export_process import DATE, eventually


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that shows its `now`."""
    clock = SimpleNamespace(now=1000.0)
    for module in (timing, state, log, status_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90061, "25 h 1 min"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    """At most."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1:00"), (3599, "59:59"), (3661, "1:01:01")],
)
def test_clock_times_are_short(seconds: float, text: str) -> None:
    """Many of them stand in a line."""
    assert format_clock(seconds) == text


def test_what_is_read_now(clock: SimpleNamespace, tmp_path: Path) -> None:
    """By the workers' heartbeat files: each table once; one whose worker shapes or writes counts for a while, one that
    is done does not."""
    progress = ProgressState()
    progress.totals({"a": 10, "b": 5}, tmp_path)
    progress.stage("tables")

    def reading_with(**files: str) -> list[str]:
        """What is read when the heartbeat files of these workers have these texts."""
        for file in tmp_path.iterdir():
            file.unlink()
        for worker, reading in files.items():
            (tmp_path / worker.removeprefix("worker_").zfill(8)).write_text(f"1 0\n{reading}")
        progress.tick(0)
        return progress.reading

    assert reading_with(worker_70="a", worker_80="b") == ["a", "b"]
    assert reading_with(worker_80="") == ["a", "b"]
    assert reading_with(worker_70="b", worker_80="b") == ["b"]
    progress.advance("b", 5, 0)
    assert reading_with(worker_70="a", worker_80="b") == ["a"]
    clock.now += SEEN_SECONDS
    assert reading_with() == []
    assert reading_with(worker_80="a") == ["a"]
    progress.stage("publish")
    assert progress.reading == []


def test_plain_lines(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The first at once, the next ones after five seconds, later ones after a twentieth of the run; a stage that was
    over before is not in any."""
    lines = PlainLines()
    lines.print_when_due()
    progress = lines.state

    def print_after(seconds: float) -> None:
        clock.now += seconds
        lines.print_when_due()

    progress.stage("check")
    print_after(0.2)
    progress.stage("lock")
    print_after(4.9)
    progress.tick(100 << 20)
    print_after(0.1)
    progress.stage("keys")
    print_after(1)
    progress.stage("tables")
    progress.totals({"auth.auth_users": 2000, "guide.skills": 1000}, tmp_path)
    (tmp_path / "00000070").write_text("1 0\nauth.auth_users")
    clock.now += 995
    progress.advance("auth.auth_users", 995, 0)
    progress.tick(300 << 20)
    print_after(0)
    clock.now += 49
    progress.tick(300 << 20)
    print_after(0)
    print_after(4)
    printed = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in printed)
    assert [line.partition(" ")[2] for line in printed] == [
        "Comparing the source with the model",
        "Locking the tables and taking the snapshot · 5 s · peak 100 MB",
        "995 of 3,000 rows · 1/s · 0 rejects · peak 300 MB · 33 min 25 s left · auth.auth_users",
        "995 of 3,000 rows · 1/s · 0 rejects · peak 300 MB · 35 min 12 s left",
    ]


def test_plain_lines_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come while the run reports nothing, and none comes afterwards."""
    monkeypatch.setattr(log, "LINE_SECONDS", 0.01)
    printed: list[str] = []
    lines = PlainLines(printed.append)
    with lines as progress:
        progress.stage("lock")
        eventually(lambda: len(printed) > 1, "a second line")
    assert set(printed) == {"Locking the tables and taking the snapshot"}
    assert not lines.thread.is_alive()


def test_a_status(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no live view: a dated line every few seconds, with its share and how long it has taken, also while
    nothing moves."""
    monkeypatch.setattr(status_module, "LINE_SECONDS", 0.3)
    printed: list[str] = []
    with status("Comparing the files") as on_progress:
        on_progress(2, 4)
        clock.now += 5
        eventually(lambda: len(printed) > 1 or printed.extend(capsys.readouterr().err.splitlines()), "a second line")
    assert {line.partition(" ")[2] for line in printed} == {"Comparing the files · 50% · 5 s"}


def test_a_status_on_a_terminal(clock: SimpleNamespace) -> None:
    """One line; no share before it is known."""
    spinner = Spinner("Comparing Neo4j")
    clock.now += 65
    screen = io.StringIO()
    Console(file=screen, width=80).print(spinner)
    assert screen.getvalue() == "Comparing Neo4j · 1 min 5 s\n"


def test_a_transfer(clock: SimpleNamespace) -> None:
    """Bytes, and the rate of the last seconds: a host that stops answering is seen."""
    line = Transfer("Downloading", 200_000_000)
    line.receive(0)
    assert str(line) == "Downloading · 0 s · 0 of 200 MB · 0.0 MB/s"
    clock.now += 5
    line.receive(50_000_000)
    assert str(line) == "Downloading · 5 s · 50 of 200 MB · 10.0 MB/s · 15 s left"
    for _ in range(3):
        clock.now += 5
        line.receive(50_000_000)
    assert str(line) == "Downloading · 20 s · 50 of 200 MB · 0.0 MB/s"


# Errors, and what may be silenced -------------------------------------------------------------------------------------


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which nothing was logged or chosen yet."""
    monkeypatch.setattr(log, "_dated", False)
    monkeypatch.setattr(log, "_quiet", None)
    monkeypatch.setattr(logging.getLogger("exporter"), "level", logging.NOTSET)


@pytest.mark.usefixtures("fresh")
def test_an_error_is_dated_once_a_stage_has_begun(capsys: pytest.CaptureFixture[str]) -> None:
    """Even if the run ended before its first line was due; before that, it is a sentence alone."""
    with PlainLines():
        pass
    log.log_error("exporter: busy")
    with PlainLines() as state:
        state.stage("check")
    log.log_error("exporter: failed")
    assert re.fullmatch(f"exporter: busy\n{DATE}exporter: failed\n", last_lines(capsys, 2))


def last_lines(capsys: pytest.CaptureFixture[str], number: int) -> str:
    """The last lines on stderr: a slow machine may have printed one of progress before them."""
    lines = [line for line in capsys.readouterr().err.splitlines(keepends=True) if "exporter: " in line]
    return "".join(lines[-number:])


@pytest.mark.usefixtures("fresh")
def test_what_is_not_an_error_can_be_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines, dated lines, consoles."""
    log.choose_verbosity(quiet=True)
    log.log_stderr("line")
    log.log_dated("dated")
    log.stderr_console().print("console")
    log.print_if_possible("raw", sys.stderr)
    assert (capsys.readouterr().err, log.is_verbose()) == ("raw\n", False)
    log.choose_verbosity(quiet=True)
    with pytest.raises(UsageError, match="choose one of --quiet and --verbose"):
        log.choose_verbosity(quiet=False)


@pytest.mark.usefixtures("fresh")
def test_a_verbose_run_logs_each_stage_and_table_as_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    """With the time of the stage and the peak memory; the last stage ends with the run."""
    log.choose_verbosity(quiet=False)
    caplog.handler.setLevel(logging.DEBUG)
    logging.getLogger("exporter").addHandler(caplog.handler)
    with PlainLines(lambda _: None) as state:
        state.stage("keys")
        state.totals({"a.b": 3}, Path("heartbeats"))
        state.stage("tables")
        state.advance("a.b", 2, 0)
        state.advance("a.b", 1, 0)
        state.peak_memory = 300 << 20
    logging.getLogger("exporter").removeHandler(caplog.handler)
    logged = [re.sub(r"\d+(\.\d)? m?s", "TIME", text) for text in dict.fromkeys(caplog.messages)]
    assert logged == [
        "Counting rows and reading keys: TIME",
        "a.b: 3 rows exported",
        "Exporting tables: TIME · peak 300 MB",
    ]


def test_a_wait_for_a_lock(clock: SimpleNamespace) -> None:
    """It is told at once, then with the other lines, and no longer when it is over."""
    printed: list[str] = []
    lines = PlainLines(printed.append)
    lines.state.stage("lock")
    lines.print_when_due()
    for seconds, lock in (
        (1, "Waiting for a.b"),
        (1, "Waiting for a.b, still"),
        (4, "Waiting for a.b, still"),
        (5, ""),
    ):
        clock.now += seconds
        lines.state.waiting(lock)
        lines.print_when_due()
    stage = "Locking the tables and taking the snapshot"
    assert printed == [
        stage,
        f"{stage} · 1 s · Waiting for a.b",
        f"{stage} · 6 s · Waiting for a.b, still",
        f"{stage} · 11 s",
    ]


def test_a_line_break_of_a_name_makes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An error has lines of its own, which are indented."""
    log.log_error("exporter: 2 settings are wrong:\n  --config a\nexporter: all is well\r\n  --output b")
    expected = "exporter: 2 settings are wrong:\n  --config a\\nexporter: all is well\\r\n  --output b\n"
    assert capsys.readouterr().err.endswith(expected)

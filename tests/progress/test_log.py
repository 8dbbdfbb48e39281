"""What a run says of itself while it runs."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from exporter.progress import log as progress
from exporter.progress import log, state
from exporter.progress import status as status_module
from exporter.progress.log import PlainLines
from exporter.progress.state import SEEN_SECONDS, Numbers
from exporter.progress.status import Spinner, status
from exporter.text import format_clock, format_duration
from tests.support.export_process import eventually


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still until its `now` is set."""
    clock = SimpleNamespace(now=1000.0)
    for module in (state, log, status_module):
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
def test_spoken_times(seconds: float, text: str) -> None:
    """Two units at most."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1:00"), (3599, "59:59"), (3661, "1:01:01")],
)
def test_clocked_times(seconds: float, text: str) -> None:
    """As short as can be, so that many stand in a line."""
    assert format_clock(seconds) == text


def test_what_is_read_now(pass_time: SimpleNamespace, tmp_path: Path) -> None:
    """By the workers' marks: each table keeps its place, one whose worker shapes or writes counts for a while, a done
    one does not, and what finds no room is left out."""
    numbers = Numbers(2)
    numbers.totals, numbers.marks = {"a": 10, "b": 5, "c": 7}, tmp_path
    numbers.stage("tables")
    (tmp_path / "70").write_text("a")
    (tmp_path / "80").write_text("b")
    (tmp_path / "90").write_text("c")
    numbers.tick(0)
    assert numbers.lanes == ["a", "b"]
    (tmp_path / "70").unlink()
    (tmp_path / "90").write_text("")
    numbers.tick(0)
    assert numbers.lanes == ["a", "b"]
    (tmp_path / "70").write_text("b")
    numbers.tick(0)
    assert numbers.lanes == ["c", "b"]
    numbers.advance("b", 5, 0)
    numbers.tick(0)
    assert numbers.lanes == ["c", ""]
    (tmp_path / "90").unlink()
    pass_time.now += SEEN_SECONDS
    numbers.tick(0)
    assert numbers.lanes == ["", ""]
    (tmp_path / "90").write_text("a")
    numbers.tick(0)
    numbers.stage("publish")
    assert numbers.lanes == ["", ""]


def test_plain_lines(pass_time: SimpleNamespace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The first at once, the next ones after five seconds, later ones after a twentieth of the run; a stage that was
    over before is not told."""
    lines = PlainLines()
    lines.say_when_due()

    def say_after(seconds: float) -> None:
        pass_time.now += seconds
        lines.say_when_due()

    lines.stage("check")
    say_after(0.2)
    lines.stage("lock")
    say_after(4.9)
    lines.tick(100 << 20)
    say_after(0.1)
    lines.stage("keys")
    say_after(1)
    lines.stage("tables")
    lines.totals({"auth.auth_users": 2000, "guide.skills": 1000}, tmp_path)
    (tmp_path / "70").write_text("auth.auth_users")
    pass_time.now += 995
    lines.advance("auth.auth_users", 995, 0)
    lines.tick(300 << 20)
    for seconds in (0, 49, 4):
        say_after(seconds)
    said = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in said)
    assert [line.partition(" ")[2] for line in said] == [
        "Comparing the source with the model",
        "Locking the tables and taking the snapshot · 5 s · peak 100 MB",
        "995 of 3,000 rows · 1/s · 0 rejects · peak 300 MB · 33 min 25 s left · auth.auth_users",
        "995 of 3,000 rows · 1/s · 0 rejects · peak 300 MB · 35 min 12 s left · auth.auth_users",
    ]


def test_plain_lines_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """They come while nobody tells anything, and none comes afterwards."""
    monkeypatch.setattr(log, "LINE_SECONDS", 0.01)
    said: list[str] = []
    with PlainLines(said.append) as lines:
        lines.stage("lock")
        eventually(lambda: len(said) > 1, "a second line")
    assert set(said) == {"Locking the tables and taking the snapshot"}
    assert not lines.speaker.is_alive()


def test_a_wait(pass_time: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no live view shows it: a dated line once it takes seconds, with its share and how long it has taken."""
    with status("Comparing the files") as on_progress:
        on_progress(1, 4)
        pass_time.now += 5
        on_progress(2, 4)
        on_progress(3, 4)
    [line] = capsys.readouterr().err.splitlines()
    assert line.partition(" ")[2] == "Comparing the files · 50% · 5 s"


def test_a_wait_on_a_terminal(pass_time: SimpleNamespace) -> None:
    """One line; no share before there is one to tell."""
    wait = Spinner("Comparing Neo4j")
    pass_time.now += 65
    screen = io.StringIO()
    Console(file=screen, width=80).print(wait)
    assert screen.getvalue() == "Comparing Neo4j · 1 min 5 s\n"

"""What a run looks like while it runs."""

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from exporter import progress
from exporter.progress import Comparison, LiveView, PlainLines, comparing, spoken


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still until its `now` is set."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def on_screen(view: LiveView) -> list[str]:
    """The lines that a terminal of 80 columns shows."""
    screen = io.StringIO()
    Console(file=screen, width=80).print(view)
    return screen.getvalue().splitlines()


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
    assert spoken(seconds) == text


def test_a_stage_that_counts_no_rows(pass_time: SimpleNamespace) -> None:
    """What it is and how long it has taken: no bar, which would stand at nothing."""
    view = LiveView(Console())
    view.stage("census")
    view.totals(3000)
    view.tick(200 << 20)
    pass_time.now += 65
    assert on_screen(view) == ["Census: which keys exist · 1 min 5 s · peak 200 MB"]


def test_the_bar(pass_time: SimpleNamespace) -> None:
    """Share, time left and numbers on two lines of 80 columns; a long name gives way."""
    view = LiveView(Console())
    view.stage("tables")
    view.totals(3_000_000)
    view.tick(612 << 20)
    pass_time.now += 10
    view.advance("consultation.consultation_quality_metrics", 1_000_000, 1234)
    assert on_screen(view) == [
        "Exporting tables ━━━━━━━━━━━━━━━━                                  33% 20 s left",
        "1,000,000 of 3,000,000 rows · 100,000/s · 1,234 rejects · peak 612 MB · consult…",
    ]


def test_plain_lines(pass_time: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """A dated line for each stage; the first others after five seconds, later ones after a twentieth of the run."""
    lines = PlainLines()
    lines.stage("count")
    pass_time.now += 4.9
    lines.tick(100 << 20)
    pass_time.now += 0.1
    lines.tick(100 << 20)
    lines.stage("tables")
    lines.totals(3000)
    pass_time.now += 995
    lines.advance("auth.auth_users", 995, 0)
    lines.tick(300 << 20)
    pass_time.now += 49
    lines.tick(300 << 20)
    pass_time.now += 4
    lines.tick(300 << 20)
    said = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in said)
    assert [line.partition(" ")[2] for line in said] == [
        "Taking the snapshot and counting",
        "Taking the snapshot and counting · 5 s · peak 100 MB",
        "Exporting tables",
        "995 of 3,000 rows · 1/s · 0 rejects · peak 300 MB · 33 min 25 s left · auth.auth_users",
        "995 of 3,000 rows · 1/s · 0 rejects · peak 300 MB · 35 min 12 s left · auth.auth_users",
    ]


def test_a_comparison(pass_time: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no live view shows it: a dated line once it takes seconds, with its share and how long it has taken."""
    with comparing("Comparing the files") as on_progress:
        on_progress(1, 4)
        pass_time.now += 5
        on_progress(2, 4)
        on_progress(3, 4)
    [line] = capsys.readouterr().err.splitlines()
    assert line.partition(" ")[2] == "Comparing the files · 50% · 5 s"


def test_a_comparison_on_a_terminal(pass_time: SimpleNamespace) -> None:
    """One line; no share before there is one to tell."""
    comparison = Comparison("Comparing Neo4j")
    pass_time.now += 65
    screen = io.StringIO()
    Console(file=screen, width=80).print(comparison)
    assert screen.getvalue() == "Comparing Neo4j · 1 min 5 s\n"

"""The live view: a few lines that stay where they are."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from exporter.progress import state
from exporter.progress.live import MOST_LANES, LiveView
from exporter.progress.state import STAGES

TABLES = {"consultation.consultation_quality_metrics": 1_000_000, "notifications.notifications": 2_000_000}


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that stands still until its `now` is set."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(state, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def on_screen(view: LiveView, width: int) -> list[str]:
    """The lines that a terminal of this width shows, without the blanks that fill them."""
    screen = io.StringIO()
    Console(file=screen, width=width).print(view)
    return [line.rstrip() for line in screen.getvalue().splitlines()]


@pytest.fixture
def view(pass_time: SimpleNamespace, tmp_path: Path) -> LiveView:
    """The view of a run with two workers, in its fourth stage, a third of which is done."""
    view = LiveView(Console(height=24), 2)
    for name, seconds in (("check", 0.3), ("lock", 1.2), ("keys", 64)):
        view.stage(name)
        pass_time.now += seconds
    view.stage("tables")
    view.totals(TABLES, tmp_path)
    for worker, table in enumerate(TABLES):
        (tmp_path / str(worker)).write_text(table)
    pass_time.now += 10
    view.advance("notifications.notifications", 1_000_000, 1234)
    view.tick(612 << 20)
    return view


def test_the_tables_stage(view: LiveView) -> None:
    """Time left, bar and share, numbers, how much is done of what is read now, and all stages with their times."""
    assert on_screen(view, 80) == [
        "Exporting tables                                                       20 s left",
        "━━━━━━━━━━━━━━━━━━━━━━━━━                                                    33%",
        "1,000,000 of 3,000,000 rows · 100,000/s · 1,234 rejects · peak 612 MB",
        "  consultation.consultation_quality_me…                           0 of 1,000,000",
        "  notifications.notifications          ━━━━━━━━━          1,000,000 of 2,000,000",
        "✓ check 0.3 s   ✓ lock 1.2 s   ✓ keys 1:04   ▸ tables 10 s   · publish",
    ]


def test_a_narrow_terminal(view: LiveView) -> None:
    """At 60 columns the small bars, memory and units give way, and nothing wraps."""
    assert on_screen(view, 60) == [
        "Exporting tables                                   20 s left",
        "━━━━━━━━━━━━━━━━━━                                       33%",
        "1,000,000 of 3,000,000 rows · 100,000/s · 1,234 rejects",
        "  consultation.consultation_quality…          0 of 1,000,000",
        "  notifications.notifications         1,000,000 of 2,000,000",
        "✓ check 0.3 ✓ lock 1.2 ✓ keys 1:04 ▸ tables 10 · publish",
    ]


def test_a_stage_that_counts_no_rows(view: LiveView, tmp_path: Path) -> None:
    """What it is, how long it has taken, and what the workers read: no bar, which would stand at nothing."""
    view = LiveView(Console(height=24), 2)
    view.stage("keys")
    view.totals(TABLES, tmp_path)
    (tmp_path / "0").write_text("the values of GuideWallet.phone_number")
    (tmp_path / "1").unlink()
    view.tick(200 << 20)
    assert on_screen(view, 80) == [
        "Counting rows and reading keys                                               0 s",
        "",
        "peak 200 MB",
        "  the values of GuideWallet.phone_number",
        "",
        "· check   · lock   ▸ keys 0.0 s   · tables   · publish",
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_never_jumps(view: LiveView, width: int) -> None:
    """In every stage, with every table done or none, it has the same number of lines."""
    heights = [len(on_screen(view, width))]
    for stage in STAGES:
        view.stage(stage)
        heights.append(len(on_screen(view, width)))
    assert set(heights) == {6}


@pytest.mark.parametrize(("workers", "height", "lanes"), [(1, 24, 1), (64, 24, MOST_LANES), (64, 10, 3), (64, 2, 1)])
def test_it_fits_the_terminal(workers: int, height: int, lanes: int) -> None:
    """However many workers there are, and however low the terminal is."""
    assert len(LiveView(Console(height=height), workers).numbers.lanes) == lanes

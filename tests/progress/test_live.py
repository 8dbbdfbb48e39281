"""The live view of a run on a terminal."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from exporter.pipeline import timing
from exporter.progress import state as state_module
from exporter.progress.live import MOST_TABLES, LiveView
from exporter.progress.state import ProgressState

TABLES = {"consultation.consultation_quality_metrics": 1_000_000, "notifications.notifications": 2_000_000}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that shows its `now`."""
    clock = SimpleNamespace(now=1000.0)
    for module in (state_module, timing):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def on_screen(state: ProgressState, width: int) -> list[str]:
    """The lines that a terminal of this width shows, without the blanks that fill them."""
    screen = io.StringIO()
    console = Console(file=screen, width=width)
    console.print(LiveView(console, state))
    return [line.rstrip() for line in screen.getvalue().splitlines()]


@pytest.fixture
def state(clock: SimpleNamespace, tmp_path: Path) -> ProgressState:
    """A run in its fourth stage, a third of which is done."""
    state = ProgressState()
    for stage, seconds in (("check", 0.3), ("lock", 1.2), ("keys", 64)):
        state.stage(stage)
        clock.now += seconds
    state.stage("tables")
    state.totals(TABLES, tmp_path)
    for worker, table in enumerate(TABLES):
        (tmp_path / f"{worker:08x}").write_text(f"1 0\n{table}")
    clock.now += 10
    state.advance("notifications.notifications", 1_000_000, 1234)
    state.tick(612 << 20)
    return state


def test_the_tables_stage(state: ProgressState) -> None:
    """Bar, share and time left; the numbers; all stages with their times; what is read now with how much is done."""
    assert on_screen(state, 80) == [
        "Exporting tables ━━━━━━━━━━━━━━━━                                  33% 20 s left",
        "1,000,000 of 3,000,000 rows · 100,000/s · 1,234 rejects · peak 612 MB",
        "✓ check 0.3 s   ✓ lock 1.2 s   ✓ keys 1:04   ▸ tables 10 s   · publish",
        "  consultation.consultation_quality_m…                            0 of 1,000,000",
        "  notifications.notifications          ━━━━━━━━━          1,000,000 of 2,000,000",
    ]


def test_a_narrow_terminal(state: ProgressState) -> None:
    """At 60 columns the small bars, memory and units give way, and nothing wraps."""
    assert on_screen(state, 60) == [
        "Exporting tables ━━━━━━━━━╸                    33% 20 s left",
        "1,000,000 of 3,000,000 rows · 100,000/s · 1,234 rejects",
        "✓ check 0.3 ✓ lock 1.2 ✓ keys 1:04 ▸ tables 10 · publish",
        "  consultation.consultation_quality_…         0 of 1,000,000",
        "  notifications.notifications         1,000,000 of 2,000,000",
    ]


def test_a_stage_that_counts_no_rows(clock: SimpleNamespace, tmp_path: Path) -> None:
    """What it is, how long it has taken, and what the workers read: there is no bar, which would stay empty."""
    state = ProgressState()
    state.stage("keys")
    clock.now += 2
    state.totals(TABLES, tmp_path)
    (tmp_path / "00000001").write_text("1 0\nthe values of GuideWallet.phone_number")
    state.tick(200 << 20)
    assert on_screen(state, 80) == [
        "Counting rows and reading keys · 2 s · peak 200 MB",
        "· check   · lock   ▸ keys 2.0 s   · tables   · publish",
        "  the values of GuideWallet.phone_number",
    ]


def test_the_last_stage(state: ProgressState) -> None:
    """It is `archive` instead of `publish` when an archive is packed."""
    state.stage("archive")
    assert on_screen(state, 80) == [
        "Packing the archive and publishing · peak 612 MB",
        "✓ check 0.3 s   ✓ lock 1.2 s   ✓ keys 1:04   ✓ tables 10 s   ▸ archive 0.0 s",
    ]


def test_a_window_is_closed(clock: SimpleNamespace) -> None:
    """Only windows have the stage that finds their rows."""
    state = ProgressState()
    state.stage("keys")
    clock.now += 2
    state.stage("close")
    clock.now += 3
    assert on_screen(state, 80) == [
        "Finding the rows of the window · 3 s",
        "· check   · lock   ✓ keys 2.0 s   ▸ close 3.0 s   · tables   · publish",
    ]


def test_before_the_first_stage(clock: SimpleNamespace) -> None:
    """All stages are to come."""
    assert on_screen(ProgressState(), 80) == ["· check   · lock   · keys   · tables   · publish"]


def test_many_workers(clock: SimpleNamespace, tmp_path: Path) -> None:
    """Only the first tables are shown."""
    state = ProgressState()
    state.stage("tables")
    tables = {f"schema.table_{number:02}": 1 for number in range(MOST_TABLES + 1)}
    state.totals(tables, tmp_path)
    for worker, table in enumerate(tables):
        (tmp_path / f"{worker:08x}").write_text(f"1 0\n{table}")
    state.tick(0)
    assert [line.split()[0] for line in on_screen(state, 80)[3:]] == list(tables)[:MOST_TABLES]


def test_a_wait_for_a_lock(clock: SimpleNamespace) -> None:
    """All of it is shown, on as many lines as it takes."""
    state = ProgressState()
    state.stage("check")
    state.waiting("Waiting for wallet.invoices, locked by pid 4711 (psql, idle in transaction, LOCK TABLE, since 9 s)")
    assert on_screen(state, 80) == [
        "Comparing the source with the model",
        "▸ check 0.0 s   · lock   · keys   · tables   · publish",
        "Waiting for wallet.invoices, locked by pid 4711 (psql, idle in transaction, LOCK",
        "TABLE, since 9 s)",
    ]

"""Signals: the first one stops a block, and none is lost where a block can no longer be stopped; the time limit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from exporter.errors import Interrupted, RunError
from exporter.interrupts import (
    INSIST_SECONDS,
    STOP_SIGNALS,
    disable_interrupts,
    interruptible,
    signals_blocked,
    start_thread,
    time_limit,
)

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_first_signal_stops(number: signal.Signals) -> None:
    """The error names it, and promises nothing that this block cannot know."""
    with pytest.raises(Interrupted, match=rf"^stopped by {number.name}$"), interruptible():
        signal.raise_signal(number)


def test_the_consequence() -> None:
    """The error says what it means that the block was stopped."""
    with (
        pytest.raises(Interrupted, match=r"^stopped by SIGTERM; the live graph is unchanged$"),
        interruptible("the live graph is unchanged"),
    ):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_that_comes_late(number: signal.Signals) -> None:
    """It stops nothing, and is reported after the block; the handlers are as before then."""
    handlers = [signal.getsignal(stop_signal) for stop_signal in STOP_SIGNALS]
    with interruptible() as pending:
        disable_interrupts()
        signal.raise_signal(number)
    assert pending == [number.name]
    assert [signal.getsignal(stop_signal) for stop_signal in STOP_SIGNALS] == handlers


def test_the_time_limit() -> None:
    """It ends whatever the block waits for, and is gone after the block."""
    handler = signal.getsignal(signal.SIGALRM)
    with (
        pytest.raises(RunError, match=r"the run took longer than --max-duration \(1 s\)"),
        interruptible(),
        time_limit(1),
    ):
        time.sleep(60)
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (handler, (0, 0))


def test_blocked_signals_wait() -> None:
    """They stop the block around at the end of the inner one."""
    reached = False
    with pytest.raises(Interrupted, match="stopped by SIGTERM"), interruptible():
        with signals_blocked():
            signal.raise_signal(signal.SIGTERM)
            reached = True
        pytest.fail("the signal was lost")
    assert reached


class Finalized:
    """Something whose end is when a signal comes."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def swallow_all() -> None:
    """As code does that takes whatever is raised for its own."""
    with suppress(BaseException):
        signal.raise_signal(signal.SIGTERM)


def swallow_in_import() -> None:
    """As a library does that tries whether another one can be loaded."""
    with suppress(Exception):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("swallow", [swallow_all, swallow_in_import, Finalized])
def test_a_stop_in_a_frame_of_somebody_else(swallow: Callable[[], object]) -> None:
    """Whoever swallows it: it is raised again."""
    with pytest.raises(Interrupted, match="stopped by SIGTERM"), interruptible():
        swallow()
        time.sleep(60)
        pytest.fail("the signal was lost")


@pytest.mark.parametrize("end", [lambda: None, disable_interrupts])
def test_a_stop_that_is_swallowed_at_the_end(end: Callable[[], None]) -> None:
    """The block, or what must not be stopped, does not begin as if nothing had come."""
    with pytest.raises(Interrupted, match="stopped by SIGTERM"), interruptible():
        swallow_all()
        end()


def test_a_cleanup_is_not_disturbed() -> None:
    """A stop is raised again only if nobody handles it, nor an error that came of it; a second is nothing."""
    cleaned = []
    with pytest.raises(ValueError, match="another"), interruptible():
        try:
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                time.sleep(2.5 * INSIST_SECONDS)
                signal.raise_signal(signal.SIGTERM)
                cleaned.append("first")
                raise ValueError("another")
        finally:
            time.sleep(2.5 * INSIST_SECONDS)
            cleaned.append("second")
    time.sleep(2.5 * INSIST_SECONDS)  # nor afterwards
    assert cleaned == ["first", "second"]


def test_a_stop_in_a_finalizer_is_not_shown() -> None:
    """The interpreter would print a traceback of what it cannot raise."""
    program = (
        "import signal, time\n"
        "from exporter.interrupts import hide_stops, interruptible\n"
        "from tests.test_interrupts import Finalized\n"
        "hide_stops()\n"
        "try:\n"
        "    with interruptible():\n"
        "        Finalized()\n"
        "        time.sleep(60)\n"
        "except Exception as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped by SIGTERM\n", "")


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_while_the_program_loads(number: signal.Signals, tmp_path: Path) -> None:
    """It ends with a sentence and the code of a stopped command, before anything has begun."""
    (tmp_path / "typer.py").write_text(f"import os, time\nos.kill(os.getpid(), {number:d})\ntime.sleep(60)\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "exporter", "export"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"exporter: stopped by {number.name}\n")


def test_a_thread_leaves_signals_to_the_program() -> None:
    """It has them blocked from its first moment, as its starter has until it runs; then they come."""
    masks: list[set[signal.Signals | int]] = []
    start_thread(lambda mask: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, mask)), []).join()
    assert set(STOP_SIGNALS) <= masks[0]
    assert not set(STOP_SIGNALS) & signal.pthread_sigmask(signal.SIG_BLOCK, [])

"""What stops a run from outside, signals and the time limit, up to the moment from which the run stands."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from exporter.errors import ExporterError, Interrupted, RunError

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Signals are the process's, and so is whether they still stop it.
_interruptible = True


def stop(error: ExporterError) -> None:
    """Raises the error, unless the run was stopped already or stands: nothing disturbs the cleaning up."""
    global _interruptible
    if _interruptible:
        _interruptible = False
        raise error


def disable_interrupts() -> None:
    """From now on no signal stops the run: it cleans up after a failure, or what it made stands."""
    global _interruptible
    _interruptible = False


def enable_interrupts() -> None:
    """From now on signals stop the run again."""
    global _interruptible
    _interruptible = True


@contextmanager
def interruptible(consequence: str = "nothing was published") -> Iterator[list[str]]:
    """While the block runs, the first of SIGINT, SIGTERM and SIGHUP raises `Interrupted` in it, which tells the
    consequence. A block that ends well leaves the signals as it found them; after an error they stay without effect.
    Gives the names of signals that came when nothing could be stopped any more: whoever goes on after the block must
    heed them."""
    pending: list[str] = []

    def stopped(number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        stop(Interrupted(f"stopped by {name}; {consequence}"))
        pending.append(name)

    before = {number: signal.getsignal(number) for number in STOPPING}
    enable_interrupts()
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stopped)
    yield pending
    enable_interrupts()
    for number, handler in before.items():
        signal.signal(number, handler)


def ignore_signals() -> None:
    """For a process whose exit code is decided: the interpreter would make the signals deadly again as it ends."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def time_limit(seconds: int | None) -> Iterator[None]:
    """Raises `RunError` in the block when it takes longer, whatever it waits for; None is no limit."""

    def passed(_: int, __: FrameType | None) -> None:
        stop(RunError(f"the run took longer than --max-duration ({seconds} s); its locks and snapshot were released"))

    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, passed)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Signals wait until the block ends. Processes started in it hold them back on and on, from their first moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*STOPPING, signal.SIGALRM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

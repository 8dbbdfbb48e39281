"""Signals and the time limit: what stops a run from outside, and until when.

Whether signals still stop the run is process-wide state, like the signal handlers. `disable_interrupts` is only for
what must not be interrupted: the pool as it kills its workers after an error, publishing from its first rename on, a
rebuild or a local graph once its store is in place or cleaned up. `interruptible` enables interrupts again when its
block ends.

A stop does not depend on the frame in which it lands: it is raised as `Stop`, which no `except Exception` swallows, and
again as long as nobody is handling it (`insist`).
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from exporter.errors import ExporterError, Interrupted, RunError, Stop

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INSIST_SECONDS = 0.2

_interrupts_enabled = True
_threads_abandoned = False
# What was raised and has not arrived yet, neither at the end of its block nor where somebody cleans up for good.
_stop: Stop | None = None


def interrupt(error: ExporterError) -> None:
    """Raises the error, as a `Stop`, if interrupts are enabled, and disables them: nothing disturbs the cleanup."""
    global _interrupts_enabled, _stop
    if _interrupts_enabled:
        _interrupts_enabled = False
        _stop = Stop(error)
        signal.signal(signal.SIGALRM, insist)
        signal.setitimer(signal.ITIMER_REAL, INSIST_SECONDS, INSIST_SECONDS)
        raise _stop


def insist(_: int = signal.SIGALRM, __: FrameType | None = None) -> None:
    """Raises the `Stop` again that somebody swallowed: no frame is handling it, nor an error that came of it."""
    handled = sys.exception()
    while handled is not None and handled is not _stop:
        handled = handled.__context__
    if handled is None and _stop is not None:
        raise _stop


def arrived() -> None:
    """From now on nobody insists on a `Stop`."""
    global _stop
    if _stop is not None:
        _stop = None
        signal.setitimer(signal.ITIMER_REAL, 0)


def stopped_by() -> ExporterError | None:
    """The error of a `Stop` that has not arrived: what it interrupted has raised another one in its place, as a library
    that cleans up may. From now on nobody insists on it."""
    stop = _stop
    arrived()
    return stop.error if stop else None


def disable_interrupts() -> None:
    """From now on no signal stops the run: it is cleaning up after an error, or its result is in place. Raises a `Stop`
    that came before and was swallowed."""
    global _interrupts_enabled
    _interrupts_enabled = False
    insist()
    arrived()


def enable_interrupts() -> None:
    """From now on signals stop the run again."""
    global _interrupts_enabled
    _interrupts_enabled = True


def hide_stops() -> None:
    """From now on the interpreter says nothing of a `Stop` that came where nothing can be raised, such as in a
    finalizer: it is raised again."""
    show = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, Stop):
            show(unraisable)

    sys.unraisablehook = hook


@contextmanager
def interruptible(consequence: str = "") -> Iterator[list[str]]:
    """While the block runs, the first of SIGINT, SIGTERM and SIGHUP stops it, and `Interrupted` is raised at its end,
    whose message names the consequence.

    Yields the names of signals that come while interrupts are disabled: whoever goes on after the block must heed them.
    A block that succeeds restores the handlers; after an error, signals remain without effect.
    """
    pending: list[str] = []

    def handle(number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        interrupt(Interrupted(f"stopped by {name}; {consequence}" if consequence else f"stopped by {name}"))
        pending.append(name)

    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    enable_interrupts()
    try:
        for number, handler in handlers.items():
            if handler is not signal.SIG_IGN:  # as nohup sets it
                signal.signal(number, handle)
        yield pending
        insist()
    except Stop as stop:
        raise stop.error from None
    finally:
        arrived()
    for number, handler in handlers.items():
        if signal.getsignal(number) is handle:  # else the block has set its own
            signal.signal(number, handler)
    enable_interrupts()


def ignore_signals() -> None:
    """For a process whose exit code is decided: the interpreter restores the fatal handlers as it exits."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def abandon_threads() -> None:
    """From now on the process ends without waiting for threads: some are in a library that waits for a silent host."""
    global _threads_abandoned
    _threads_abandoned = True


def end_process(code: int) -> NoReturn:
    """Ends the process with this exit code; without the interpreter's and the libraries' own end if threads were
    abandoned, since these would wait for them, for minutes, and then crash."""
    if _threads_abandoned:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def time_limit(seconds: int | None) -> Iterator[None]:
    """Raises `RunError` in the block when it takes longer, whatever it is waiting for. None means no limit."""

    too_long = RunError(f"the run took longer than --max-duration ({seconds} s); its locks and snapshot were released")

    def handle(_: int, __: FrameType | None) -> None:
        interrupt(too_long)

    if seconds is None:
        yield
        return
    handler = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except Stop as stop:
        if stop.error is not too_long:
            raise
        arrived()
        raise too_long from None
    finally:
        if _stop is None:  # else its repetition is what the timer is for
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Defers signals that would stop the run to the end of the block. Processes started in the block have them blocked
    from the start."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (*STOP_SIGNALS, signal.SIGALRM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def start_thread(target: Callable[..., object], *arguments: object) -> threading.Thread:
    """Starts a thread that does not keep the interpreter from ending.

    A signal that raised while `Thread.start` waits would leave a thread nobody knows of, and a traceback of the
    interpreter's own on stderr as it dies.
    """
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    with signals_blocked():
        thread.start()
    return thread

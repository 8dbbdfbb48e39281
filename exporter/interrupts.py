"""Signals and the time limit: what stops a run from outside, and until when.

Whether signals still stop the run is process-wide state, like the signal handlers. `disable_interrupts` is only for
what must not be interrupted: the pool as it kills its workers after an error, publishing from its first rename on, a
rebuild or a local graph once its store is in place or cleaned up. `interruptible` enables interrupts again when its
block ends.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from exporter.errors import ExporterError, Interrupted, RunError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_interrupts_enabled = True
_threads_abandoned = False


def interrupt(error: ExporterError) -> None:
    """Raises the error if interrupts are enabled, and disables them: nothing disturbs the cleanup."""
    global _interrupts_enabled
    if _interrupts_enabled:
        _interrupts_enabled = False
        raise error


def disable_interrupts() -> None:
    """From now on no signal stops the run: it is cleaning up after an error, or its result is in place."""
    global _interrupts_enabled
    _interrupts_enabled = False


def enable_interrupts() -> None:
    """From now on signals stop the run again."""
    global _interrupts_enabled
    _interrupts_enabled = True


@contextmanager
def interruptible(consequence: str = "") -> Iterator[list[str]]:
    """While the block runs, the first of SIGINT, SIGTERM and SIGHUP raises `Interrupted`, whose message names the
    consequence.

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
    for number, handler in handlers.items():
        if handler is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, handle)
    yield pending
    enable_interrupts()
    for number, handler in handlers.items():
        signal.signal(number, handler)


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

    def handle(_: int, __: FrameType | None) -> None:
        interrupt(
            RunError(f"the run took longer than --max-duration ({seconds} s); its locks and snapshot were released")
        )

    if seconds is None:
        yield
        return
    handler = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
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

"""Work with an object store on threads: several objects at once, each tried again if the store fails for a moment, and
an interrupt that waits for no silent store."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from exporter.interrupts import abandon_threads, start_thread
from exporter.published.storage_errors import StorageError

Result = TypeVar("Result")
# Told how many bytes of one object are done.
Advance = Callable[[int], None]
# Shows a transfer while a block runs: its title and all bytes -> what is to be called with those done.
Show = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
Job = Callable[[Advance], Result]

THREADS = 4
# How often one object may fail while no other gets through: a store that is busy for long is not one that is gone.
# pyarrow repeats requests too, but not one for a small object that the store refuses with a longer text.
ATTEMPTS = 8
PAUSE_SECONDS, LONGEST_PAUSE = 1.0, 5
# After so long without a byte, one more failure is the last: a store that accepts and is silent takes 90 s to fail.
PATIENCE_SECONDS = 60.0
# Of a list of 100,000 objects, or a SHA256SUMS of as many; most answers take less than one.
ANSWER_SECONDS = 600.0
POLL_SECONDS = 0.1
# How long threads have to end once there is a failure, before they are left alone.
GRACE_SECONDS = 2.0


class StoppedError(Exception):
    """Another thread has failed, or the run was interrupted."""


@dataclass(slots=True)
class Transfers(Generic[Result]):
    """Jobs by name, what they returned, how many bytes of each are done, and the first failure."""

    waiting: deque[tuple[str, Job[Result]]]
    results: dict[str, Result] = field(default_factory=dict)
    bytes_done: dict[str, int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def work(self) -> None:
        """Does jobs until none is left, or one has failed."""
        while not self.stopped.is_set():
            try:
                name, job = self.waiting.popleft()
            except IndexError:
                return
            try:
                self.results[name] = self.attempt(name, job)
            except StoppedError:
                return
            except Exception as error:
                self.failure = self.failure or error
                self.stopped.set()

    def attempt(self, name: str, job: Job[Result]) -> Result:
        """Does one job, again where its failure may be passing."""
        failures, others, moved = 0, 0, time.monotonic()

        def advance(done: int) -> None:
            nonlocal moved
            self.bytes_done[name] = done
            if done:
                moved = time.monotonic()
            if self.stopped.is_set():
                raise StoppedError

        while True:
            advance(0)
            try:
                return job(advance)
            except StorageError as error:
                if len(self.results) > others:
                    failures, others, moved = 0, len(self.results), time.monotonic()
                failures += 1
                if failures == ATTEMPTS or not error.passing or time.monotonic() - moved > PATIENCE_SECONDS:
                    raise
            self.stopped.wait(PAUSE_SECONDS * min(failures, LONGEST_PAUSE))


def transfer(
    jobs: Mapping[str, Job[Result]], on_bytes: Callable[[int], None] = lambda done: None, limit: float = math.inf
) -> dict[str, Result]:
    """Does jobs by name, several at once, and returns what they returned; `on_bytes` is called now and then with the
    bytes that are done of all. Raises the first failure, whatever interrupts it, and `StorageError` after `limit`
    seconds; then jobs under way are stopped, and no more are begun."""
    until = time.monotonic() + limit
    transfers = Transfers(deque(jobs.items()))
    threads: list[threading.Thread] = []
    complete = False
    try:
        threads = [start_thread(transfers.work) for _ in range(min(THREADS, len(jobs)))]
        while any(thread.is_alive() for thread in threads) and not transfers.failure:
            if time.monotonic() > until:
                raise StorageError(f"the object store has not answered within {limit:.0f} s: check the network")
            on_bytes(sum(transfers.bytes_done.copy().values()))
            threads[0].join(POLL_SECONDS) if threads[0].is_alive() else time.sleep(POLL_SECONDS)
        on_bytes(sum(transfers.bytes_done.copy().values()))
        complete = not transfers.failure
    finally:
        if not complete:
            # Ours, or pyarrow's own, which send parts: they may wait for a silent store.
            abandon_threads()
        transfers.stopped.set()
        until = time.monotonic() + GRACE_SECONDS
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
    if transfers.failure:
        raise transfers.failure
    return transfers.results


def ask(question: Callable[[], Result]) -> Result:
    """The store's answer to one question, asked like a transfer, but not for ever: a byte a second is no silence."""
    return transfer({"": lambda advance: question()}, limit=ANSWER_SECONDS)[""]

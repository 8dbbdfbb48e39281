"""Work with an object store on threads: several objects at once, each tried again if the store fails for a moment, and
an interrupt that waits for no silent store."""

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

        def advance(done: int) -> None:
            self.bytes_done[name] = done
            if self.stopped.is_set():
                raise StoppedError

        failures, others = 0, 0
        while True:
            advance(0)
            try:
                return job(advance)
            except StorageError as error:
                if len(self.results) > others:
                    failures, others = 0, len(self.results)
                failures += 1
                if failures == ATTEMPTS or not error.passing:
                    raise
            self.stopped.wait(PAUSE_SECONDS * min(failures, LONGEST_PAUSE))


def transfer(jobs: Mapping[str, Job[Result]], on_bytes: Callable[[int], None] = lambda done: None) -> dict[str, Result]:
    """Does jobs by name, several at once, and returns what they returned; `on_bytes` is called now and then with the
    bytes that are done of all. Raises the first failure, and whatever interrupts it; then jobs under way are stopped,
    and no more are begun."""
    transfers = Transfers(deque(jobs.items()))
    threads: list[threading.Thread] = []
    complete = False
    try:
        threads = [start_thread(transfers.work) for _ in range(min(THREADS, len(jobs)))]
        while any(thread.is_alive() for thread in threads) and not transfers.failure:
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
    """The store's answer to one question, asked like a transfer."""
    return transfer({"": lambda advance: question()})[""]

"""One run of a contender, measured: wall time, CPU on both sides, peak memory of all its processes, bytes it left."""

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36
# A sample walks page tables: it takes at most a twentieth of the time, so as not to change what it measures.
SAMPLES_EVERY_SECONDS = 0.05
SAMPLING_SHARE = 20
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds, seconds of CPU (the server's is none where it runs elsewhere), peak PSS and bytes of the output."""

    wall: float
    client_cpu: float
    server_cpu: float | None
    peak_memory: int
    bytes_written: int
    stdout: str


class ContenderFailed(SystemExit):
    """A contender that did not end well; its exit code and last words end the benchmark, unless it goes on without."""


class PeakMemory:
    """Samples the PSS of a process and all its descendants together until stopped; `peak` is the highest sum seen."""

    def __init__(self, process_id: int) -> None:
        self.peak = 0
        self._process_id = process_id
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._done.set()
        self._thread.join()
        return self.peak

    def _watch(self) -> None:
        pause = SAMPLES_EVERY_SECONDS
        while not self._done.wait(pause):
            started = time.monotonic()
            self.peak = max(self.peak, sum(map(proportional_memory, family(self._process_id))))
            pause = max(SAMPLES_EVERY_SECONDS, SAMPLING_SHARE * (time.monotonic() - started))


def measure(
    command: list[str],
    output: Path,
    log: Path,
    postmaster: psutil.Process | None = None,
    environment: Mapping[str, str] | None = None,
    sample_memory: bool = False,
) -> Measurement:
    """Runs a contender to its end with its messages in a log; `ContenderFailed` ends the benchmark. Linux only.

    The processes it leaves behind are adopted and waited for, so that their CPU counts too. Whatever interrupts it
    takes the contender along. Without samples of the memory the peak is 0.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    server_before, client_before = server_cpu(postmaster), reaped_cpu()
    started = time.monotonic()
    with log.open("wb") as messages:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
        )
        memory = PeakMemory(process.pid) if sample_memory else None
        try:
            stdout, _ = process.communicate()
        except BaseException:
            end(process)
            raise
        wall = time.monotonic() - started
        peak = memory.stop() if memory else 0
    if process.returncode:
        output = f"{stdout.decode(errors='replace')}\n{log.read_text(encoding='utf-8', errors='replace')}".strip()
        last = "\n".join(output.splitlines()[-20:])
        raise ContenderFailed(f"{' '.join(command[:2])} failed with exit code {process.returncode}:\n{last}")
    reap_orphans()
    server_after = server_cpu(postmaster)
    return Measurement(
        wall=wall,
        client_cpu=reaped_cpu() - client_before,
        server_cpu=None if server_after is None or server_before is None else server_after - server_before,
        peak_memory=peak,
        bytes_written=sum(file.stat().st_size for file in output.rglob("*") if file.is_file()),
        stdout=stdout.decode(),
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a contender and all it started: told first, killed when that takes too long."""
    members = []
    for process_id in family(process.pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            member = psutil.Process(process_id)
            members.append(member)
            member.terminate()
    _, left = psutil.wait_procs(members, STOP_SECONDS)
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(left, STOP_SECONDS)
    reap_orphans()


def family(process_id: int) -> list[int]:
    """A process and all its descendants; empty when it has ended."""
    try:
        process = psutil.Process(process_id)
        return [process_id, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def proportional_memory(process_id: int) -> int:
    """The bytes of memory of one process, shared pages divided by the number of their users; 0 when it has ended."""
    try:
        for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def reaped_cpu() -> float:
    """Seconds of CPU of all processes waited for so far, with those they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def reap_orphans() -> None:
    """Waits for processes that lost their parent to us, without hanging on one that goes on (a server, say)."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def server_cpu(postmaster: psutil.Process | None) -> float | None:
    """Seconds of CPU of the server: the postmaster, the processes it has waited for, and those that live.

    A backend that ends while this looks would count twice or not at all, so it looks until the set stays the same.
    """
    if postmaster is None:
        return None
    while True:
        before = {child.pid for child in postmaster.children()}
        times = [postmaster.cpu_times()]
        seconds = sum(times[0][:4])  # user and system, its own and its reaped children's
        try:
            seconds += sum(sum(child.cpu_times()[:2]) for child in postmaster.children())
        except psutil.NoSuchProcess:
            continue
        if before == {child.pid for child in postmaster.children()}:
            return seconds

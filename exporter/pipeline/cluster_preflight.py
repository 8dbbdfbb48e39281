"""Whether every worker of a cluster can do the leader's tasks, before the first one: all faults at once."""

import asyncio
import secrets
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from distributed import Client

from exporter.errors import RunError, SourceError, UsageError
from exporter.pipeline.cluster_client import GONE, present_workers
from exporter.pipeline.cluster_facts import PACKAGES, QUESTION, Facts, portable_facts
from exporter.pipeline.cluster_source import Proof, source_faults
from exporter.source.queries import OwnAddress
from exporter.text import visible

SAME = "install the same on every machine"


@dataclass(frozen=True, slots=True)
class Member:
    """A worker that passed: its address and its name in Dask, the machine it is on, the name of its readers, and what
    its clock (`time.monotonic`) has more than the leader's, in seconds."""

    address: str
    name: str
    machine: str
    reader: str
    ahead: float


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the workers of a scheduler are asked; `free` is how many sessions the source still grants."""

    client: Client
    directory: Path
    own: OwnAddress
    proof: Proof
    free: int

    def members(self) -> list[Member]:
        """Every worker that is still there at the end, alternately from each machine. Raises `UsageError` with
        everything that is wrong with any, `SourceError` if the source grants no session, and `RunError` if all workers
        are lost meanwhile."""
        if not self.free:
            raise SourceError(
                "the source has no free session for a reader (max_connections, or the connection limit of the role or"
                " the database); raise the limit, or wait until others have ended"
            )
        names = self.names()
        found, own = self.facts(names)
        faults = {address: list(faults_of(facts, own)) for address, facts in found.items()}
        scheduler = self.client.run_on_scheduler(portable_facts(), None, PACKAGES[:1] + PACKAGES[-1:])
        ready = [address for address in names if not faults[address] or comparable(found[address], own)]
        for address, sentences in self.source_faults(ready).items():
            faults[address] += sentences
        names = self.left_of(names)  # a lost worker is nobody's fault: others do its tasks
        lines = [f"the scheduler: {visible(text)}" for text in program_faults(scheduler, own)]
        lines += [f"worker {names[address]}: {visible(text)}" for address in names for text in faults[address]]
        if lines:
            raise UsageError("\n  ".join(["the cluster cannot do this export:", *lines]))
        machines = {address: facts["machine"] for address in names if isinstance(facts := found[address], dict)}
        return self.enrolled(names, machines, own["machine"])

    def names(self) -> dict[str, str]:
        """The name of every worker by its address. Raises `UsageError` if there is none."""
        workers = present_workers(self.client)
        if not workers:
            raise UsageError("the scheduler has no workers; start some: dask worker SCHEDULER --nthreads 1 --no-nanny")
        return {
            address: visible(address if known["name"] == address else f"{known['name']} ({address})")
            for address, known in sorted(workers.items())
        }

    def left_of(self, names: Mapping[str, str]) -> dict[str, str]:
        """Those that the scheduler still knows. Raises `RunError` if there is none."""
        present = present_workers(self.client)
        left = {address: name for address, name in names.items() if address in present}
        if not left:
            raise RunError(GONE)
        return left

    def facts(self, names: Iterable[str]) -> tuple[dict[str, Facts | Exception], Facts]:
        """What each worker is, or why it cannot say so, and what the leader is."""
        place = self.directory / "enrolling"
        place.mkdir(mode=0o700)
        (place / QUESTION).write_text(question := secrets.token_hex(16))
        found = self.client.run(portable_facts(), str(place), PACKAGES, workers=list(names), on_error="return")
        own = asyncio.run(portable_facts()(str(place), PACKAGES)) | {"stale": False}
        for facts in found.values():
            if isinstance(facts, dict) and not facts["fault"]:
                same = facts["question"] == question and wait_for(place / facts["answer"])
                facts["fault"] = "" if same else "what it writes there does not arrive here"
        shutil.rmtree(place, ignore_errors=True)
        return {address: found.get(address, RunError("gone")) for address in names}, own

    def source_faults(self, addresses: list[str]) -> dict[str, list[str]]:
        """What is wrong with each worker's source. No more are asked at a time than the source has sessions for."""
        faults: dict[str, list[str]] = {}
        for first in range(0, len(addresses), self.free):
            asked = addresses[first : first + self.free]
            answers = self.client.run(source_faults, self.own, self.proof, workers=asked, on_error="return")
            for address in asked:
                answer = answers.get(address)
                faults[address] = answer if isinstance(answer, list) else [unanswered(answer)]
        return faults

    def enrolled(self, names: Mapping[str, str], machines: Mapping[str, str], own: str) -> list[Member]:
        """The members, alternately from each machine, of which `own` is the leader's. Raises `RunError` if there is
        none left."""
        before = time.monotonic()
        clocks = self.client.run(time.monotonic, workers=list(machines), on_error="ignore")
        now = (before + time.monotonic()) / 2
        found = defaultdict[str, list[Member]](list)
        for address, clock in clocks.items():
            machine = machines[address]
            ahead = 0.0 if machine == own else clock - now
            found[machine].append(Member(address, names[address], machine, secrets.token_hex(4), ahead))
        if not found:
            raise RunError(GONE)
        return [member for member in chain.from_iterable(zip_longest(*found.values())) if member]


def wait_for(path: Path, seconds: float = 3.0) -> bool:
    """Whether a file that another machine wrote is there: a client of a network file system may see it late."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def comparable(facts: Facts | Exception, own: Facts) -> bool:
    """Whether a worker has the leader's program, so that it can be asked for its source."""
    parts = ("program", "versions", "stale")
    return isinstance(facts, dict) and all(facts[part] == own[part] for part in parts)


def unanswered(error: object) -> str:
    return f"it did not answer ({type(error).__name__}); its log says why"


def program_faults(facts: Facts, own: Facts) -> Iterable[str]:
    """How a worker's or the scheduler's program differs from the leader's."""
    others = [
        f"{name} {version} (the leader: {own['versions'][name]})"
        for name, version in facts["versions"].items()
        if version != own["versions"][name]
    ]
    if others:
        yield f"it has {', '.join(others)}; {SAME}"
    elif facts["program"] != own["program"]:
        yield f"its files of this program are not the leader's, though of the same version; {SAME}"
    elif facts["stale"]:
        yield "the program was installed anew since it started; restart it"


def faults_of(facts: Facts | Exception, own: Facts) -> Iterable[str]:
    """What is wrong with a worker, as the ends of sentences, each with its remedy."""
    if isinstance(facts, OSError):  # Dask's timeout, or an end of the connection
        yield unanswered(facts)
        return
    if isinstance(facts, Exception):
        yield f"it cannot be asked ({type(facts).__name__}): it has another Python or Dask than the leader; {SAME}"
        return
    yield from program_faults(facts, own)
    if facts["daemon"]:
        yield "its nanny lets it start no processes; set DASK_DISTRIBUTED__WORKER__DAEMON=False, or give --no-nanny"
    if facts["threads"] != 1:
        yield f"it runs {facts['threads']} tasks at once; give --nthreads 1, and start a worker for each processor"
    if facts["user"] != own["user"]:
        yield f"it runs as user {facts['user']}, and the leader as {own['user']}; run both as the same"
    if facts["fault"]:
        yield (
            f"it does not share the leader's output directory ({facts['fault']}); mount the same file system at the"
            " same path"
        )


def note_of(used: int, present: int, *, limited: bool) -> str:
    """What is said of workers that are not used; empty if there are none."""
    if used == present:
        return ""
    why = "as --workers says" if limited else "since the source grants no more sessions"
    return f"{used} of the cluster's {present} workers were used, {why}"

"""The download of Neo4j's jars into a cache: those of a list in jars/, verified, once; a stopped one resumes."""

import csv
import importlib
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from filelock import FileLock

from exporter.errors import RunError, UsageError
from exporter.interrupts import start_thread
from exporter.progress.status import transfer

ALTERNATIVE = "or set NEO4J_HOME to an installed Neo4j"
BROWSER = "neo4j-browser-"

_ATTEMPTS = 3
_PAUSE_SECONDS = 1.0
_CONNECTIONS = 6
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Jar:
    """A jar by its path in a Maven repository."""

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def download(version: str, cache: Path, on_line: Callable[[str], None]) -> Path:
    """The directory `cache/neo4j-<version>` with every jar of that version, and Neo4j Browser, in `lib/`: downloaded
    unless they are there. The version is one of those in jars/.

    The directory is created by a rename, once all jars are complete. Until then they are collected beside it, and an
    interrupted download resumes. A directory of an earlier release gets the jars that it lacks; Neo4j Browser may go on
    missing. Only one process downloads at a time. `on_line` gets a sentence when something is downloaded; the progress
    is shown on stderr. Raises `UsageError` for an unusable cache, `RunError` if the download fails.
    """
    home = cache / f"neo4j-{version}"
    if not missing_jars(version, home):
        return home
    failure = ""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"neo4j-{version}.lock"):
            if missing := missing_jars(version, home):
                on_line(announcement(version, home, missing))
                failure = complete(home, missing, cache / f"neo4j-{version}.partial")
    except OSError as error:
        if not lacks_only_browser(version, home):
            raise UsageError(
                f"the cache directory {cache} cannot be used ({error.strerror}): choose another one, {ALTERNATIVE}"
            ) from None
        failure = f"{cache} cannot be written ({error.strerror})"
    if failure and not lacks_only_browser(version, home):
        raise RunError(
            f"Neo4j could not be downloaded: {failure}. Then run this again, it goes on where it stopped; {ALTERNATIVE}"
        )
    if failure:
        on_line(f"It goes on without Neo4j Browser: {failure}")
    return home


def read_list(version: str) -> list[Jar]:
    """The jars of a Neo4j version: its server's run-time class path, and Neo4j Browser."""
    text = (files("exporter.store") / "jars" / f"neo4j-{version}.tsv").read_text(encoding="ascii")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return [Jar(row["path"], int(row["bytes"]), row["sha256"]) for row in rows]


def missing_jars(version: str, home: Path) -> list[Jar]:
    """The jars of a version that a home lacks."""
    return [jar for jar in read_list(version) if not (home / "lib" / jar.name).is_file()]


def lacks_only_browser(version: str, home: Path) -> bool:
    return all(jar.name.startswith(BROWSER) for jar in missing_jars(version, home))


def announcement(version: str, home: Path, jars: Sequence[Jar]) -> str:
    """What is about to be downloaded, how large it is, and into where."""
    what = "Neo4j Browser (GPL 3)" if home.is_dir() else f"Neo4j {version} Community and Neo4j Browser (both GPL 3)"
    return f"Downloading {what}, once: {sum(jar.size for jar in jars) / 1e6:.0f} MB into {home}"


def complete(home: Path, missing: Sequence[Jar], partial: Path) -> str:
    """Downloads what a home lacks, and puts it in place. Returns why that failed, else nothing."""
    collected = partial / "home" / "lib"
    collected.mkdir(parents=True, exist_ok=True)
    if failure := fetch_all(missing, collected):
        return failure
    if home.is_dir():
        for jar in missing:
            (collected / jar.name).rename(home / "lib" / jar.name)
    else:
        collected.parent.rename(home)
    shutil.rmtree(partial, ignore_errors=True)
    return ""


@dataclass(slots=True)
class Fetching:
    """What the threads of a download share: the jars that wait, the bytes of each that are there, the first failure."""

    repository: str
    folder: Path
    attempts: int
    waiting: SimpleQueue[Jar] = field(default_factory=SimpleQueue)
    received: dict[str, int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    failure: str = ""

    def work(self) -> None:
        """Fetches jars until none is left, or one has failed."""
        requests = demo_module("requests")
        with requests.Session() as session, suppress(Empty):
            while not self.stopped.is_set():
                self.fetch(session, self.waiting.get_nowait())

    def fetch(self, session: Any, jar: Jar) -> None:
        """Fetches one jar, unless an earlier download has."""
        fetch = demo_module("exporter.store.fetch")
        url, target = f"{self.repository}/{jar.path}", self.folder / jar.name

        def on_bytes(received: int) -> None:
            self.received[jar.name] = received
            if self.stopped.is_set():
                raise InterruptedError

        for attempt in range(1, self.attempts + 1):
            try:
                if not target.exists():
                    fetch.fetch(session, url, target, jar.sha256, on_bytes=on_bytes)
                self.received[jar.name] = jar.size
                return
            except Exception as error:  # whatever requests, urllib3 and the disk raise
                if attempt == self.attempts and not self.stopped.is_set():
                    self.failure = fetch.explain(error, url)
                    self.stopped.set()
            self.stopped.wait(_PAUSE_SECONDS * attempt)


def fetch_all(jars: Sequence[Jar], folder: Path) -> str:
    """Downloads jars into a folder, several at a time, and shows how far it is. Returns the first failure, if any."""
    [repository] = demo_module("jgo.maven").MavenContext().remote_repos.values()
    attempts = 1 if all(jar.name.startswith(BROWSER) for jar in jars) else _ATTEMPTS
    fetching = Fetching(repository, folder, attempts, received={jar.name: 0 for jar in jars})
    for jar in jars:
        fetching.waiting.put(jar)
    # Daemons: an interrupt does not wait for a host that is silent.
    threads = []
    total = sum(jar.size for jar in jars)
    with demo_module("exporter.store.fetch").system_trust(), transfer("Downloading", total) as on_bytes:
        try:
            threads = [start_thread(fetching.work) for _ in range(_CONNECTIONS)]
            while any(thread.is_alive() for thread in threads) and not fetching.failure:
                on_bytes(sum(fetching.received.values()))
                time.sleep(_POLL_SECONDS)
        finally:
            fetching.stopped.set()
    return fetching.failure


def demo_module(name: str) -> Any:
    """A module that needs packages of the `demo` extra. Raises `UsageError` if they are missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UsageError(
            f"the packages with Neo4j are missing: run scripts/demo.sh, or pip install '.[demo]', {ALTERNATIVE}"
        ) from None

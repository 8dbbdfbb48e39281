"""A drill: a push and a pull that SIGKILL ends before each object of an export.

`DRILL_KILLS=all` in the environment takes every object, one after the other; else some do, the last ones above all.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from exporter.errors import DifferenceError, UsageError
from exporter.published.pull import pull
from exporter.published.push import push
from exporter.sink.layout import CHECKSUMS, PULLING
from tests.support import tiny_export
from tests.support.commands import EXPORTER
from tests.support.object_store import Asked, ObjectStore

STAMP = "20261123T031500Z"
# The files of an export, its SHA256SUMS among them; a push then writes latest.json.
OBJECTS = 23
ALL = os.environ.get("DRILL_KILLS") == "all"
PUSHES = range(1, OBJECTS + 2) if ALL else (1, 12, OBJECTS - 1, OBJECTS, OBJECTS + 1)
# Two files are empty, so that nothing of them is fetched.
FETCHED = OBJECTS - 2
PULLS = range(1, FETCHED + 1) if ALL else (1, 12, FETCHED)


def silent(title: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """Shows nothing."""
    return nullcontext(lambda done: None)


def files(export: Path) -> dict[str, bytes]:
    """All files of an export, by their names in it."""
    return {path.relative_to(export).as_posix(): path.read_bytes() for path in export.rglob("*") if path.is_file()}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / STAMP)


def kill(store: ObjectStore, number: int, counts: Callable[[Asked], bool], *arguments: str | Path) -> None:
    """Runs the command, and kills it as its request of this number among those that count arrives, which is not done,
    nor is any later one."""
    counted: list[Asked] = []
    started, lock = threading.Event(), threading.Lock()

    def refuse(asked: Asked) -> tuple[str, str] | None:
        if not counts(asked):
            return None
        with lock:
            counted.append(asked)
            if len(counted) < number:
                return None
        started.wait()
        process.send_signal(signal.SIGKILL)
        return "500 Error", "InternalError"

    with store.failing(refuse):
        process = subprocess.Popen([EXPORTER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.set()
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (-signal.SIGKILL, "")


@pytest.mark.parametrize("number", PUSHES)
def test_a_push_killed_before_an_object(store: ObjectStore, export: Path, tmp_path: Path, number: int) -> None:
    """Until SHA256SUMS is there, nothing can be pulled, and nothing leads there; the next push completes it."""
    url, prefix = store.url(f"{store.bucket}/graph"), f"{store.bucket}/graph"
    kill(store, number, lambda asked: asked.writes, "push", export, str(url))
    there = store.objects(prefix)
    assert "latest.json" not in there
    assert (f"{STAMP}/{CHECKSUMS}" in there) == (number > OBJECTS)
    with pytest.raises(UsageError, match=r"there is no latest\.json in"):
        pull(url, tmp_path / "in", silent)
    if number <= OBJECTS:
        with pytest.raises((DifferenceError, UsageError), match=r"it has no SHA256SUMS|there is no export"):
            pull(url.below(STAMP), tmp_path / "in", silent)
    pushed = push(export, url, silent)
    assert (pushed.objects, pushed.latest) == (OBJECTS, "latest.json")
    # What was on its way may have come after the listing: then fewer were left to send.
    assert (number <= OBJECTS) <= pushed.sent <= OBJECTS - len(there)
    content = files(export)
    assert {name: store.read(f"{prefix}/{STAMP}/{name}") for name in store.objects(f"{prefix}/{STAMP}")} == content
    assert files(pull(url, tmp_path / "in", silent).path) == content


@pytest.mark.parametrize("number", PULLS)
def test_a_pull_killed_before_an_object(store: ObjectStore, export: Path, tmp_path: Path, number: int) -> None:
    """Nothing that looks whole is there; the next pull goes on with what has come."""
    url, directory, content = store.url(f"{store.bucket}/graph"), tmp_path / "in", files(export)
    push(export, url, silent)
    kill(store, number, lambda asked: asked.method == "GET" and STAMP in asked.path, "pull", str(url), directory)
    partial = directory / f"{PULLING}{STAMP}"
    assert sorted(path.name for path in directory.iterdir()) in (sorted([".lock", partial.name]), [".lock"])
    come = {name for name, data in files(partial).items() if content[name] == data} - {CHECKSUMS}
    assert len(come) < OBJECTS - 1
    pulled = pull(url, directory, silent)
    assert (pulled.files, pulled.fetched) == (OBJECTS - 1, OBJECTS - 1 - len(come))
    assert (files(pulled.path), partial.exists()) == (content, False)

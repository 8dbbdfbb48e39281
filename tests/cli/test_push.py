"""`exporter push`, `exporter pull` and `--push` as commands: what they print, how they end, when they are killed."""

import json
import os
import select
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import tiny_export
from tests.support.commands import EXPORTER, Exporter
from tests.support.object_store import KEY, SECRET, Asked, ObjectStore

STAMP = "20261123T031500Z"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / STAMP)


@pytest.mark.slow
def test_there_and_back(store: ObjectStore, exporter: Exporter, export: Path, tmp_path: Path) -> None:
    """The last line on stdout is the URL, then the directory; a second push has nothing to send."""
    url = str(store.url(f"{store.bucket}/graph"))
    pushed = exporter("push", str(export), url)
    whole = str(store.url(f"{store.bucket}/graph/{STAMP}"))
    assert (pushed.code, pushed.out) == (0, f"{whole}\n")
    assert pushed.err.startswith("Pushed 23 objects, 0.1 MB, to ") and pushed.err.endswith(
        "; latest.json leads to it\n"
    )
    again = json.loads(exporter("push", str(export), url, "--json").out)
    assert again.pop("seconds") >= 0
    size = sum(path.stat().st_size for path in export.rglob("*") if path.is_file())
    assert again == {
        "format": 1, "url": whole, "objects": 23, "bytes": size, "sent": 0, "sent_bytes": 0, "latest": "latest.json"
    }  # fmt: skip
    pulled = exporter("pull", whole, "in")
    assert (pulled.code, pulled.out) == (0, f"in/{STAMP}\n")
    assert "Its snapshot is of Mon 23 Nov 2026 03:15 UTC" in pulled.err
    assert pulled.err.endswith(f"To import it, with Neo4j stopped: bash in/{STAMP}/import.sh\n")
    assert exporter("verify", f"in/{STAMP}").out == f"in/{STAMP} matches its manifest\n"
    found = json.loads(exporter("pull", url, "other", "--json", "-q").out)
    assert (found["path"], found["files"], found["fetched"]) == (f"other/{STAMP}", 22, 22)


@pytest.mark.slow
def test_what_is_refused(store: ObjectStore, exporter: Exporter, export: Path) -> None:
    """Exit codes, one line each, no key in any."""
    url = str(store.url(f"{store.bucket}/graph"))
    with_key = exporter("push", str(export), f"s3://{KEY}:{SECRET}@bucket/graph")
    assert (with_key.code, with_key.out) == (2, "")
    assert with_key.err.startswith("exporter: URL: must be s3://BUCKET/PREFIX, ") and SECRET not in with_key.err
    nothing = exporter("pull", url, "in")
    assert (nothing.code, nothing.err.count("\n")) == (2, 1) and "there is no latest.json in" in nothing.err
    (export / "verify.sh").write_text("changed")
    damaged = exporter("push", str(export), url)
    assert (damaged.code, damaged.out) == (1, "") and "verify.sh: changed, its SHA-256 differs" in damaged.err
    assert f"{STAMP}/SHA256SUMS" not in store.objects(f"{store.bucket}/graph")
    not_whole = exporter("pull", f"{store.url(f'{store.bucket}/graph/{STAMP}')}", "in")
    assert (not_whole.code, not_whole.out) == (1, "") and "it has no SHA256SUMS" in not_whole.err
    refusing = store.failing(lambda asked: ("403 Forbidden", "SignatureDoesNotMatch"))
    with refusing:
        denied = exporter("push", str(export), url)
    assert (denied.code, denied.out, denied.err.count("\n")) == (4, "", 1)
    assert "does not accept the credentials: check AWS_PROFILE" in denied.err
    assert SECRET not in denied.err and KEY not in denied.err


@contextmanager
def running(directory: Path, *arguments: str | Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a directory while the block runs."""
    with subprocess.Popen(
        [EXPORTER, *arguments], cwd=directory, env=os.environ | environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_interrupts_do_not_wait_for_a_silent_store(
    store: ObjectStore, export: Path, exporter: Exporter, tmp_path: Path
) -> None:
    """A push and a pull end at once, with what to do; nothing is half there."""
    url, began = str(store.url(f"{store.bucket}/graph")), threading.Event()

    def silent(part: str) -> Callable[[Asked], tuple[str, str] | None]:
        def fault(asked: Asked) -> tuple[str, str] | None:
            if part in asked.path:
                began.set()
                time.sleep(20)
            return None

        return fault

    def interrupted(*arguments: str | Path) -> str:
        began.clear()
        with running(tmp_path, *arguments) as process:
            assert began.wait(60)
            process.send_signal(signal.SIGINT)
            # Without a limit it would take as long as the store; this is half of that.
            _, printed = process.communicate(timeout=10)
            assert process.returncode == 130
            return printed

    with store.failing(silent("/nodes/")):
        printed = interrupted("push", export, url)
    assert printed.endswith(
        "stopped by SIGINT; what was pushed is not whole; run it again, and it goes on where it stopped\n"
    )
    assert f"{STAMP}/SHA256SUMS" not in store.objects(f"{store.bucket}/graph")
    assert exporter("push", str(export), url).code == 0
    with store.failing(silent("/nodes/")):
        printed = interrupted("pull", url, "in")
    assert "stopped by SIGINT; in has no new export yet; run this again, and it goes on where it stopped" in printed


@pytest.mark.slow
def test_a_push_after_an_export(store: ObjectStore, exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """It is copied once it is published; where that fails, the export is there, and the message has the command."""
    url = str(store.url(f"{store.bucket}/graph"))
    done = exporter("export", "--push", url, "--json", EXPORTER_SOURCE=sample_database)
    result = json.loads(done.out)
    name = Path(result["directory"]).name
    assert (done.code, result["pushed"]) == (0, str(store.url(f"{store.bucket}/graph/{name}")))
    assert exporter("pull", url, "in").out == f"in/{name}\n"
    with store.failing(lambda asked: ("403 Forbidden", "AccessDenied") if asked.writes else None):
        failed = exporter("export", "--archive", EXPORTER_SOURCE=sample_database, EXPORTER_PUSH=url)
    directory = tmp_path / failed.out.splitlines()[-1]
    assert (failed.code, (directory / "SHA256SUMS").is_file()) == (4, True)
    archive = f"output/{directory.name}.tar.zst"
    assert f"exporter: {archive} is complete, but was not pushed: the bucket {store.bucket} at" in failed.err
    command = failed.err.rpartition("To push it: ")[2].strip()
    assert command.endswith(f"exporter push {archive} '{url}'")
    assert exporter("push", archive, url).code == 0
    assert f"{directory.name}.tar.zst" in store.objects(f"{store.bucket}/graph")
    assert not any(each.startswith(f"{directory.name}/") for each in store.objects(f"{store.bucket}/graph"))


@pytest.mark.slow
def test_a_signal_between_an_export_and_its_push(
    store: ObjectStore, exporter: Exporter, sample_database: str, tmp_path: Path
) -> None:
    """It stops the push, and what is said is true: the export is there, with the command that goes on. The profile is a
    pipe, whose second opening, after the summary, waits for its reader."""
    url, profile = str(store.url(f"{store.bucket}/graph")), tmp_path / "profile"
    os.mkfifo(profile)
    first = os.open(profile, os.O_RDONLY | os.O_NONBLOCK)
    arguments = ("export", "--push", url, "--profile", profile)
    with running(tmp_path, *arguments, EXPORTER_SOURCE=sample_database) as process:
        assert select.select([first], [], [], 60)[0] and os.read(first, 10) == b"{}\n"
        os.close(first)
        assert process.stderr and any(line.startswith("Report: ") for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        second = os.open(profile, os.O_RDONLY | os.O_NONBLOCK)
        out, err = process.communicate(timeout=60)
        os.close(second)
    directory = Path(out.splitlines()[-1])
    assert (process.returncode, store.objects(f"{store.bucket}/graph")) == (130, {})
    assert f"stopped by SIGTERM; {directory} is complete, and not pushed. To push it: " in err
    command = shlex.split(err.rpartition("To push it: ")[2])
    assert exporter(*command[1:]).code == 0


def test_a_push_that_cannot_be_is_refused_before_the_export(exporter: Exporter, sample_database: str) -> None:
    """Nothing is read then."""
    done = exporter("export", "--push", "backups/graph", EXPORTER_SOURCE=sample_database)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("exporter: --push: must be s3://BUCKET/PREFIX, ")
    named = exporter("export", "--push", f"s3://backups/{STAMP}", EXPORTER_SOURCE=sample_database)
    assert (named.code, named.out) == (2, "") and "has the name of an export in it: name the prefix" in named.err
    rollback = exporter("rebuild", "--rollback", "--push", "s3://backups/graph")
    assert rollback.code == 2 and "--rollback exports nothing: leave out --source" in rollback.err

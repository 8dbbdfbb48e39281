"""Exports pushed to an object store: in which order, again, and when it fails at any object."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from exporter.errors import DifferenceError, ExporterError, RunError, UsageError
from exporter.published import storage as storage_module
from exporter.published import transfers
from exporter.published.pull import pull
from exporter.published.push import Pushed, push
from tests.support import tiny_export
from tests.support.object_store import KEY, SECRET, Asked, ObjectStore

STAMP = "20261123T031500Z"


def silent(title: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """Shows nothing."""
    return nullcontext(lambda done: None)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / STAMP)


def files(export: Path) -> dict[str, bytes]:
    """All files of an export, by their names in the bucket."""
    return {
        f"{export.name}/{path.relative_to(export).as_posix()}": path.read_bytes()
        for path in export.rglob("*")
        if path.is_file()
    }


def in_prefix(store: ObjectStore) -> dict[str, bytes]:
    """All objects below the prefix `graph`, but for those that lead to an export."""
    names = store.objects(f"{store.bucket}/graph")
    return {name: store.read(f"{store.bucket}/graph/{name}") for name in names if not name.startswith("latest")}


def push_to(store: ObjectStore, export: Path) -> Pushed:
    return push(export, store.url(f"{store.bucket}/graph"), silent)


def written(store: ObjectStore) -> list[str]:
    """The objects that were written, in this order, by their names below the prefix."""
    return [asked.path.removeprefix(f"/{store.bucket}/graph/") for asked in store.asked if asked.writes]


def test_every_file_and_the_checksums_last(store: ObjectStore, export: Path) -> None:
    """Data, then the manifest, then SHA256SUMS, then latest.json; to the byte."""
    pushed = push_to(store, export)
    content = files(export)
    assert in_prefix(store) == content
    assert written(store)[-3:] == [f"{STAMP}/manifest.json", f"{STAMP}/SHA256SUMS", "latest.json"]
    assert sorted(written(store)[:-1]) == sorted(content)
    total = sum(map(len, content.values()))
    assert (pushed.objects, pushed.bytes, pushed.sent, pushed.sent_bytes) == (len(content), total, len(content), total)
    assert (str(pushed.url), pushed.latest) == (str(store.url(f"{store.bucket}/graph/{STAMP}")), "latest.json")
    latest = json.loads(store.read(f"{store.bucket}/graph/latest.json"))
    assert {key: latest[key] for key in latest if key != "pushed_at"} == {
        "format": 1,
        "export": STAMP,
        "sha256sums": hashlib.sha256(content[f"{STAMP}/SHA256SUMS"]).hexdigest(),
        "snapshot_at": "2026-11-23T03:15:01.250000Z",
    }


def test_again_sends_only_what_is_not_there(store: ObjectStore, export: Path) -> None:
    """An object that is missing, shorter, of the same length with other content, or of unknown origin is sent."""
    push_to(store, export)
    store.asked.clear()
    assert (push_to(store, export).sent, written(store)) == (0, [])
    base, data = f"{store.bucket}/graph/{STAMP}", (export / "nodes/Customer/part-0001.csv").read_bytes()
    store.remove(f"{base}/counts.tsv")
    store.write(f"{base}/verify.sh", b"cut")
    store.write(f"{base}/nodes/Customer/part-0001.csv", data[::-1])
    store.write(f"{base}/schema.cypher", (export / "schema.cypher").read_bytes())
    store.asked.clear()
    assert push_to(store, export).sent == 4
    assert in_prefix(store) == files(export)


@pytest.mark.slow
def test_a_push_that_ends_before_any_object(
    store: ObjectStore, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each push gets one object further than the one before. Until SHA256SUMS is there, nothing can be pulled."""
    monkeypatch.setattr(transfers, "THREADS", 1)
    total, url = len(files(export)), store.url(f"{store.bucket}/graph")

    def after_one(asked: Asked) -> tuple[str, str] | None:
        before = sum(other.writes for other in store.asked[: asked.number - 1])
        return ("403 Forbidden", "AccessDenied") if asked.writes and before else None

    for number in range(1, total + 1):
        store.asked.clear()
        with store.failing(after_one), pytest.raises(RunError, match="denies access"):
            push_to(store, export)
        assert len(store.objects(f"{store.bucket}/graph")) == number
        if number < total:
            with pytest.raises(DifferenceError, match="it has no SHA256SUMS, since its push did not end"):
                pull(url.below(STAMP), tmp_path / "pulled", silent)
        with pytest.raises(UsageError, match=rf"there is no latest\.json in .*; name one of what is there: {STAMP}$"):
            pull(url, tmp_path / "pulled", silent)
    assert [path.name for path in (tmp_path / "pulled").iterdir()] == [".lock"]
    assert (push_to(store, export).sent, in_prefix(store)) == (0, files(export))
    assert pull(url, tmp_path / "pulled", silent).path == tmp_path / "pulled" / STAMP


@pytest.mark.slow
@pytest.mark.parametrize("every", [3, 5])
def test_a_store_that_fails_now_and_then(store: ObjectStore, export: Path, tmp_path: Path, every: int) -> None:
    """Every n-th request fails: everything gets there, and back, to the byte."""

    def now_and_then(asked: Asked) -> tuple[str, str] | None:
        return ("503 Slow Down", "SlowDown") if asked.number % every == 0 else None

    with store.failing(now_and_then):
        push_to(store, export)
        pulled = pull(store.url(f"{store.bucket}/graph"), tmp_path / "pulled", silent).path
    assert in_prefix(store) == files(export) == files(pulled)


@pytest.mark.slow
def test_an_object_that_fails_while_others_get_through(
    store: ObjectStore, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is busy is not one that is gone: it is asked again as long as anything gets through."""
    monkeypatch.setattr(transfers, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(transfers, "ATTEMPTS", 2)
    object_ = f"/{store.bucket}/graph/{STAMP}/nodes/Customer/part-0001.csv"
    refused: list[int] = []

    def refuse_one(asked: Asked) -> tuple[str, str] | None:
        if asked.path == object_ and asked.method == "PUT" and len(refused) < 9:
            refused.append(asked.number)
            return "503 Slow Down", "SlowDown"
        time.sleep(0.1)
        return None

    with store.failing(refuse_one):
        push_to(store, export)
    assert (len(refused), in_prefix(store)) == (9, files(export))


@pytest.mark.slow
def test_a_large_file_goes_in_parts(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """More than are under way at once; one that changes meanwhile makes no object."""
    data = export / "nodes/Device/part-0001.csv"
    data.write_bytes(bytes(range(256)) * (41 << 12))
    tiny_export.write_checksums(export)
    store.asked.clear()
    push_to(store, export)
    parts = [asked for asked in store.asked if "partNumber" in asked.query]
    assert len(parts) == -(-data.stat().st_size // storage_module.PART_BYTES) > storage_module.PARTS_AT_ONCE
    assert in_prefix(store) == files(export)
    with data.open("r+b") as file:
        file.write(b"changed")
    with pytest.raises(DifferenceError, match=r"part-0001\.csv: changed, .* nothing whole was pushed"):
        push(export, store.url(f"{store.bucket}/other"), silent)
    there = store.objects(f"{store.bucket}/other")
    assert f"{STAMP}/nodes/Device/part-0001.csv" not in there and f"{STAMP}/SHA256SUMS" not in there


def test_latest_leads_forward_only(store: ObjectStore, export: Path) -> None:
    """An older export does not take it, unless the newer one is gone; a copy has its own."""
    older = tiny_export.write(export.with_name("20261120T031500Z"))
    copy = tiny_export.make_copy(tiny_export.write(export.with_name("20261124T031500Z")))
    assert [push_to(store, each).latest for each in (export, older, copy)] == ["latest.json", None, "latest-copy.json"]
    latest = f"{store.bucket}/graph/latest.json"
    assert json.loads(store.read(latest))["export"] == STAMP
    store.remove(f"{store.bucket}/graph/{STAMP}/SHA256SUMS")
    assert push_to(store, older).latest == "latest.json"
    assert json.loads(store.read(latest))["export"] == "20261120T031500Z"
    store.write(latest, b"[]")
    assert push_to(store, older).latest == "latest.json"


def test_another_export_of_the_same_second(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """It is not mixed with the one that is there."""
    push_to(store, export)
    other = tiny_export.write(tmp_path / "other" / STAMP)
    tiny_export.change_source(other, "postgresql:1/other")
    before = in_prefix(store)
    with pytest.raises(UsageError, match="is another export of the same second, or damaged: push to another"):
        push_to(store, other)
    assert in_prefix(store) == before


@pytest.mark.parametrize("suffix", [".tar.zst", ".tar.zst.age"])
def test_an_archive_is_one_object(store: ObjectStore, export: Path, tmp_path: Path, suffix: str) -> None:
    """With its own name and bytes, in the bucket and back. One with another name is refused."""
    archive = tmp_path / f"{STAMP}{suffix}"
    archive.write_bytes(b"encrypted" * 1000)
    pushed = push_to(store, archive)
    assert (pushed.objects, pushed.sent, pushed.latest) == (1, 1, None)
    assert in_prefix(store) == {archive.name: archive.read_bytes()}
    assert push_to(store, archive).sent == 0
    pulled = pull(pushed.url, tmp_path / "pulled", silent)
    assert (pulled.path.read_bytes(), pulled.path.name, pulled.manifest) == (archive.read_bytes(), archive.name, None)
    assert pulled.path.stat().st_mode & 0o777 == 0o600
    other = archive.rename(tmp_path / "backup.tar.zst.age")
    with pytest.raises(UsageError, match="nor an archive with the name that it was made with"):
        push_to(store, other)


def test_what_is_no_whole_export_is_not_pushed(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """And nothing is asked of the store."""

    def refused(kind: type[ExporterError], sentence: str, path: Path = export) -> None:
        with pytest.raises(kind, match=sentence):
            push_to(store, path)

    refused(UsageError, "there is no export", tmp_path / "nothing")
    refused(UsageError, "is not an export: it has neither", tmp_path)
    shutil.copytree(export, tmp_path / "renamed")
    refused(UsageError, "has not the name that it was made with", tmp_path / "renamed")
    (export / "extra").write_text("x")
    refused(DifferenceError, "is not whole, nothing was pushed: extra: not listed in SHA256SUMS")
    (export / "extra").unlink()
    (export / "counts.tsv").rename(tmp_path / "counts.tsv")
    refused(DifferenceError, r"counts\.tsv: missing")
    (export / "counts.tsv").symlink_to(tmp_path / "counts.tsv")
    refused(DifferenceError, r"counts\.tsv: neither a plain file nor a directory")
    (export / "SHA256SUMS").unlink()
    (export / "counts.tsv").unlink()
    refused(DifferenceError, "SHA256SUMS is missing")
    assert store.asked == []


REFUSALS = [
    ("404 Not Found", "NoSuchBucket", "does not exist: create it, or correct the URL"),
    ("403 Forbidden", "AccessDenied", "denies access: check AWS_PROFILE, .* list, read and write there"),
    ("403 Forbidden", "InvalidAccessKeyId", "does not accept the credentials: check AWS_PROFILE"),
    ("403 Forbidden", "SignatureDoesNotMatch", "does not accept the credentials: check AWS_PROFILE"),
    ("400 Bad Request", "ExpiredToken", "does not accept the credentials, which have expired: renew them"),
    ("301 Moved", "PermanentRedirect", r"is in another region: add \?region=REGION to the URL"),
    ("403 Forbidden", "QuotaExceeded", r"refuses to write \(403, QuotaExceeded\): check the URL"),
]


@pytest.mark.parametrize(("status", "code", "sentence"), REFUSALS, ids=[code for _, code, _ in REFUSALS])
def test_a_store_that_refuses(store: ObjectStore, export: Path, status: str, code: str, sentence: str) -> None:
    """A sentence with the bucket and what to do; nothing of what the store says."""
    refusing = store.failing(lambda asked: (status, code) if asked.writes else None)
    with (
        refusing,
        pytest.raises(RunError, match=rf"^the bucket {store.bucket} at 127.0.0.1:[0-9]+ {sentence}") as failed,
    ):
        push_to(store, export)
    assert SECRET not in str(failed.value) and KEY not in str(failed.value)
    assert len([asked for asked in store.asked if asked.writes]) <= transfers.THREADS


@pytest.mark.slow
def test_a_store_that_stays_unavailable_or_away(
    store: ObjectStore, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, then said."""
    monkeypatch.setattr(transfers, "ATTEMPTS", 2)
    failing = store.failing(lambda asked: ("500 Error", "InternalError"))
    with failing, pytest.raises(RunError, match=r"is not available now \((500|INTERNAL_FAILURE)\): try again later$"):
        push_to(store, export)
    url = store.url(f"{store.bucket}/graph")
    away = type(url)(url.scheme, url.bucket, url.prefix, {**url.options, "endpoint_override": "127.0.0.1:1"})
    with pytest.raises(RunError, match=r"cannot be reached \(it refuses the connection, .*check the network"):
        push(export, away, silent)


def test_a_bucket_that_is_not_there(store: ObjectStore, export: Path) -> None:
    """As S3 itself says it."""
    with pytest.raises(RunError, match=r"^the bucket no-bucket at .* does not exist: create it"):
        push(export, store.url("no-bucket/graph"), silent)

"""Exports pulled from an object store: whole or not at all, private, and on from where a pull stopped."""

import grp
import hashlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.errors import BusyError, DifferenceError, RunError, UsageError
from exporter.interrupts import interruptible
from exporter.published import pull as pull_module
from exporter.published import transfers
from exporter.published.pull import pull
from exporter.published.push import push
from exporter.published.verify import verify_files
from exporter.sink.files import sync
from exporter.sink.layout import PULLING
from exporter.sink.lock import hold_lock
from exporter.sink.publish import partial_export
from tests.published.test_push import STAMP, files, silent
from tests.support import tiny_export
from tests.support.object_store import ObjectStore


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def export(store: ObjectStore, tmp_path: Path) -> Path:
    """An export that was pushed to the prefix `graph`."""
    export = tiny_export.write(tmp_path / STAMP)
    push(export, store.url(f"{store.bucket}/graph"), silent)
    store.asked.clear()
    return export


def hidden(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock")


@pytest.mark.parametrize("name", ["", "/latest", f"/{STAMP}"])
def test_to_the_byte_and_private(store: ObjectStore, export: Path, tmp_path: Path, name: str) -> None:
    """By its own name, or as the latest; nobody else can read it, and `verify` agrees."""
    pulled = pull(store.url(f"{store.bucket}/graph{name}"), tmp_path / "in", silent)
    assert (pulled.path, files(pulled.path)) == (tmp_path / "in" / STAMP, files(export))
    assert pulled.manifest and pulled.manifest.totals.nodes == 18
    assert verify_files(pulled.path) == []
    modes = {path.stat().st_mode & 0o777 for path in pulled.path.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in [pulled.path, *pulled.path.rglob("*")] if path.is_dir()}
    assert (modes, folders, (tmp_path / "in").stat().st_mode & 0o777) == ({0o600}, {0o700}, 0o700)
    assert hidden(tmp_path / "in") == [STAMP]


def test_for_a_group(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """It may read all of it, and enter the directory."""
    group = grp.getgrgid(os.getegid())
    pulled = pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent, group.gr_name)
    modes = {path.stat().st_mode & 0o777 for path in pulled.path.rglob("*") if path.is_file()}
    assert (modes, pulled.path.stat().st_mode & 0o777, pulled.path.stat().st_gid) == ({0o640}, 0o750, group.gr_gid)
    assert (tmp_path / "in").stat().st_mode & 0o777 == 0o750
    with pytest.raises(UsageError, match="there is no group no-such-group"):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "other", silent, "no-such-group")


def test_on_from_where_it_stopped(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """What has come whole stays hidden for the next pull, which fetches the rest, and what was cut off."""
    late = f"{STAMP}/nodes/Session/part-0001.csv"
    refusing = store.failing(lambda asked: ("403 F", "AccessDenied") if asked.path.endswith(late) else None)
    with (
        refusing,
        pytest.raises(RunError, match=r"denies access: .*; run this again, and it goes on where it stopped$"),
    ):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    partial = tmp_path / "in" / f"{PULLING}{STAMP}"
    assert hidden(tmp_path / "in") == [partial.name]
    (partial / "headers/Customer.csv").write_bytes(b"cut")
    (partial / "unknown").write_bytes(b"")
    with partial_export(tmp_path / "in"):  # an export there does not remove it
        pass
    store.asked.clear()
    pulled = pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    fetched = {asked.path.partition(STAMP)[2] for asked in store.asked if asked.method == "GET" and STAMP in asked.path}
    assert 2 <= pulled.fetched < pulled.files and "/nodes/Session/part-0001.csv" in fetched
    assert "/headers/AuthUser-HAS_DEVICE-Device.csv" not in fetched and "/headers/Customer.csv" in fetched
    assert (files(pulled.path), hidden(tmp_path / "in")) == (files(export), [STAMP])


def test_a_signal_while_it_gets_its_name(
    store: ObjectStore, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes too late: the export is there, and nobody is told that it is not."""

    def signalled_sync(folder: Path) -> None:
        if folder == tmp_path / "in":  # the last step
            signal.raise_signal(signal.SIGTERM)
        sync(folder)

    monkeypatch.setattr(pull_module, "sync", signalled_sync)
    with interruptible("there is no new export yet") as pending:
        pulled = pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    assert (pending, files(pulled.path), hidden(tmp_path / "in")) == (["SIGTERM"], files(export), [STAMP])


def test_a_partial_pull_that_somebody_changed(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """A link in it leads nowhere, another SHA256SUMS is not believed, and what other pulls left is removed."""
    partial = tmp_path / "in" / f"{PULLING}{STAMP}"
    (partial / "headers").mkdir(parents=True)
    (partial / "SHA256SUMS").write_bytes((export / "SHA256SUMS").read_bytes())
    (tmp_path / "outside").mkdir()
    (partial / "nodes").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / f"{PULLING}20261101T031500Z").mkdir()
    pulled = pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    assert (files(pulled.path), hidden(tmp_path / "in")) == (files(export), [STAMP])
    assert list((tmp_path / "outside").iterdir()) == []


def line(name: str, content: bytes = b"evil") -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()


DAMAGED: list[tuple[str, Callable[[bytes], bytes | None], str]] = [
    ("nodes/AuthUser/part-0002.csv", lambda data: data[:-1], r"part-0002\.csv: changed"),
    ("nodes/AuthUser/part-0002.csv", lambda data: data[::-1], r"part-0002\.csv: changed"),
    ("nodes/AuthUser/part-0002.csv", lambda data: None, r"nodes/AuthUser/part-0002\.csv: missing"),
    ("SHA256SUMS", lambda data: None, "it has no SHA256SUMS, since its push did not end"),
    ("SHA256SUMS", lambda data: b"", "SHA256SUMS is cut off"),
    ("SHA256SUMS", lambda data: data[:-1], "SHA256SUMS is cut off"),
    ("SHA256SUMS", lambda data: data.replace(b"  nodes/", b"  ../nodes/"), "SHA256SUMS is malformed"),
    ("SHA256SUMS", lambda data: data.replace(b"  nodes/", b"  /nodes/"), "SHA256SUMS is malformed"),
    ("SHA256SUMS", lambda data: data + line("zzz/../../evil"), "SHA256SUMS is malformed"),
    ("SHA256SUMS", lambda data: data.replace(b"counts.tsv", b"SHA256SUMS"), "lists what no directory can hold"),
    ("SHA256SUMS", lambda data: data + line("verify.sh/evil"), "lists what no directory can hold"),
    ("SHA256SUMS", lambda data: data + line("zzz"), "zzz: missing"),
    ("manifest.json", lambda data: b"{}", r"manifest\.json: changed"),
]


@pytest.mark.parametrize(("name", "damage", "sentence"), DAMAGED, ids=[sentence for _, _, sentence in DAMAGED])
def test_what_is_not_whole_is_refused(
    store: ObjectStore, export: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes | None], sentence: str
) -> None:
    """Nothing of it stays, and nothing is written elsewhere."""
    path = f"{store.bucket}/graph/{STAMP}/{name}"
    damaged = damage(store.read(path))
    if damaged is None:
        store.remove(path)
    else:
        store.write(path, damaged)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DifferenceError, match=rf"{STAMP}.* is not whole, so nothing was pulled: .*{sentence}"):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    assert hidden(tmp_path / "in") == []
    assert sorted({*tmp_path.rglob("*")} - {tmp_path / "in", tmp_path / "in" / ".lock"}) == before


def test_a_manifest_that_this_program_cannot_read(store: ObjectStore, tmp_path: Path) -> None:
    """Its checksum is right, its format is not."""
    export = tiny_export.write(tmp_path / STAMP)
    push(export, store.url(f"{store.bucket}/graph"), silent)
    tiny_export.write_manifest(export, {**tiny_export.manifest(export), "format": 3})
    for name in ("manifest.json", "SHA256SUMS"):
        store.write(f"{store.bucket}/graph/{STAMP}/{name}", (export / name).read_bytes())
    with pytest.raises(DifferenceError, match=r"is not whole, .*: manifest\.json has format 3"):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    assert hidden(tmp_path / "in") == []


def test_an_object_that_stays_cut_off(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """An archive whose store says another checksum, and one that nobody gave a checksum."""
    name = f"{STAMP}.tar.zst"
    store.write(f"{store.bucket}/graph/{name}", b"packed")
    assert pull(store.url(f"{store.bucket}/graph/{name}"), tmp_path / "in", silent).path.read_bytes() == b"packed"
    archive = tmp_path / f"{STAMP}.tar.zst.age"
    archive.write_bytes(b"encrypted")
    push(archive, store.url(f"{store.bucket}/graph"), silent)
    path = f"{store.bucket}/graph/{archive.name}"
    store.write(path, b"encrypteD", f"text/plain; sha256={hashlib.sha256(archive.read_bytes()).hexdigest()}")
    with pytest.raises(DifferenceError, match="changed, it is not what its checksum says"):
        pull(store.url(path), tmp_path / "in", silent)
    assert hidden(tmp_path / "in") == [name]


def test_what_cannot_be_asked(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """Nothing there, an export that is there already, no place for it, somebody else at work."""

    def refused(name: str, sentence: str, directory: Path = tmp_path / "in") -> None:
        with pytest.raises(UsageError, match=sentence):
            pull(store.url(f"{store.bucket}{name}"), directory, silent)

    refused("/graph/20200101T000000Z", rf"there is no export .*; name one of what is there: {STAMP}$")
    refused("/graph/20200101T000000Z.tar.zst", rf"there is no archive .*; name one of what is there: {STAMP}$")
    refused("/graph/latest-copy", rf"there is no latest-copy\.json in .*: {STAMP}$")
    refused("/empty", "no export was pushed there: check the URL")
    refused("/graph", "does not exist; create it", tmp_path / "no" / "where")
    (tmp_path / "file").write_text("")
    refused("/graph", ".*file is not a directory; choose another directory", tmp_path / "file")
    (tmp_path / "in" / STAMP).mkdir()
    refused("/graph", f"{STAMP} exists: compare it by `exporter verify`")
    with (
        hold_lock(tmp_path / "busy" / ".lock", busy="", remedy=""),
        pytest.raises(BusyError, match="an export, or another pull, is running on"),
    ):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "busy", silent)
    with pytest.raises(RunError, match=r"the bucket no-bucket at .* does not exist"):
        pull(store.url("no-bucket/graph"), tmp_path / "in", silent)


def test_latest_that_leads_astray(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """A name that is no export's is not followed."""
    store.write(
        f"{store.bucket}/graph/latest.json",
        b'{"format": 1, "export": "../other/20261123T031500Z", "sha256sums": "", "snapshot_at": "", "pushed_at": ""}',
    )
    with pytest.raises(UsageError, match=r"latest\.json in .* is damaged"):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)


def test_other_tools_see_a_plain_export(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """What any client of S3 copies is an export that checks itself."""
    target = tmp_path / "copied"
    for name in store.objects(f"{store.bucket}/graph/{STAMP}"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(store.read(f"{store.bucket}/graph/{STAMP}/{name}"))
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=target, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_full_disk_keeps_nothing(
    store: ObjectStore, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too little space is said before anything comes."""
    from exporter.published import fetching

    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with pytest.raises(RunError, match=r"/in has 100 bytes free, and [0-9.]+ kB are to come: make room"):
        pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    assert not [asked for asked in store.asked if "nodes" in asked.path]

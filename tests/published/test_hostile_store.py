"""What is not a store, a store that is not what it was, and a directory that somebody prepared."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from exporter.errors import DifferenceError, UsageError
from exporter.published import storage as storage_module
from exporter.published import transfers
from exporter.published.pull import pull
from exporter.published.push import push
from exporter.published.storage_errors import StorageError
from exporter.sink.layout import PULLING
from exporter.sink.publish import partial_export
from exporter.storage_url import StorageUrl
from tests.published.test_push import STAMP, files, in_prefix, silent
from tests.support import tiny_export
from tests.support.object_store import Asked, ObjectStore

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / STAMP)


def hidden(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock")


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[StorageUrl]:
    """The URL of a prefix at what does one thing with every connection, while the block runs."""
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            kept.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        yield StorageUrl("s3", "bucket", "graph", {"endpoint_override": f"127.0.0.1:{port}", "scheme": "http"})
        listener.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


def change(store: ObjectStore, content: bytes | None) -> None:
    """Changes or removes verify.sh in the bucket. Not by pyarrow, whose threads wait for what this process answers."""
    bucket, name = s3_backends[DEFAULT_ACCOUNT_ID]["aws"], f"graph/{STAMP}/verify.sh"
    if content is None:
        bucket.delete_object(store.bucket, name)
    else:
        bucket.put_object(store.bucket, name, content)


def says(text: bytes) -> Callable[[socket.socket], None]:
    """Says the same to everything, and hangs up."""

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 " + text + b"\r\nConnection: close\r\n\r\n")

    return answer


def test_what_says_yes_to_everything_is_no_store(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """Such as the page of a network that wants a login: nothing was pushed there, and nothing is said to be."""
    archive = tmp_path / f"{STAMP}.tar.zst"
    archive.write_bytes(b"packed")
    with server(says(b"200 OK\r\nContent-Length: 0")) as url:
        with pytest.raises(StorageError, match=r"has not kept 22 objects that it took, such as counts\.tsv: check the"):
            push(export, url, silent)
        with pytest.raises(StorageError, match=rf"has not kept 1 object that it took, such as {archive.name}: check"):
            push(archive, url, silent)
        with pytest.raises(UsageError, match=r"no export was pushed there: check the URL$"):
            pull(url, tmp_path / "in", silent)


def test_a_store_that_loses_an_object(store: ObjectStore, export: Path) -> None:
    """It is noticed before SHA256SUMS would make it a whole export; the next push sends what is missing."""

    def lose(asked: Asked) -> tuple[str, str] | None:
        if asked.writes and asked.path.endswith("/manifest.json"):
            change(store, None)
        return None

    with (
        store.failing(lose),
        pytest.raises(StorageError, match=r"has not kept 1 object that it took, such as verify\.sh"),
    ):
        push(export, store.url(f"{store.bucket}/graph"), silent)
    assert in_prefix(store).keys() == files(export).keys() - {f"{STAMP}/verify.sh", f"{STAMP}/SHA256SUMS"}
    assert push(export, store.url(f"{store.bucket}/graph"), silent).sent == 2
    assert in_prefix(store) == files(export)


def test_a_listing_of_something_else(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """As by a redirection to another bucket's root, say: it is a sentence."""
    store.write(f"{store.bucket}/other", b"")
    location = f"http://127.0.0.1:{store.port}/{store.bucket}"
    with server(says(f"307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: {location}".encode())) as url:
        elsewhere = StorageUrl(url.scheme, store.bucket, url.prefix, url.options)
        with pytest.raises(StorageError, match=r"does not answer as an object store: check the URL, endpoint_override"):
            push(export, elsewhere, silent)
        with pytest.raises(StorageError, match=r"does not answer as an object store: check the URL, endpoint_override"):
            pull(elsewhere.below(STAMP), tmp_path / "in", silent)


def test_a_store_that_is_silent(export: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts, and says nothing: one attempt, which is three requests of pyarrow's, is enough."""
    monkeypatch.setattr(transfers, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(storage_module, "SILENT_SECONDS", 0.5)
    accepted: list[socket.socket] = []
    with (
        server(accepted.append) as url,
        pytest.raises(StorageError, match=r"cannot be reached \(it does not answer\): check the network$"),
    ):
        push(export, url, silent)
    assert 1 <= len(accepted) <= 3


def drips(connection: socket.socket) -> None:
    """A byte now and then, which no timeout notices."""
    with connection, suppress(OSError):
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.1)


def test_a_store_that_drips(export: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer has a limit of its own."""
    monkeypatch.setattr(transfers, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(transfers, "GRACE_SECONDS", 0.1)
    with server(drips) as url, pytest.raises(StorageError, match=r"has not answered within 1 s: check the network$"):
        push(export, url, silent)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "408 Request Timeout"])
def test_a_store_that_is_asked_too_often(store: ObjectStore, export: Path, status: str) -> None:
    """It is asked again."""
    with store.failing(lambda asked: (status, "TooManyRequests") if asked.number % 3 == 0 else None):
        push(export, store.url(f"{store.bucket}/graph"), silent)
    assert in_prefix(store) == files(export)


def test_a_proxy(store: ObjectStore, export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one without a scheme, as curl takes it; what is none is said, and not repeated."""
    url = store.url(f"{store.bucket}/graph")
    elsewhere = StorageUrl(url.scheme, url.bucket, url.prefix, {**url.options, "endpoint_override": "192.0.2.1:9"})
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{store.port}")
    assert push(export, elsewhere, silent).sent == len(files(export))
    assert in_prefix(store) == files(export)
    monkeypatch.setenv("http_proxy", "socks://user:canary@proxy 1")
    with pytest.raises(UsageError, match=r"^http_proxy in the environment is not the URL of a proxy") as refused:
        push(export, elsewhere, silent)
    assert "canary" not in str(refused.value)


def test_the_reason_of_a_refusal(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """A look at one object has none; a list has."""
    for name in ("", f"/{STAMP}.tar.zst"):
        with (
            store.failing(lambda asked: ("403 Forbidden", "RequestTimeTooSkewed")),
            pytest.raises(StorageError, match=r"refuses requests of this machine's clock: set the clock$"),
        ):
            pull(store.url(f"{store.bucket}/graph{name}"), tmp_path / "in", silent)


@pytest.mark.parametrize(
    "prefix",
    [STAMP, f"graph/{STAMP}", f"{STAMP}/graph", f"{STAMP}.tar.zst", "latest", "graph/latest-copy", "graph/latest.json"],
)
def test_a_prefix_that_pull_would_take_for_an_export(store: ObjectStore, export: Path, prefix: str) -> None:
    """As of somebody who names the target of a copy: nothing is asked of the store."""
    with pytest.raises(UsageError, match="has the name of an export in it: name the prefix that"):
        push(export, store.url(f"{store.bucket}/{prefix}"), silent)
    assert store.asked == []


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"format": 2}', b"[" * 100_000, b" " * (2 << 20)])
def test_what_leads_to_an_export_is_damaged(store: ObjectStore, export: Path, tmp_path: Path, content: bytes) -> None:
    """It is said, with what is there; the next push writes it anew."""
    url = store.url(f"{store.bucket}/graph")
    push(export, url, silent)
    store.write(f"{store.bucket}/graph/latest.json", content)
    with pytest.raises(UsageError, match=rf"^latest\.json in .* is damaged, or of a newer version; .*: {STAMP}$"):
        pull(url, tmp_path / "in", silent)
    assert push(export, url, silent).latest == "latest.json"
    assert json.loads(store.read(f"{store.bucket}/graph/latest.json"))["export"] == STAMP


def test_an_object_that_changes_while_it_is_pulled(store: ObjectStore, export: Path, tmp_path: Path) -> None:
    """Or vanishes: nothing is there."""
    url, victim = store.url(f"{store.bucket}/graph"), f"/{store.bucket}/graph/{STAMP}/verify.sh"

    def pulled_while(content: bytes | None, sentence: str) -> None:
        push(export, url, silent)
        done: list[Asked] = []

        def disturb(asked: Asked) -> tuple[str, str] | None:
            if asked.path == victim and asked.method in ("GET", "HEAD") and not done:
                done.append(asked)
                change(store, content)
            return None

        with store.failing(disturb), pytest.raises(DifferenceError, match=sentence):
            pull(url, tmp_path / "in", silent)
        assert (bool(done), hidden(tmp_path / "in")) == (True, [])

    size = (export / "verify.sh").stat().st_size
    pulled_while(None, r"is not whole, so nothing was pulled: verify\.sh: missing")
    pulled_while(b"x" * size, r"verify\.sh: changed, it is not what its checksum says")
    pulled_while(b"x" * 9_000_000, r"verify\.sh: changed, it is not what its checksum says")


def as_pipe(partial: Path, export: Path) -> None:
    os.mkfifo(partial)


def as_directory_for_a_file(partial: Path, export: Path) -> None:
    (partial / "counts.tsv").mkdir(parents=True)
    (partial / "counts.tsv" / "x").touch()


def as_file_for_a_directory(partial: Path, export: Path) -> None:
    partial.mkdir()
    (partial / "nodes").touch()


def as_directory_for_everybody(partial: Path, export: Path) -> None:
    partial.mkdir()
    (partial / "counts.tsv").write_bytes((export / "counts.tsv").read_bytes())
    (partial / "counts.tsv").chmod(0o666)
    partial.chmod(0o777)


def as_readable_directory(partial: Path, export: Path) -> None:
    (partial / "empty").mkdir(parents=True)
    (partial / "headers").mkdir(mode=0o750)
    (partial / "counts.tsv").write_bytes((export / "counts.tsv").read_bytes())
    (partial / "counts.tsv").chmod(0o640)
    partial.chmod(0o750)


@pytest.mark.parametrize(
    ("prepare", "come"),
    [
        (as_pipe, 0),
        (as_directory_for_a_file, 0),
        (as_file_for_a_directory, 0),
        (as_directory_for_everybody, 0),
        (as_readable_directory, 1),
    ],
)
def test_what_an_earlier_pull_cannot_have_left(
    store: ObjectStore, export: Path, tmp_path: Path, prepare: Callable[[Path, Path], None], come: int
) -> None:
    """It is removed, and nothing waits for it. What is kept, as of a pull for a group, is private again."""
    push(export, store.url(f"{store.bucket}/graph"), silent)
    partial = tmp_path / "in" / f"{PULLING}{STAMP}"
    partial.parent.mkdir()
    prepare(partial, export)
    if partial.is_dir():
        (partial / "SHA256SUMS").write_bytes((export / "SHA256SUMS").read_bytes())
    pulled = pull(store.url(f"{store.bucket}/graph"), tmp_path / "in", silent)
    assert (files(pulled.path), hidden(tmp_path / "in")) == (files(export), [STAMP])
    assert pulled.files - pulled.fetched == come
    paths = [pulled.path, *pulled.path.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert not (pulled.path / "empty").exists()


def test_a_pipe_that_looks_like_an_unfinished_export(tmp_path: Path) -> None:
    """The next export removes it, and does not wait for its writer."""
    os.mkfifo(tmp_path / ".partial-20261123T031500Z")
    with partial_export(tmp_path) as partial:
        assert hidden(tmp_path) == [partial.directory.name]


def test_no_export_goes_into_an_export(store: ObjectStore, export: Path) -> None:
    """Neither a pull nor a new export: it would no longer be whole."""
    push(export, store.url(f"{store.bucket}/graph"), silent)
    with pytest.raises(UsageError, match=f"{STAMP} is an export itself; choose another directory"):
        pull(store.url(f"{store.bucket}/graph"), export, silent)
    with (
        pytest.raises(UsageError, match=f"{STAMP} is an export itself; choose another --output"),
        partial_export(export),
    ):
        pass
    assert push(export, store.url(f"{store.bucket}/graph"), silent).sent == 0

"""An archive holds an export byte for byte, plain or encrypted, and is nothing at all where writing it fails."""

import errno
import io
import os
import resource
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
import pytest
import zstandard
from pyrage import x25519

from exporter.errors import Interrupted, Stop, UsageError
from exporter.sink.archive import pack
from tests.support import tiny_export

STAMP = "20261123T031500Z"
OWNER, SPARE, STRANGER = (x25519.Identity.generate() for _ in range(3))
RECIPIENTS = [[], [str(OWNER.to_public()), str(SPARE.to_public())]]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export whose partial directory has another name, and files that others may read."""
    export = tiny_export.write(tmp_path / f".partial-{STAMP}")
    (export / "manifest.json").chmod(0o644)
    (export / "rejects/empty").mkdir()
    (export / "nodes/large.csv").write_bytes(os.urandom(3 << 20))
    return export


def entries(archive: bytes) -> dict[str, tuple[int, int, str, bytes]]:
    """Path -> mode, owner, owner's name and content of what tar and zstd have packed; a directory's content is none."""
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(archive)).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as packed:
        return {
            entry.name: (
                entry.mode,
                entry.uid,
                entry.uname,
                file.read() if (file := packed.extractfile(entry)) else b"",
            )
            for entry in packed
        }


def expected(export: Path) -> dict[str, tuple[int, int, str, bytes]]:
    """The same of an export, below one directory of its name; everything is its owner's alone."""
    return {
        (STAMP / path.relative_to(export)).as_posix(): (
            (0o700, 0, "", b"") if path.is_dir() else (0o600, 0, "", path.read_bytes())
        )
        for path in [export, *export.rglob("*")]
    }


def test_a_plain_archive(export: Path, tmp_path: Path) -> None:
    """Its owner's alone, sorted, and progress is told."""
    archive, calls = tmp_path / "a.tar.zst", []
    pack(export, archive, top=STAMP, on_progress=lambda: calls.append(1))
    found = entries(archive.read_bytes())
    assert found == expected(export)
    assert (list(found), len(calls)) == (sorted(found, key=lambda path: path.split("/")), len(found))
    assert archive.stat().st_mode & 0o777 == 0o600


def test_an_encrypted_archive(export: Path, tmp_path: Path) -> None:
    """Each recipient can open it, nobody else; and nothing of it is to be seen."""
    archive = tmp_path / "a.tar.zst.age"
    pack(export, archive, top=STAMP, recipients=RECIPIENTS[1])
    content = archive.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n") and STAMP.encode() not in content
    for owner in (OWNER, SPARE):
        assert entries(pyrage.decrypt(content, [owner])) == expected(export)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(content, [STRANGER])
    assert archive.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("recipients", RECIPIENTS)
def test_a_flipped_byte_is_found(export: Path, tmp_path: Path, recipients: list[str]) -> None:
    """When it is unpacked."""
    pack(export, archive := tmp_path / "a", top=STAMP, recipients=recipients)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    with pytest.raises((zstandard.ZstdError, pyrage.DecryptError)):
        entries(pyrage.decrypt(bytes(content), [OWNER]) if recipients else bytes(content))


@pytest.mark.parametrize("recipients", RECIPIENTS)
def test_a_disk_that_takes_no_more(export: Path, tmp_path: Path, recipients: list[str]) -> None:
    """The system's own error comes through the encryption, too."""
    with largest_file(1 << 20), pytest.raises(OSError) as refused:
        pack(export, tmp_path / "a", top=STAMP, recipients=recipients)
    assert refused.value.errno == errno.EFBIG


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow larger meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("recipients", RECIPIENTS)
def test_an_interrupt(export: Path, tmp_path: Path, recipients: list[str]) -> None:
    """A signal that comes while it packs is no error of the encryption's."""

    def stop() -> None:
        raise Stop(Interrupted("stopped by SIGTERM"))

    with pytest.raises(Stop, match="stopped by SIGTERM"):
        pack(export, tmp_path / "a", top=STAMP, recipients=recipients, on_progress=stop)


def test_what_is_no_public_key(export: Path, tmp_path: Path) -> None:
    """It is not repeated, and nothing is written."""
    for text in ("", "age1", str(OWNER), "ssh-ed25519 AAAA"):
        with pytest.raises(UsageError) as refused:
            pack(export, tmp_path / "a", top=STAMP, recipients=[RECIPIENTS[1][0], text])
        assert str(refused.value) == "encrypt_to: must be age public keys (age1…), with commas between them"
    assert not (tmp_path / "a").exists()


def test_no_file_is_written_over(export: Path, tmp_path: Path) -> None:
    """Nor through a link."""
    (tmp_path / "a").symlink_to(tmp_path / "b")
    with pytest.raises(FileExistsError):
        pack(export, tmp_path / "a", top=STAMP)

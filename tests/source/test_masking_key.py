"""The key of a masked copy: its file, what is derived from it, and that it shows nowhere."""

import hashlib
import hmac
import os
import re
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.source.masking_key import RedactionKey, drawn_key, read_key, write_key_file

SECRET = bytes(range(32))


def key_file(path: Path, content: str, mode: int = 0o600) -> Path:
    """A file of this content."""
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \n"])
def test_a_key_is_read(tmp_path: Path, end: str) -> None:
    """In digits of either case, whatever white space ends it."""
    assert read_key(key_file(tmp_path / "key", SECRET.hex() + end)) == RedactionKey(SECRET)
    assert read_key(key_file(tmp_path / "key", SECRET.hex().upper() + end, 0o400)) == RedactionKey(SECRET)


@pytest.mark.parametrize(
    "content", ["", SECRET.hex()[:-1], SECRET.hex() + "0", SECRET.hex() * 3, "g" * 64, "१" * 64, " " + SECRET.hex()]
)
def test_what_is_no_key(tmp_path: Path, content: str) -> None:
    """Nothing of it is told."""
    path = key_file(tmp_path / "key", content)
    sentence = f"the redaction key {path} is not 64 hexadecimal digits; .* redact-key FILE makes one"
    with pytest.raises(UsageError, match=f"^{sentence}$"):
        read_key(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_can_use(tmp_path: Path, mode: int) -> None:
    """Is refused."""
    path = key_file(tmp_path / "key", SECRET.hex(), mode)
    with pytest.raises(UsageError, match=rf"^the redaction key {path} can be used by others; chmod 600 it, and make a"):
        read_key(path)


@pytest.mark.timeout(10)
def test_what_is_no_file(tmp_path: Path) -> None:
    """A directory, a pipe that nobody writes to, nothing."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, sentence in (("pipe", "is not a regular file"), ("", "cannot be read: Is a directory"),
                           ("none", "cannot be read: No such file or directory")):  # fmt: skip
        with pytest.raises(UsageError, match=f"^the redaction key {tmp_path / name} {sentence}$"):
            read_key(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_key_of_another_user(tmp_path: Path) -> None:
    """Is refused, though root could read it."""
    path = key_file(tmp_path / "key", SECRET.hex())
    os.chown(path, 65534, 65534)
    with pytest.raises(UsageError, match=r"belongs to another user$"):
        read_key(path)


def test_a_new_key(tmp_path: Path) -> None:
    """Another each time, readable by the user alone whatever the umask; an existing file is left alone."""
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        key = write_key_file(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == key
    with pytest.raises(UsageError, match="exists, and a key is never overwritten"):
        write_key_file(path)
    assert read_key(path) == key
    assert write_key_file(tmp_path / "other") != key
    with pytest.raises(UsageError, match=r"^cannot write .*/none/key: No such file or directory$"):
        write_key_file(tmp_path / "none" / "key")


def test_what_is_derived() -> None:
    """The id and the blocks are HMAC's own, and each domain has others."""
    key = RedactionKey(SECRET)
    assert key.id == hmac.new(SECRET, b"key id", hashlib.sha256).hexdigest()[:16]
    settings = key.settings()
    assert [name for name in settings if name.endswith("_i")] == [
        f"exporter.{domain}_i" for domain in ("phone", "code", "device", "ip", "session", "document")
    ]
    assert len(set(settings.values())) == len(settings) == 12
    for domain in ("phone", "session"):
        of_domain = hmac.new(SECRET, f"astrokiran-graph-exporter/1/{domain}".encode(), hashlib.sha256).digest()
        inner, outer = (bytes.fromhex(settings[f"exporter.{domain}_{half}"]) for half in "io")
        made = hashlib.sha256(outer + hashlib.sha256(inner + b"+91").digest()).digest()
        assert made == hmac.new(of_domain, b"+91", hashlib.sha256).digest()
    # What a startup packet can hold: all settings, as `options=` has them, take less than a third of it.
    assert sum(len(f"-c {name}={value} ") for name, value in settings.items()) < 3_000


def test_a_drawn_key() -> None:
    """It is another each time, and has no id by which exports could be told to agree."""
    assert drawn_key() != drawn_key()
    assert drawn_key().id == "once"


def test_nothing_shows_a_key() -> None:
    """Not in a traceback or a log, by accident."""
    assert repr(RedactionKey(SECRET)) == "RedactionKey(…)"
    assert not re.search("[0-9a-f]{8}", str(RedactionKey(SECRET)))

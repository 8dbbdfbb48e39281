"""Files as they are written: new, their owner's alone, recorded, whole or not at all."""

import hashlib
from pathlib import Path

import pytest

from exporter.sink.files import FileRecord, Flusher, write_file, write_private

NAME = Path("nodes", "Skill", "part-0001.csv")


def modes(root: Path) -> dict[str, int]:
    """The permissions of all that is below a directory."""
    return {path.relative_to(root).as_posix(): path.stat().st_mode & 0o777 for path in root.rglob("*")}


@pytest.mark.parametrize("content", [b"", b'1,"a"\n', "é\n".encode()])
def test_a_file_and_its_record(tmp_path: Path, content: bytes) -> None:
    """The record holds the path below the root, the rows told, and the size and digest of the content."""
    record = write_file(tmp_path, NAME, content, 7)
    assert record == FileRecord("nodes/Skill/part-0001.csv", 7, len(content), hashlib.sha256(content).hexdigest())
    assert (tmp_path / NAME).read_bytes() == content


def test_a_view_of_memory(tmp_path: Path) -> None:
    """It is written and recorded like the bytes it shows."""
    record = write_file(tmp_path, Path("view"), memoryview(b"abc"))
    assert (record.bytes, record.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
    assert (tmp_path / "view").read_bytes() == b"abc"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """0600 in directories of 0700: the data is personal."""
    write_file(tmp_path, NAME, b"")
    write_file(tmp_path, NAME.with_name("part-0002.csv"), b"")
    assert modes(tmp_path) == {
        "nodes": 0o700,
        "nodes/Skill": 0o700,
        "nodes/Skill/part-0001.csv": 0o600,
        "nodes/Skill/part-0002.csv": 0o600,
    }


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there already is an error, and stays."""
    write_file(tmp_path, NAME, b"first")
    with pytest.raises(FileExistsError):
        write_file(tmp_path, NAME, b"second")
    assert (tmp_path / NAME).read_bytes() == b"first"


@pytest.mark.parametrize("target", ["elsewhere", "nothing"])
def test_no_link_is_followed(tmp_path: Path, target: str) -> None:
    """A link under the file's name is an error, whether it leads somewhere or not."""
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / "link.csv").symlink_to(tmp_path / target)
    with pytest.raises(FileExistsError):
        write_file(tmp_path, Path("link.csv"), b"data")
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "link.csv"}
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"


def test_files_on_the_disk(tmp_path: Path) -> None:
    """They are all there when it is finished; one that cannot be brought there is an error, not silence."""
    flusher = Flusher(tmp_path)
    record = write_file(tmp_path, NAME, b"1\n")
    flusher.add([record])
    flusher.finish()
    (tmp_path / NAME).unlink()
    flusher.add([record])
    with pytest.raises(FileNotFoundError):
        flusher.finish()
    flusher.cancel()


def test_a_private_file(tmp_path: Path) -> None:
    """It is 0600, replaces what was there, and what an interrupted writing left is no hindrance."""
    path = tmp_path / "settings"
    path.write_bytes(b"before")
    path.chmod(0o644)
    (tmp_path / ".settings.partial").write_bytes(b"half")
    write_private(path, b"after")
    assert (path.read_bytes(), modes(tmp_path)) == (b"after", {"settings": 0o600})


def test_a_private_file_that_cannot_be_written(tmp_path: Path) -> None:
    """What was there stays as it was, and nothing else does."""
    (tmp_path / "settings" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "settings", b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["settings"]

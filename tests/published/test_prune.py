"""Old exports are removed, and nothing else."""

from pathlib import Path

import pytest

from exporter.errors import BusyError, UsageError
from exporter.published.history import directories, exports
from exporter.published.prune import Removal, outdated, prune
from exporter.sink.publish import locked
from tests.support import tiny_export
from tests.support.published_exports import STAMPS, names, write_output


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_output(tmp_path)


def removed(removals: list[Removal]) -> list[str]:
    return names([removal.path for removal in removals])


def test_what_would_be_removed(output: Path) -> None:
    """The same, with the bytes of its files, and nothing happens to it; not even the lock is taken."""
    (output / f"{STAMPS[0]}.tar.zst").write_bytes(b"archive")
    (output / "rejected-20261120T120000Z" / "part-0001.csv").write_bytes(b"four")
    before = sorted(output.rglob("*"))
    found = outdated(output, 1)
    sizes = [sum(file.stat().st_size for file in (output / s).rglob("*") if file.is_file()) for s in STAMPS[:2]]
    assert found == [
        Removal(output / f"{STAMPS[0]}.tar.zst", 7), Removal(output / STAMPS[0], sizes[0]),
        Removal(output / STAMPS[1], sizes[1]), Removal(output / "rejected-20261120T120000Z", 4),
    ]  # fmt: skip
    assert sorted(output.rglob("*")) == before
    assert prune(output, 1) == found


def test_old_exports_are_removed(output: Path) -> None:
    """But the latest one; of the rejects, those older than what stays. A second time there is nothing to do."""
    assert removed(prune(output, 1)) == [*STAMPS[:2], "rejected-20261120T120000Z"]
    assert names(directories(output)) == STAMPS[2:]
    assert (output / "latest" / "manifest.json").is_file()
    assert sorted(names([*output.iterdir()])) == sorted([
        ".lock", ".partial-20261119T031500Z", "20261118T031500Z", "20261119", *STAMPS[2:], "latest",
        "rejected-20261124T031500Z",
    ])  # fmt: skip
    assert prune(output, 1) == []


def test_archives_go_with_their_exports(output: Path) -> None:
    """One whose export is not there any more is somebody else's, and stays."""
    for name in (
        f"{STAMPS[0]}.tar.zst",
        f"{STAMPS[1]}.tar.zst.age",
        f"{STAMPS[3]}.tar.zst",
        "20250101T000000Z.tar.zst",
    ):
        (output / name).write_bytes(b"archive")
    assert [run.archive and run.archive.name for run in exports(output)] == [
        f"{STAMPS[0]}.tar.zst", f"{STAMPS[1]}.tar.zst.age", None, f"{STAMPS[3]}.tar.zst",
    ]  # fmt: skip
    assert removed(prune(output, 1))[:4] == [f"{STAMPS[0]}.tar.zst", STAMPS[0], f"{STAMPS[1]}.tar.zst.age", STAMPS[1]]
    assert sorted(path.name for path in output.glob("*.tar.zst*")) == [
        "20250101T000000Z.tar.zst", f"{STAMPS[3]}.tar.zst",
    ]  # fmt: skip
    assert list(output.glob(".partial-*Z.tar*")) == []


def test_a_latest_that_was_moved_stays(output: Path, tmp_path: Path) -> None:
    """To another disk, with a link in its place."""
    moved = tmp_path.with_name(f"{tmp_path.name}-disk")
    moved.mkdir()
    (output / STAMPS[0]).rename(moved / STAMPS[0])
    (output / STAMPS[0]).symlink_to(moved / STAMPS[0])
    (output / "latest").unlink()
    (output / "latest").symlink_to(STAMPS[0])
    assert removed(prune(output, 1)) == [*STAMPS[1:3]]
    assert (output / "latest" / "manifest.json").is_file()


def test_what_is_needed_stays(output: Path) -> None:
    """However old it is; a name that is not there is none."""
    assert removed(prune(output, 1, [STAMPS[0], "20200101T000000Z"])) == [STAMPS[1]]
    assert names(directories(output)) == [STAMPS[0], *STAMPS[2:]]


def test_more_are_kept_than_there_are(output: Path) -> None:
    """Then nothing is removed but rejects that are older than all."""
    (output / "rejected-20261101T000000Z").mkdir()
    assert removed(prune(output, 9)) == ["rejected-20261101T000000Z"]


def test_not_beside_a_running_export(output: Path) -> None:
    """It may be about to publish."""
    with locked(output), pytest.raises(BusyError, match="another export is running"):
        prune(output, 1)
    assert names(directories(output)) == STAMPS


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """It is not made for the lock's sake."""
    with pytest.raises(UsageError, match=r"cannot read .*no: No such file or directory; name another with --output"):
        prune(tmp_path / "no", 1)
    assert not any(tmp_path.iterdir())


def test_copies_are_counted_apart(output: Path) -> None:
    """However many copies there are, as many faithful exports stay as were asked for; and the latest copy does."""
    copies = [f"2026112{day}T120000Z" for day in range(4, 8)]
    for stamp in copies:
        tiny_export.make_copy(tiny_export.write(output / stamp))
    (output / "latest-copy").symlink_to(copies[0])
    assert removed(prune(output, 2)) == [*STAMPS[:2], copies[1], "rejected-20261120T120000Z"]
    assert names(directories(output)) == [*STAMPS[2:], copies[0], *copies[2:]]


def test_an_export_with_a_damaged_manifest(output: Path) -> None:
    """It counts as a faithful one, as it may be."""
    (output / STAMPS[3] / "manifest.json").write_text("{")
    assert removed(prune(output, 1)) == [*STAMPS[:2], "rejected-20261120T120000Z"]

"""The exports of an output directory: what is listed, compared and removed."""

import json
from pathlib import Path

import pytest

from exporter.errors import BusyError, UsageError
from exporter.published.history import Change, changes, directories, exports, find, prune
from exporter.sink.publish import locked
from tests.support import tiny_export

STAMPS = [f"202611{day}T031500Z" for day in (20, 21, 22, 23)]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Four exports, the last but one of them `latest`, and what else may lie there."""
    for stamp in STAMPS:
        tiny_export.write(tmp_path / stamp)
    (tmp_path / "latest").symlink_to(STAMPS[2])
    for name in (".partial-20261119T031500Z", "rejected-20261120T120000Z", "rejected-20261124T031500Z", "20261119"):
        (tmp_path / name).mkdir()
    (tmp_path / "20261118T031500Z").write_text("no directory")
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_the_exports(output: Path) -> None:
    """Whole ones alone, oldest first; one with a damaged manifest is listed without it."""
    (output / STAMPS[1] / "manifest.json").write_text("{")
    assert names(directories(output)) == STAMPS
    assert [run.manifest is not None for run in exports(output)] == [True, False, True, True]


def test_what_changed(output: Path) -> None:
    """Every label and pattern with both numbers; one that only the earlier export has comes last."""
    manifest = tiny_export.manifest(output / STAMPS[3])
    gone = next(each for each in reversed(manifest["nodes"]) if each["rows"])
    manifest["nodes"].remove(gone)
    manifest["nodes"][0] |= {"rows": 7, "rejects": {"null_id": 2, "duplicate_id": 1}}
    (output / STAMPS[3] / "manifest.json").write_text(json.dumps(manifest))
    before = find(output, "latest")
    found = changes(before, find(output, str(output / STAMPS[3])))
    first, last = before.nodes[0], next(each for each in before.nodes if each.name == gone["label"])
    assert found[0] == Change(first.label, first.rows, 7, sum(first.rejects.values()), 3)
    assert found[-1] == Change(gone["label"], last.rows, 0, sum(last.rejects.values()), 0)
    assert [each.name for each in found if each.changed] == [first.label, gone["label"]]


def test_an_export_that_is_not_there(output: Path) -> None:
    """What was asked for, and how to see what there is."""
    with pytest.raises(UsageError, match=r"there is no export 2026 in .*; `exporter runs` lists them"):
        find(output, "2026")


def test_old_exports_are_removed(output: Path) -> None:
    """But the latest one; of the rejects, those older than what stays. A second time there is nothing to do."""
    assert names(prune(output, 1)) == [*STAMPS[:2], "rejected-20261120T120000Z"]
    assert names(directories(output)) == STAMPS[2:]
    assert (output / "latest" / "manifest.json").is_file()
    assert sorted(names([*output.iterdir()])) == sorted([
        ".lock", ".partial-20261119T031500Z", "20261118T031500Z", "20261119", *STAMPS[2:], "latest",
        "rejected-20261124T031500Z",
    ])  # fmt: skip
    assert prune(output, 1) == []


def test_archives_go_with_their_exports(output: Path) -> None:
    """One whose export is not there any more is somebody's, and stays."""
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
    assert names(prune(output, 1))[:4] == [f"{STAMPS[0]}.tar.zst", STAMPS[0], f"{STAMPS[1]}.tar.zst.age", STAMPS[1]]
    assert sorted(path.name for path in output.glob("*.tar.zst*")) == [
        "20250101T000000Z.tar.zst", f"{STAMPS[3]}.tar.zst",
    ]  # fmt: skip
    assert list(output.glob(".partial-*Z.tar*")) == []


def test_what_is_needed_stays(output: Path) -> None:
    """However old it is; a name that is not there is none."""
    assert names(prune(output, 1, [STAMPS[0], "20200101T000000Z"])) == [STAMPS[1]]
    assert names(directories(output)) == [STAMPS[0], *STAMPS[2:]]


def test_more_are_kept_than_there_are(output: Path) -> None:
    """Then nothing is removed but rejects that are older than all."""
    (output / "rejected-20261101T000000Z").mkdir()
    assert names(prune(output, 9)) == ["rejected-20261101T000000Z"]


def test_not_beside_a_running_export(output: Path) -> None:
    """It may be about to publish."""
    with locked(output), pytest.raises(BusyError, match="another export is running"):
        prune(output, 1)
    assert names(directories(output)) == STAMPS


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """It is not made, neither for a list nor for the lock."""
    for attempt in (lambda: exports(tmp_path / "no"), lambda: prune(tmp_path / "no", 1)):
        with pytest.raises(
            UsageError, match=r"cannot read .*no: No such file or directory; name another with --output"
        ):
            attempt()
    assert not any(tmp_path.iterdir())

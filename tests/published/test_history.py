"""The exports of an output directory: what is listed, and what is found by its name."""

from pathlib import Path

import pytest

from exporter.errors import DifferenceError, UsageError
from exporter.published.history import directories, exports, find, recent
from tests.support import tiny_export
from tests.support.published_exports import STAMPS, names, write_output


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_output(tmp_path)


def test_the_exports(output: Path) -> None:
    """Whole ones alone, oldest first; one with a damaged manifest is listed without it."""
    (output / STAMPS[1] / "manifest.json").write_text("{")
    assert names(directories(output)) == STAMPS
    assert [run.manifest is not None for run in exports(output)] == [True, False, True, True]
    assert [run.fault for run in exports(output)] == ["", "manifest.json is not JSON", "", ""]


def test_recent_exports_of_a_database(output: Path) -> None:
    """The newest whose manifests can be read, oldest first; those of another database are none of them."""
    manifest = tiny_export.manifest(output / STAMPS[0])
    manifest["source"]["database"] = "other"
    tiny_export.write_manifest(output / STAMPS[0], manifest)
    (output / STAMPS[3] / "manifest.json").unlink()
    assert [names([run.directory for run in recent(output, "tiny", most)]) for most in (1, 2, 3)] == [
        STAMPS[2:3], STAMPS[1:3], STAMPS[1:3],
    ]  # fmt: skip


def test_an_export_is_found_by_its_name(output: Path, tmp_path: Path) -> None:
    """In the output directory, `latest` too, or by its path; a damaged one is a difference."""
    for name in (STAMPS[0], "latest", str(output / STAMPS[3])):
        assert find(output, name).source.database == "tiny"
    (output / STAMPS[1] / "manifest.json").write_text("{")
    with pytest.raises(DifferenceError, match=r"manifest\.json is not JSON"):
        find(output, STAMPS[1])


def test_an_export_that_is_not_there(output: Path) -> None:
    """What was asked for, and how to see what there is."""
    with pytest.raises(UsageError, match=r"there is no export 2026 in .*; `exporter runs` lists them"):
        find(output, "2026")


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """The message says which, and what to do."""
    with pytest.raises(UsageError, match=r"cannot read .*no: No such file or directory; name another with --output"):
        exports(tmp_path / "no")

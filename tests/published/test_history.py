"""The exports of an output directory: what is listed, and what is found by its name."""

from dataclasses import replace
from pathlib import Path

import pytest

from exporter.errors import DifferenceError, UsageError
from exporter.published.extent import extent_of
from exporter.published.history import (
    comparable,
    directories,
    exports,
    find,
    find_directory,
    kept_rejects,
    latest,
    recent,
    same_source,
)
from exporter.published.rejects import find_rejects
from exporter.published.verify import verify_files
from exporter.sink.manifest import read_manifest
from tests.support import tiny_export
from tests.support.manifests import WINDOW
from tests.support.published_exports import STAMPS, names, write_output


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write_output(tmp_path)


def test_the_exports(output: Path) -> None:
    """Whole ones alone, oldest first; one with a damaged manifest is listed without it."""
    (output / STAMPS[1] / "manifest.json").write_text("{")
    (output / "20261399T031500Z").mkdir()  # no date
    assert names(directories(output)) == STAMPS
    assert [run.manifest is not None for run in exports(output)] == [True, False, True, True]
    assert [run.fault for run in exports(output)] == ["", "manifest.json is not JSON", "", ""]


IDENTITY, MODEL = "postgresql:7301234567890123456/tiny", "0" * 64


def test_recent_exports_of_a_source(output: Path) -> None:
    """The newest whose manifests can be read, oldest first; those of a database of the same name on another server are
    none of them. An unknown source has none, not even those that do not say theirs."""
    tiny_export.change_source(output / STAMPS[0], "postgresql:7309999999999999999/tiny")
    (output / STAMPS[3] / "manifest.json").unlink()
    assert [names([run.directory for run in recent(output, IDENTITY, MODEL, most)]) for most in (1, 2, 3)] == [
        STAMPS[2:3], STAMPS[1:3], STAMPS[1:3],
    ]  # fmt: skip
    tiny_export.change_source(output / STAMPS[1], None)
    assert names([run.directory for run in recent(output, IDENTITY, MODEL, 3)]) == STAMPS[2:3]
    assert recent(output, None, MODEL, 3) == recent(output, IDENTITY, "1" * 64, 3) == []


def test_exports_of_one_source(output: Path) -> None:
    """By what their manifests say; two that say nothing may be of any."""
    one, other = (read_manifest(output / stamp) for stamp in STAMPS[:2])
    assert same_source(one, other)
    tiny_export.change_source(output / STAMPS[0], None)
    tiny_export.change_source(output / STAMPS[1], None)
    one, other, known = (read_manifest(output / stamp) for stamp in STAMPS[:3])
    assert not (same_source(one, other) or same_source(one, known) or same_source(known, one))


def test_what_latest_leads_to(output: Path) -> None:
    """An export beside it; nothing that is not there or elsewhere."""
    assert latest(output) == output / STAMPS[2]
    (output / "latest").unlink()
    assert latest(output) is None
    for target in ("20200101T000000Z", str(output.parent)):
        (output / "latest").symlink_to(target)
        assert latest(output) is None
        (output / "latest").unlink()


def test_kept_rejects(output: Path) -> None:
    """Oldest first, and nothing that is not one."""
    (output / "rejected-by-hand").mkdir()
    (output / "rejected-20261125T031500Z").write_text("not a directory")
    assert names(kept_rejects(output)) == ["rejected-20261120T120000Z", "rejected-20261124T031500Z"]


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


def test_a_copy_is_named_where_there_is_nothing_else(tmp_path: Path) -> None:
    """To whom asks for `latest` after copies alone; not to whom names something else."""
    (tmp_path / "latest-copy").symlink_to(STAMPS[0])
    (tmp_path / STAMPS[0]).mkdir()
    hint = "; the last copy is latest-copy"
    with pytest.raises(UsageError, match=hint):
        find(tmp_path, "latest")
    with pytest.raises(UsageError, match=hint):
        find_rejects(tmp_path, "latest")
    with pytest.raises(UsageError, match=hint):
        verify_files(tmp_path / "latest")
    with pytest.raises(UsageError, match=r"lists them$"):
        find(tmp_path, "2026")


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """The message says which, and what to do."""
    with pytest.raises(UsageError, match=r"cannot read .*no: No such file or directory; name another with --output"):
        exports(tmp_path / "no")


def test_recent_exports_of_a_window(output: Path) -> None:
    """Whole exports are compared with whole ones, a window with equal ones."""
    for stamp in STAMPS[:3]:
        tiny_export.make_copy(output / stamp, redaction=None)
    tiny_export.make_copy(output / STAMPS[1], window={**tiny_export.WINDOW, "without": []}, redaction=None)
    extent = extent_of(read_manifest(output / STAMPS[0]))
    assert names([run.directory for run in recent(output, IDENTITY, MODEL, 9)]) == [STAMPS[3]]
    found = recent(output, IDENTITY, MODEL, 9, extent=extent)
    assert names([run.directory for run in found]) == [STAMPS[0], STAMPS[2]]


def test_the_latest_copy(output: Path) -> None:
    """It has a link of its own, and is found by it."""
    assert latest(output, "latest-copy") is None
    (output / "latest-copy").symlink_to(STAMPS[0])
    assert (latest(output, "latest-copy"), latest(output)) == (output / STAMPS[0], output / STAMPS[2])
    assert find_directory(output, "latest-copy") == output / "latest-copy"


def test_what_can_be_compared(output: Path) -> None:
    """Exports of one source and graph model that are whole, or equal windows."""
    one, other, copy = (read_manifest(output / stamp) for stamp in STAMPS[:3])
    copy = replace(copy, format=2, window=WINDOW)
    assert comparable(one, other) and comparable(replace(copy, window=replace(WINDOW, roots=[])), copy) is False
    assert not comparable(one, replace(other, model=replace(other.model, sha256="1" * 64)))
    assert not comparable(one, replace(other, source=replace(other.source, identity=None)))
    assert not comparable(one, copy)

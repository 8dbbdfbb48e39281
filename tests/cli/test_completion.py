"""What the shell offers behind `exporter …`: the names of exports and graphs that exist."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXPORTER = Path(sys.executable).with_name("exporter")
NAMES = ("20261126T031500Z", "20261127T031500Z", "latest")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with exports in `output` and elsewhere, one of them incomplete, and two graphs."""
    for name in (*(f"output/{name}" for name in NAMES), "output/.partial-20261128T031500Z", "other/20250101T000000Z"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").touch()
    (tmp_path / "output" / "rejected-20261125T031500Z").mkdir()
    for name in ("graph", "last-week"):
        (tmp_path / "astrokiran-graph-exporter" / name).mkdir(parents=True)
        (tmp_path / "astrokiran-graph-exporter" / name / "graph.json").touch()
    (tmp_path / "astrokiran-graph-exporter" / "removed").mkdir()
    return tmp_path


def offered(place: Path, line: str, **variables: str) -> list[str]:
    """What bash offers for the last word of a line, which may be empty."""
    environment = os.environ | {"XDG_DATA_HOME": str(place), **variables}
    environment |= {"_EXPORTER_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run([EXPORTER], cwd=place, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    "line",
    [
        "exporter local stop ", "exporter local start --name ", "exporter local query --name ",
        "exporter local remove ", "exporter local --name ",
    ],
)  # fmt: skip
def test_graphs_are_offered(line: str, place: Path) -> None:
    """Those that exist, by their first letters."""
    assert offered(place, line) == ["graph", "last-week"]
    assert offered(place, f"{line}la") == ["last-week"]


@pytest.mark.parametrize("line", ["exporter verify ", "exporter local --from "])
def test_exports_are_offered_by_their_path(line: str, place: Path) -> None:
    """Those of the output directory, and those of a directory that is typed; complete ones only."""
    assert offered(place, line) == [f"output/{name}" for name in NAMES]
    assert offered(place, f"{line}output/2") == [f"output/{name}" for name in NAMES[:2]]
    assert offered(place, f"{line}{place}/other/") == [f"{place}/other/20250101T000000Z"]
    assert offered(place, f"{line}nowhere/") == []


@pytest.mark.parametrize("line", ["exporter rebuild --from ", "exporter runs --diff ", "exporter runs --diff latest "])
def test_exports_are_offered_by_their_name(line: str, place: Path) -> None:
    """Both of `--diff` too."""
    assert offered(place, line) == list(NAMES)
    assert offered(place, f"{line}output/l") == ["output/latest"]


def test_the_output_directory_is_the_commands(place: Path) -> None:
    """Of the flag, the environment, the settings file; one with an error is not an error here."""
    elsewhere = ["20250101T000000Z"]
    assert offered(place, "exporter runs --output other --diff ") == elsewhere
    assert offered(place, "exporter runs --diff ", EXPORTER_OUTPUT="other") == elsewhere
    (place / "exporter.toml").write_text('output = "other"\n')
    assert offered(place, "exporter runs --diff ") == elsewhere
    (place / "exporter.toml").write_text("output = other\n")
    assert offered(place, "exporter runs --diff ") == list(NAMES)


def test_what_can_be_pushed_is_offered(place: Path) -> None:
    """Exports, and the archives beside them."""
    name = NAMES[0]
    (place / "output" / f"{name}.tar.zst.age").write_bytes(b"")
    (place / "output" / f"{name}.tar.gz").write_bytes(b"")
    expected = [*(f"output/{name}" for name in NAMES), f"output/{name}.tar.zst.age"]
    assert sorted(offered(place, "exporter push ")) == sorted(expected)

"""The tables of `exporter runs`, on 80 columns, and the same as JSON."""

import json
from pathlib import Path

import pytest

from exporter.cli.run_tables import Runs, changes_table, runs_object, runs_table
from exporter.published.diff import Change
from exporter.published.history import exports, kept_rejects
from tests.cli.test_tables import on_screen
from tests.support import tiny_export

NAMES = ("20261120T031500Z", "20261121T120000Z", "20261122T031500Z", "20261123T031500Z")
MARKS = {NAMES[3]: ["latest", "live"], NAMES[0]: ["rollback"]}
OTHER = "postgresql:7309999999999999999/tiny"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Four exports, each with more nodes than the one before."""
    for number, name in enumerate(NAMES):
        export = tiny_export.write(tmp_path / name)
        manifest = tiny_export.manifest(export)
        manifest["totals"]["nodes"] += 100 * number  # type: ignore[index]
        tiny_export.write_manifest(export, manifest)
    return tmp_path


def listed(output: Path) -> str:
    return on_screen(runs_table(Runs(exports(output), kept_rejects(output), MARKS)))


def test_exports_are_listed_with_the_change_of_rows(output: Path) -> None:
    """Each is compared with the previous one; faulty manifests and runs with too many rejects are listed below, and
    marks below the names."""
    (output / NAMES[2] / "manifest.json").write_text("{}")
    (output / "rejected-20261124T031500Z").mkdir()
    assert listed(output) == (
        "export            begun             rows  change  rejects       size   took\n"
        "20261120T031500Z  Fri 20 Nov 03:15    23                2  794 bytes  2.5 s\n"
        "rollback\n"
        "20261121T120000Z  Sat 21 Nov 12:00   123  +435 %        2  794 bytes  2.5 s\n"
        "20261122T031500Z  Sun 22 Nov 03:15     ?       ?        ?          ?      ?\n"
        "20261123T031500Z  Mon 23 Nov 03:15   323  +163 %        2  794 bytes  2.5 s\n"
        "latest, live\n"
        "20261122T031500Z: manifest.json has format None, and this program reads formats\n"
        "1 and 2\n"
        "rejected-20261124T031500Z: Tue 24 Nov 03:15, too many rejects (--max-rejects);\n"
        "not published\n"
    )


def test_only_exports_of_one_source_are_compared(output: Path) -> None:
    """A database of the same name on another server is another source; an export of version 1.0 is of an unknown one,
    which is compared with nothing. What the numbers mean is said below."""
    tiny_export.change_source(output / NAMES[0], None)
    tiny_export.change_source(output / NAMES[1], None)
    tiny_export.change_source(output / NAMES[3], OTHER, host="db\x1b[2J.example.org")
    assert listed(output) == (
        "export            source  begun         rows  change  rejects       size   took\n"
        "20261120T031500Z  ?       20 Nov 03:15    23                2  794 bytes  2.5 s\n"
        "rollback\n"
        "20261121T120000Z  ?       21 Nov 12:00   123                2  794 bytes  2.5 s\n"
        "20261122T031500Z  1       22 Nov 03:15   223                2  794 bytes  2.5 s\n"
        "20261123T031500Z  2       23 Nov 03:15   323                2  794 bytes  2.5 s\n"
        "latest, live\n"
        "source 1: tiny at 127.0.0.1 (postgresql:7301234567890123456/tiny)\n"
        "source 2: tiny at db\\x1B[2J.example.org (postgresql:7309999999999999999/tiny)\n"
        "source ?: not known, since version 1.0 did not record it; compared with nothing\n"
    )


def test_exports_of_an_unknown_source_are_compared_with_nothing(output: Path) -> None:
    """Not even with each other, and that is said where there are no others."""
    for name in NAMES:
        tiny_export.change_source(output / name, None)
    lines = listed(output).splitlines()
    assert lines[1] == "20261120T031500Z  ?       20 Nov 03:15    23                2  794 bytes  2.5 s"
    assert "%" not in "".join(lines)
    assert lines[-1] == "source ?: not known, since version 1.0 did not record it; compared with nothing"


def test_another_model_is_told_apart(output: Path) -> None:
    """The rows of an export with another graph model are no change of the source's."""
    for name in NAMES[2:]:
        manifest = tiny_export.manifest(output / name)
        manifest["model"] = {"sha256": "1" * 64}
        tiny_export.write_manifest(output / name, manifest)
    runs = Runs(exports(output))
    assert [run["rows_before"] for run in runs_object(output, runs)["exports"]] == [None, 23, None, 223]
    assert "Sun 22 Nov 03:15   223                2  794 bytes  2.5 s\nnew model\n" in on_screen(runs_table(runs))


def test_copies_are_told_apart(output: Path) -> None:
    """By their windows and maskings, on 80 columns; a window is compared with the last equal one."""
    window = tiny_export.WINDOW | {"sample": 0.5, "without": []}
    for name in NAMES[::2]:
        tiny_export.make_copy(output / name, window=window)
    tiny_export.make_copy(output / NAMES[3], window=None)
    assert listed(output) == (
        "export            window   masked   rows  change  rejects       size   took\n"
        "20261120T031500Z  7d, 50%  analyst    23                2  794 bytes  2.5 s\n"
        "rollback\n"
        "20261121T120000Z  –        –         123                2  794 bytes  2.5 s\n"
        "20261122T031500Z  7d, 50%  analyst   223  +870 %        2  794 bytes  2.5 s\n"
        "20261123T031500Z  –        analyst   323                2  794 bytes  2.5 s\n"
        "latest, live\n"
    )
    [first, second, *_] = runs_object(output, Runs(exports(output)))["exports"]
    assert (first["window"], first["masked"]) == (window, "analyst")
    assert (second["window"], second["masked"]) == (None, None)


def test_the_same_for_programs(output: Path) -> None:
    """All numbers, times in UTC; of a faulty export only the fault."""
    (output / NAMES[0] / "manifest.json").unlink()
    (output / "rejected-20261124T031500Z").mkdir()
    (output / f"{NAMES[3]}.tar.zst").write_bytes(b"archive")
    content = runs_object(output, Runs(exports(output)[::3], kept_rejects(output), MARKS))
    assert json.loads(json.dumps(content)) == {
        "output": str(output),
        "exports": [
            {
                "name": NAMES[0],
                "begun_at": "2026-11-20T03:15:00.000000Z",
                "marks": ["rollback"],
                "archive_bytes": None,
                "fault": "manifest.json is missing",
            },
            {
                "name": NAMES[3],
                "begun_at": "2026-11-23T03:15:00.000000Z",
                "marks": ["latest", "live"],
                "archive_bytes": 7,
                "fault": None,
                "source": "postgresql:7301234567890123456/tiny",
                "model": "0" * 64,
                "snapshot_at": "2026-11-23T03:15:01.250000Z",
                "window": None,
                "masked": None,
                "seconds": 2.5,
                "nodes": 318,
                "relationships": 5,
                "rejects": 2,
                "bytes": 794,
                "rows_before": None,
            },
        ],
        "rejected": [{"name": "rejected-20261124T031500Z", "begun_at": "2026-11-24T03:15:00.000000Z"}],
    }


def test_changes_are_listed_with_rows_and_rejects() -> None:
    """Of both exports."""
    assert on_screen(changes_table([Change("Skill", 10, 0, 0, 2), Change("Guide", 1000, 1001, 3, 3)])) == (
        "                    rows   rows          rejects  rejects\n"
        "label or pattern  before  after  change   before    after\n"
        "Skill                 10      0    gone        0        2\n"
        "Guide              1,000  1,001  +0.1 %        3        3\n"
    )

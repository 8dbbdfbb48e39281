"""The benchmarks run, at a tiny scale; their comparison sees what differs and nothing else. No timing is asserted."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders import CONTENDERS
from benchmarks.digest import REJECT_COLUMNS, columns, contents, entity_contents
from benchmarks.plot import curves
from benchmarks.rebuild import Rebuild, table
from exporter.sink.layout import entities

ROOT = Path(__file__).resolve().parents[2]


def test_contenders_that_can_run_write_the_same_rows(tmp_path: Path) -> None:
    """One round at 5,000 rows: every installed contender gives a result, the others are named with what they lack."""
    results = tmp_path / "results.jsonl"
    scale = ["--scale", "0.005", "--rounds", "1"]
    finished = subprocess.run(
        [ROOT / "benchmarks" / "run.sh", *scale, "--data", tmp_path / "data", "--results", results],
        env={**os.environ, "BENCHMARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    left_out = {line.split()[2].strip(",") for line in finished.stderr.splitlines() if line.startswith("left out: ")}
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    ran = [line["contender"] for line in lines]
    assert ran == [contender.name for contender in CONTENDERS if contender.name not in left_out]
    assert {"psql_script", "ours", "psql_files_only", "floor_connectorx", "floor_copy_binary"} <= set(ran)
    assert all(len(line["peak_memory"]) == 1 for line in lines)
    assert lines[ran.index("ours")]["peak_memory"][0] > 0
    same = re.search(rf"in {len(entities())} entities, the same ([1-9]\d*) reject lines", finished.stderr)
    assert same, finished.stderr
    assert all(name in finished.stdout for name in ran)


def test_unknown_contender_is_refused() -> None:
    """A misspelt name is a usage error, told before anything starts."""
    command = [sys.executable, "-m", "benchmarks.run", "--only", "psql"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, "no contender is called psql" in finished.stderr) == (2, True)


HEADER = "id:ID(P){id-type:long},score:double,seen:datetime,note:string\n"
ROWS = '1,0.50,2026-11-16T00:00:09.463100Z,"a\nb"\n2,,2026-11-16T00:00:09Z,""\n'
SPELT_FIRST, SPELT_SECOND = '1,.5,2026-11-16T00:00:09.4631+00,"a\nb"\n', '2,,2026-11-16T00:00:09.000000Z,""\n'


@pytest.mark.parametrize(
    ("parts", "same"),
    [
        pytest.param([ROWS], True, id="itself"),
        pytest.param([SPELT_SECOND, SPELT_FIRST], True, id="spelt in another way"),
        pytest.param([ROWS.replace('""', "")], False, id="null for empty"),
        pytest.param([ROWS.replace("4631", "4632")], False, id="another moment"),
        pytest.param([ROWS.replace("0.50", "0.51")], False, id="another number"),
        pytest.param([ROWS, ROWS], False, id="twice"),
        pytest.param([""], False, id="empty"),
    ],
)
def test_digest_sees_values_not_spellings(tmp_path: Path, parts: list[str], same: bool) -> None:
    """Order, files and the spelling of numbers and times do not matter; values, nulls and repetitions do."""
    header = tmp_path / "P.csv"
    header.write_text(HEADER, encoding="utf-8")
    files = [tmp_path / f"part-{number}.csv" for number in range(len(parts) + 1)]
    for file, text in zip(files, [ROWS, *parts], strict=True):
        file.write_text(text, encoding="utf-8")
    expected = entity_contents(files[:1], columns(header))
    assert expected.rows == 2
    assert (entity_contents(files[1:], columns(header)) == expected) is same


HEADINGS = "reason,table,column,key,value,references\n"
DANGLING, DUPLICATE = "dangling_end,a.b,c,1,2,D\n", "duplicate_id,a.b,c,3,,\n"


@pytest.mark.parametrize(
    ("parts", "same"),
    [
        pytest.param([DANGLING + DUPLICATE], True, id="itself"),
        pytest.param([DUPLICATE, "", DANGLING], True, id="apart"),
        pytest.param([DANGLING.replace("_end", "_start") + DUPLICATE], False, id="another reason"),
        pytest.param([DANGLING + DUPLICATE.replace(",,", ',"",')], False, id="empty for null"),
        pytest.param([DANGLING], False, id="a line less"),
        pytest.param([], False, id="none"),
    ],
)
def test_digest_sees_reject_lines(tmp_path: Path, parts: list[str], same: bool) -> None:
    """Reject lines are compared as a multiset, without their header rows; who is not asked for them need have none."""
    folder = tmp_path / "rejects" / "nodes" / "Device"
    folder.mkdir(parents=True)
    for number, text in enumerate(parts):
        (folder / f"part-{number}.csv").write_text(HEADINGS + text, encoding="utf-8")
    expected = tmp_path / "expected.csv"
    expected.write_text(HEADINGS + DANGLING + DUPLICATE, encoding="utf-8")
    found = contents(tmp_path, rejects=True)["rejects/nodes/Device"]
    assert (found == entity_contents([expected], REJECT_COLUMNS, header=True)) is same
    assert len(contents(tmp_path, rejects=True)) == 2 * len(contents(tmp_path, rejects=False)) == 2 * len(entities())


def test_curves_are_medians_by_scale() -> None:
    """The last result of a scale counts, medians in the unit asked for; a server elsewhere gives no point."""
    lines = [
        '{"contender": "ours", "scale": 3, "wall": [2, 9, 4], "server_cpu": [null]}',
        '{"contender": "ours", "scale": 1, "wall": [7], "server_cpu": [null]}',
        '{"contender": "ours", "scale": 1, "wall": [1], "server_cpu": [null]}',
    ]
    assert curves(lines, "wall", 2.0) == {"ours": [(1, 0.5), (3, 2.0)]}
    assert curves(lines, "server_cpu", 1.0) == {}


def test_the_picture_has_plain_numbers() -> None:
    """No powers of ten on its axes (matplotlib repeats each text as a comment)."""
    texts = re.findall("<!-- (.+) -->", (ROOT / "docs" / "performance.svg").read_text(encoding="utf-8"))
    numbers = {text for text in texts if re.search(r"\d", text)}
    assert {"1", "3", "10", "1,000"} <= numbers
    assert all(re.fullmatch(r"[\d,.]+", number) for number in numbers)


def test_rebuild_table_has_medians_by_stage() -> None:
    """A stage that a contender has not is blank; the ratio is that of the totals' medians."""

    def result(contender: str, stages: dict[str, list[float]], wall: list[float]) -> Rebuild:
        return Rebuild(contender, 1, "2026-11-23T00:00:00+00:00", {}, {"Neo4j": "2026.09.0"}, stages, wall)

    bare = {"import": [8.0, 9.0, 40.0], "start": [5.0, 5.0, 5.0], "indexes": [1.0, 1.0, 1.0]}
    ours = {"export": [2.0], "import": [7.0], "start": [5.0], "indexes": [1.0], "verify": [0.75]}
    assert table([result("bare", bare, [14.0, 15.0, 46.0]), result("ours", ours, [15.75])]) == (
        "1 million rows, 3 rounds, Neo4j 2026.09.0\n\n"
        "| seconds | export | import | start | indexes | verify | total | ratio |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|\n"
        "| bare |  | 9.0 | 5.0 | 1.0 |  | 15.0 | 1.00 |\n"
        "| ours | 2.0 | 7.0 | 5.0 | 1.0 | 0.8 | 15.8 | 1.05 |"
    )

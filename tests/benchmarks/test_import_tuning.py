"""The benchmark of the import runs, and its rewritten files mean what they meant. No timing is asserted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.import_files import REWRITINGS, Input, rewrite
from benchmarks.meter import family
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export

ROOT = Path(__file__).resolve().parents[2]


def command(home: Neo4jHome, export: Path, data: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    """The benchmark's command for one round, and its environment."""
    sanitized_errors = [
        "--export",
        str(export),
        "--rounds",
        "1",
        "--data",
        str(data),
        "--neo4j-home",
        str(home.home),
        *more,
    ]
    return [sys.executable, "-m", "benchmarks.import_tuning", *sanitized_errors], {
        **os.environ,
        "JAVA_HOME": str(home.java_home),
    }


def runs_importer(process_id: int) -> bool:
    try:
        return "org.neo4j.cli.AdminTool" in psutil.Process(process_id).cmdline()
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / "an export of आज")


def test_variants_import_the_same(neo4j_home: Neo4jHome, export: Path, tmp_path: Path) -> None:
    """One round of two variants, one of which needs other files; what a version does not know is left out."""
    sanitized_errors, variables = command(neo4j_home, export, tmp_path / "data", "--only", "bare-strings,not-verbose")
    finished = subprocess.run(sanitized_errors, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    lines = (tmp_path / "data" / "import_tuning.jsonl").read_text(encoding="utf-8").splitlines()
    results = [json.loads(line) for line in lines]
    assert [result["variant"] for result in results] == ["baseline", "bare-strings"]
    totals = tiny_export.manifest(export)["totals"]
    assert isinstance(totals, dict)
    assert all(result["imported"].items() <= totals.items() for result in results)
    assert all(len(result["wall"]) == 1 and result["peak_memory"] > 0 for result in results)
    assert "\n| bare-strings | quotes only where necessary | " in finished.stdout
    assert "not-verbose (the baseline has no --verbose either)" in finished.stdout
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["import_tuning.jsonl"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_nothing(neo4j_home: Neo4jHome, export: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Stopped while Java runs, it ends with all it started and removes what it wrote."""
    sanitized_errors, variables = command(neo4j_home, export, tmp_path / "data", "--only", "baseline")
    with subprocess.Popen(sanitized_errors, cwd=ROOT, env=variables, stderr=subprocess.DEVNULL) as benchmark:
        while not any(runs_importer(process) for process in family(benchmark.pid)[1:]):
            assert benchmark.poll() is None
            time.sleep(0.05)
        started = family(benchmark.pid)
        benchmark.send_signal(number)
        assert benchmark.wait() == 130
    assert [psutil.Process(process_id) for process_id in started if psutil.pid_exists(process_id)] == []
    assert list((tmp_path / "data").iterdir()) == []


HEADER = "id:ID(P){id-type:long},note:string,seen:datetime,count:long\n"
PARTS = [b'1,"a, ""b""\nc",2026-11-16T00:00:09.463100Z,7\n2,"",,\n', b'3,"plain",1969-12-31T23:59:59Z,3000000000\n']
SAME = HEADER.strip()


@pytest.mark.parametrize(
    ("name", "header", "parts"),
    [
        ("joined", SAME, [b"".join(PARTS)]),
        ("split", SAME, [PARTS[0][:-7], b'2,"",,\n', PARTS[1]]),
        ("bare strings", SAME, [PARTS[0], PARTS[1].replace(b'"', b"")]),
        ("one line", SAME, [PARTS[0].replace(b"\nc", b" c"), PARTS[1]]),
        ("strings first", SAME, PARTS),
        (
            "strings last",
            "id:ID(P){id-type:long},seen:datetime,count:long,note:string",
            [
                b'1,2026-11-16T00:00:09.463100Z,7,"a, ""b""\nc"\n2,,,""\n',
                b'3,1969-12-31T23:59:59Z,3000000000,"plain"\n',
            ],
        ),
        (
            "epoch times",
            SAME.replace("datetime", "long"),
            [
                PARTS[0].replace(b"2026-11-16T00:00:09.463100Z", b"1794787209463100"),
                PARTS[1].replace(b"1969-12-31T23:59:59Z", b"-1000000"),
            ],
        ),
        ("text times", SAME.replace("datetime", "string"), PARTS),
        ("short integers", SAME.replace("count:long", "count:int"), [PARTS[0], PARTS[1].replace(b"3000000000", b"0")]),
    ],
)
def test_rewriting_changes_one_thing(tmp_path: Path, name: str, header: str, parts: list[bytes]) -> None:
    """All the rows and values are there in the other files, and all but the one thing is as it was."""
    original = Input("--nodes=P", tmp_path / "P.csv", tuple(tmp_path / f"{number}.csv" for number in range(len(PARTS))))
    original.header.write_text(HEADER, encoding="utf-8")
    for file, part in zip(original.files, PARTS, strict=True):
        file.write_bytes(part)
    (rewritten,) = rewrite([original], REWRITINGS[name], tmp_path / "other")
    assert (rewritten.option, rewritten.header.read_text(encoding="utf-8")) == ("--nodes=P", header + "\n")
    assert [file.read_bytes() for file in rewritten.files] == parts

"""docs/source.md is true: its commands run, its exit codes and JSON are the code's, its links lead somewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from exporter import errors
from exporter.sample.source import fill_sample
from exporter.sink.publish import partial_export
from exporter.source.connection import connect

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "source.md").read_text(encoding="utf-8")
COMMANDS = Path(sys.executable).parent
RETRY = "for pause"


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def table(heading: str) -> dict[str, str]:
    """A table's second column by its first, without backticks."""
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, heading
    rows = [row.strip("|").split("|") for row in found[1].replace("`", "").splitlines()]
    return {row[0].strip(): row[1].strip() for row in rows}


def run(script: str, source: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """A script in a directory of its own, as cron would run it."""
    environment = {"PATH": f"{COMMANDS}:{os.defpath}", "HOME": str(directory), "EXPORTER_SOURCE": source}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def sample(database: str) -> str:
    fill_sample(database, scale=0.01)
    return database


def test_the_commands(sample: str, tmp_path: Path) -> None:
    """Every shell block but that of trying again, as it stands."""
    for script in blocks("sh"):
        if RETRY not in script:
            done = run(script, sample, tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "output" / "latest" / "manifest.json").is_file()


def test_trying_again(sample: str, tmp_path: Path) -> None:
    """Once where it succeeds; three times where another export runs; once where it is no use."""
    (script,) = [each for each in blocks("sh") if RETRY in each]
    script = script.replace("600 1200 0", "0 0 0")
    assert run(script, sample, tmp_path).returncode == 0
    assert len(list((tmp_path / "output").glob("2*"))) == 1
    with partial_export(tmp_path / "output"):
        busy = run(script, sample, tmp_path)
    assert (busy.returncode, busy.stderr.count("another export is running")) == (5, 3)
    unreachable = run(script, f"{sample}&port=1", tmp_path)
    assert (unreachable.returncode, unreachable.stderr.count("no server listens")) == (3, 1)


def test_the_exit_codes() -> None:
    """Every code but 0 has its line."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = [int(code) for cell in table("Exit code") for code in cell.split(", ")]
    assert codes == sorted({kind.exit_code for kind in kinds})


def test_the_statements(sample: str) -> None:
    """They show an export's sessions, and end them."""
    look, end = blocks("sql")
    with psycopg.connect(sample, autocommit=True) as operator:
        leader = connect(sample, "exporter 20261123T031500Z", lock_seconds=3)
        leader.execute("begin")
        shown = operator.execute(look.encode()).fetchall()
        assert [row[1:3] for row in shown] == [("exporter 20261123T031500Z", "idle in transaction")]
        assert operator.execute(end.encode()).fetchall() == [(True,)]
        with pytest.raises(psycopg.errors.AdminShutdown):
            leader.execute("select 1")


def test_the_json(sample: str, tmp_path: Path) -> None:
    """Its keys, and those of the objects in it."""
    sanitized_errors = json.loads(run("exporter check --json", sample, tmp_path).stdout)
    described = table("Key")
    assert list(described) == list(sanitized_errors)
    inner = {key: re.findall(r'"(\w+)"', text) for key, text in described.items()}
    assert inner["model"] == list(sanitized_errors["model"])
    assert inner["server"] == list(sanitized_errors["server"])
    assert inner["findings"] == list(sanitized_errors["findings"][0])
    assert inner["estimate"] == [*sanitized_errors["estimate"], *sanitized_errors["estimate"]["tables"][0]]
    assert inner["output"] == list(sanitized_errors["output"])


def test_the_links() -> None:
    """Every file is there."""
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert targets and all((DOCS / target).exists() for target in targets)

"""docs/source.md is true: its commands and statements run, its JSON is the code's."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from exporter.sample.source import fill_sample
from exporter.source.connection import connect
from tests.support.pages import read_page

PAGE = read_page("docs/source.md")
COMMANDS = Path(sys.executable).parent


def run(script: str, source: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """A script in a directory of its own, as cron would run it."""
    environment = {"PATH": f"{COMMANDS}:{os.defpath}", "HOME": str(directory), "EXPORTER_SOURCE": source}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def sample(database: str) -> str:
    fill_sample(database, scale=0.01)
    return database


@pytest.mark.slow
def test_the_commands_run(sample: str, tmp_path: Path) -> None:
    """Every shell block, as it stands."""
    for script in PAGE.blocks("sh"):
        done = run(script, sample, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "output" / "latest" / "manifest.json").is_file()


def test_the_statements_show_and_end_sessions(sample: str) -> None:
    """Those of an export, to somebody else."""
    look, end = PAGE.blocks("sql")
    with psycopg.connect(sample, autocommit=True) as operator:
        leader = connect(sample, "exporter 20261123T031500Z", lock_seconds=3)
        leader.execute("begin")
        shown = operator.execute(look.encode()).fetchall()
        assert [row[1:3] for row in shown] == [("exporter 20261123T031500Z", "idle in transaction")]
        assert operator.execute(end.encode()).fetchall() == [(True,)]
        with pytest.raises(psycopg.errors.AdminShutdown):
            leader.execute("select 1")


def test_the_json_has_these_keys(sample: str, tmp_path: Path) -> None:
    """And the objects in it have those that are named beside them."""
    checked = json.loads(run("exporter check --json", sample, tmp_path).stdout)
    described = dict(PAGE.table("Key"))
    assert list(described) == list(checked)
    inner = {key: re.findall(r'"(\w+)"', text) for key, text in described.items()}
    assert inner["model"] == list(checked["model"])
    assert inner["server"] == list(checked["server"])
    assert inner["findings"] == list(checked["findings"][0])
    assert inner["estimate"] == [*checked["estimate"], *checked["estimate"]["tables"][0]]
    assert inner["output"] == list(checked["output"])

"""docs/exit-codes.md is true: its codes are the errors' and the scripts', its loop tries again where it should."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exporter import errors
from exporter.sample.source import fill_sample
from exporter.sink.publish import partial_export
from tests.support.pages import ROOT, read_page

PAGE = read_page("docs/exit-codes.md")
COMMANDS = Path(sys.executable).parent
CODES = sorted({0, *(kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code"))})


def help_of(*command: str | Path) -> str:
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("section", [None, "The live graph during a rebuild"])
def test_codes_are_the_errors(section: str | None) -> None:
    """Every code that an error carries, and no other; for a rebuild, too."""
    page = PAGE.section(section) if section else PAGE
    assert [int(row[0]) for row in page.table("Code")] == CODES


def test_codes_are_in_the_help() -> None:
    """All of them in the help of `exporter`; those of a rebuild in that of `exporter rebuild`, too."""
    listed = " ".join(help_of(COMMANDS / "exporter").partition("Exit codes:")[2].split())
    assert [code for code in CODES if not re.search(rf"\b{code}\b", listed)] == []
    listed = " ".join(help_of(COMMANDS / "exporter", "rebuild").partition("Exit codes:")[2].split())
    assert [code for code in (0, 6, 7, 8, 130) if not re.search(rf"\b{code}\b", listed)] == []


@pytest.mark.parametrize("script", ["import.sh", "verify.sh"])
def test_codes_of_the_scripts(script: str) -> None:
    """Those of their help."""
    listed = help_of(ROOT / "scripts" / script).partition("Exit codes:\n")[2]
    codes = [row[0] for row in PAGE.section("The scripts").table("Code")]
    assert codes == re.findall(r"^ +(\d+)", listed, re.MULTILINE)


@pytest.mark.slow
def test_trying_again(database: str, tmp_path: Path) -> None:
    """Once where it succeeds; three times where another export runs; once where it is no use."""
    fill_sample(database, scale=0.01)
    [script] = PAGE.blocks("sh")
    script = script.replace("600 1200 0", "0 0 0")

    def run(source: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{COMMANDS}:{os.defpath}", "HOME": str(tmp_path), "EXPORTER_SOURCE": source}
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert run(database).returncode == 0
    assert len(list((tmp_path / "output").glob("2*"))) == 1
    with partial_export(tmp_path / "output"):
        busy = run(database)
    assert (busy.returncode, busy.stderr.count("another export is running")) == (5, 3)
    unreachable = run(f"{database}&port=1")
    assert (unreachable.returncode, unreachable.stderr.count("exporter: the source ")) == (3, 1)

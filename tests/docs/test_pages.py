"""Every page: its links lead somewhere, the flags it shows exist, its prose is wrapped."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.pages import ROOT, Page, read_page

# Kept as their authors wrote them: the domain model, and facts with long lines of output.
SPECIFICATION = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs/spec").glob("*.md"))]
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").glob("*.md"))),
]
# Flags that were removed are part of the history.
WITH_COMMANDS = [name for name in PAGES if name != "CHANGELOG.md"]
# A script that passes its options on lists none.
PASSED_ON = {"scripts/rebuild.sh": "exporter rebuild"}
WIDTH = 120


@cache
def help_of(program: str) -> str:
    """The help of `exporter COMMAND` or of a script."""
    name, *command = PASSED_ON.get(program, program).split()
    path = Path(sys.executable).with_name(name) if command else ROOT / name
    return subprocess.run([path, *command, "--help"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", [*PAGES, *SPECIFICATION])
def test_links_lead_somewhere(name: str) -> None:
    """Every file, directory and heading that a link names exists."""
    page = read_page(name)
    for target in re.findall(r"\]\(([^)\s]+)\)", page.prose()):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = page.path.parent / file if file else page.path
        assert path.exists(), target
        assert not anchor or anchor in Page(path, path.read_text(encoding="utf-8")).anchors(), target


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_flags_exist(name: str) -> None:
    """Each flag on a command line stands in the help of that very command."""
    page = read_page(name)
    lines = "\n".join((*page.blocks("sh"), *page.blocks("text"), *re.findall(r"`([^`\n]+)`", page.prose())))
    calls = re.findall(r"\b(exporter (?:local )?[a-z][a-z-]*|scripts/[a-z]+\.sh)\b([^|#)\n]*)", lines)
    used = {(program, flag) for program, rest in calls for flag in re.findall(r"(?<= )--[a-z-]+", rest)}
    missing = [(program, flag) for program, flag in sorted(used) if flag not in help_of(program)]
    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_prose_is_wrapped(name: str) -> None:
    """But for tables, pictures and what is in code blocks."""
    lines = [line for line in read_page(name).prose().splitlines() if not re.match(r"\||!\[| *<", line)]
    assert [line for line in lines if len(line) > WIDTH] == []

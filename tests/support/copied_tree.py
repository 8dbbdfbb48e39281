"""A copy of the program that a test may edit, and its commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = Path(sys.executable).parent


def copy_tree(directory: Path) -> Path:
    """The program and its headers, copied into a directory, with what Python has compiled of it: that is known by the
    time and size of its file."""
    for part in ("exporter", "headers", "scripts"):
        shutil.copytree(ROOT / part, directory / part)
    (directory / "output").mkdir()
    return directory


def apply(tree: Path, diff: str) -> None:
    """Applies one change: `--- FILE`, then lines that begin with a blank (they stay), `-` (they go) or `+` (they come).

    The lines that stay and go must stand in the file once, one below the other.
    """
    first, *lines = diff.splitlines()
    path = tree / first.removeprefix("--- ")
    before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    text = path.read_text(encoding="utf-8")
    assert text.count(f"\n{before}") == 1, f"{before!r} occurs {text.count(before)} times in {path}"
    path.write_text(text.replace(f"\n{before}", f"\n{after}"), encoding="utf-8")


def run(tree: Path, script: str, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell script in the copy's directory; `exporter` is the copy's."""
    variables = {"PATH": f"{COMMANDS}:{os.defpath}", "HOME": str(tree), "PYTHONPATH": str(tree)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tree,
        env=variables | {"EXPORTER_SOURCE": source} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def blocks(text: str, language: str) -> list[str]:
    """The fenced code blocks of a language in a page, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indentation}", "", block, flags=re.MULTILINE) for indentation, block in found]

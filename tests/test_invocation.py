"""How the program was called."""

import sys
from pathlib import Path

import pytest

from exporter.invocation import command


def program(directory: Path) -> Path:
    """An executable file `exporter` in a new directory."""
    directory.mkdir(parents=True)
    path = directory / "exporter"
    path.touch(mode=0o755)
    return path


def test_the_command_is_named_as_a_shell_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program on PATH by its name; any other by its path, from the working directory where that is above it."""
    ours, other = program(tmp_path / "a b" / "bin"), program(tmp_path / "other")
    monkeypatch.chdir(tmp_path / "a b")
    monkeypatch.setattr(sys, "argv", [str(ours)])
    monkeypatch.setenv("PATH", str(ours.parent))
    assert command() == "exporter"
    for path in ("", str(other.parent)):
        monkeypatch.setenv("PATH", path)
        assert command() == "bin/exporter"
    monkeypatch.chdir(tmp_path / "other")
    assert command() == f"'{ours}'"
    monkeypatch.setattr(sys, "argv", ["/usr/lib/python3/pytest/__main__.py"])
    assert command() == "exporter"

"""Whatever is printed, no text of a source commands the terminal."""

import io
import re
import sys

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from exporter.progress.console import SafeConsole
from exporter.progress.log import log_error, log_stderr

HOSTILE = "a\x1b[2Jb\x9bc\u202ed"
HARMLESS = r"a\x1B[2Jb\x9Bc\u202Ed"


def drawn(live: bool) -> str:
    """A table with hostile text on a terminal of 80 columns, as a live view or not, without rich's own colours."""
    console = SafeConsole(file=io.StringIO(), force_terminal=True, width=80, _environ={"TERM": "xterm"})
    table = Table(HOSTILE, box=None, pad_edge=False)
    table.add_row(Text(HOSTILE, "bold"))
    if live:
        with Live(table, console=console):
            pass
    else:
        console.print(table)
    return re.sub(r"\x1b\[(\d+(;\d+)*m|\?25[lh])", "", console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize("live", [False, True])
def test_data_never_commands_a_terminal(live: bool) -> None:
    """In tables and in live views; rich's own styles are left. A cell is cut where the escapes make it longer."""
    assert all(letter.isprintable() or letter in "\r\n" for letter in re.sub(r"\x1b\[[0-9]*[KA]", "", drawn(live)))
    console = SafeConsole(file=io.StringIO(), width=80)
    console.print(Text(f"{HOSTILE}\nnext"), Text("नमस्ते 👩‍🚀"), soft_wrap=True)
    assert console.file.getvalue() == f"{HARMLESS}\nnext नमस्ते 👩‍🚀\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("log", [log_error, log_stderr])
def test_nor_does_a_message(log: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line ends stay: messages have several lines."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr("exporter.progress.log._dated", False)  # as before the first stage of a run
    assert callable(log)
    log(f"{HOSTILE}\r\n  next")
    assert sys.stderr.getvalue() == f"{HARMLESS}\\r\n  next\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("terminal", [False, True])
def test_no_line_ends_with_spaces(terminal: bool) -> None:
    """In a file or a pipe, whose reader may be narrower than the table; rich fills the last column."""
    console = SafeConsole(file=io.StringIO(), width=40, force_terminal=terminal, color_system=None)
    table = Table("a", "b  b", box=None)
    table.add_row("1", "two words")
    table.add_row("", "")
    console.print(table, Text("end  "))
    lines = console.file.getvalue().split("\n")  # type: ignore[attr-defined]
    assert [line.strip() for line in lines] == ["a  b  b", "1  two words", "", "end", ""]
    assert any(line.endswith(" ") for line in lines) == terminal

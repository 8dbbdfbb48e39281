"""The command as tests call it, and what it did."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EXPORTER = Path(sys.executable).with_name("exporter")
# Part of sources whose password no output may show.
PASSWORD = "hunter2"


@dataclass(frozen=True)
class Done:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


Exporter = Callable[..., Done]

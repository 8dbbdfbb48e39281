"""Who runs: ours, its peers and the floors; each a program `peers/FILE SOURCE_URI OUTPUT_DIRECTORY`.

A contender that writes prints, as its last line, the directory with `nodes/` and `relationships/`, and unless it writes
the files alone with `rejects/` and `SHA256SUMS`.
"""

import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
PROJECT_PYTHON = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Contender:
    """A program under `peers/`, and the commands and Python modules it cannot run without. `of_project`: it uses the
    exporter's modules, and so runs in its environment."""

    name: str
    file: str
    commands: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    writes: bool = True
    files_only: bool = False
    of_project: bool = False

    def command(self, source: str, output: Path) -> list[str]:
        python = str(PROJECT_PYTHON) if self.of_project else sys.executable
        interpreter = python if self.file.endswith(".py") else "bash"
        return [interpreter, str(PEERS / self.file), source, str(output)]

    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        commands = [name for name in self.commands if shutil.which(name) is None]
        return commands + [name for name in self.modules if find_spec(name) is None]


# The first is what the others are compared with.
CONTENDERS = (
    Contender("psql_script", "psql_script.sh", commands=("psql",)),
    Contender("ours", "ours.sh", commands=("exporter",)),
    Contender("duckdb_scanner", "duckdb_scanner.py", modules=("duckdb", "duckdb_extension_postgres_scanner")),
    Contender("psql_files_only", "psql_files_only.sh", commands=("psql",), files_only=True),
    Contender("floor_connectorx", "floor_connectorx.py", modules=("connectorx", "pyarrow"), writes=False),
    Contender("floor_packed", "floor_packed.py", writes=False, of_project=True),
    Contender("floor_copy_binary", "floor_copy_binary.sh", commands=("psql",), writes=False),
)

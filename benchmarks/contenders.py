"""Who runs: ours, its peers and the floors; each a program `peers/FILE SOURCE_URI OUTPUT_DIRECTORY`.

A contender that writes prints, as its last line, the directory with `nodes/` and `relationships/`, and leaves there
either a `manifest.json` or a `rejects.csv` of entity and count.
"""

import csv
import json
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True, slots=True)
class Contender:
    """A program under `peers/`, and the commands and Python modules it cannot run without."""

    name: str
    file: str
    commands: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    writes: bool = True

    def command(self, source: str, output: Path) -> list[str]:
        interpreter = [sys.executable] if self.file.endswith(".py") else ["bash"]
        return [*interpreter, str(PEERS / self.file), source, str(output)]

    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        commands = [name for name in self.commands if shutil.which(name) is None]
        return commands + [name for name in self.modules if find_spec(name) is None]


# The first is what the others are compared with.
CONTENDERS = (
    Contender("psql_script", "psql_script.sh", commands=("psql",)),
    Contender("ours", "ours.sh", commands=("exporter",)),
    Contender("duckdb_scanner", "duckdb_scanner.py", modules=("duckdb", "duckdb_extension_postgres_scanner")),
    Contender("floor_connectorx", "floor_connectorx.py", modules=("connectorx", "pyarrow"), writes=False),
    Contender("floor_copy_binary", "floor_copy_binary.sh", commands=("psql",), writes=False),
)


def rejects(directory: Path) -> dict[str, int]:
    """How many rows of each entity a contender left out, by its folder."""
    manifest = directory / "manifest.json"
    if not manifest.is_file():
        with (directory / "rejects.csv").open(encoding="utf-8", newline="") as file:
            return {entity: int(rows) for entity, rows in csv.reader(file)}
    entities = json.loads(manifest.read_text(encoding="utf-8"))
    counts = {f"nodes/{node['label']}": node["rejects"] for node in entities["nodes"]}
    for given in entities["relationships"]:
        counts[f"relationships/{given['start']}-{given['type']}-{given['end']}"] = given["rejects"]
    return {name: sum(reasons.values()) for name, reasons in counts.items() if reasons}

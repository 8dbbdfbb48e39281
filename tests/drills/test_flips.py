"""A drill: an export with one byte changed, wherever, is never imported.

`DRILL_FLIPS=10000` in the environment tries more than the 100 of every run.
"""

import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export
from tests.support.installed_neo4j import launcher_home

FLIPS = int(os.environ.get("DRILL_FLIPS", "100"))
SIDE_BY_SIDE = 2


@dataclass(frozen=True, slots=True)
class Flip:
    """A file of an export, the offset of a byte in it, and which bits of the byte change."""

    path: Path
    offset: int
    bits: int

    def applied_to(self, content: bytes) -> bytes:
        return content[: self.offset] + bytes([content[self.offset] ^ self.bits]) + content[self.offset + 1 :]


def flips(export: Path, seed: int) -> list[Flip]:
    """Random flips of an export's files; small files as often as large ones."""
    chance = random.Random(seed)
    files = sorted(path.relative_to(export) for path in export.rglob("*") if path.is_file() and path.stat().st_size)
    chosen = (chance.choice(files) for _ in range(FLIPS))
    return [Flip(path, chance.randrange((export / path).stat().st_size), chance.randrange(1, 256)) for path in chosen]


def verdict(export: Path, variables: dict[str, str], flip: Flip) -> str:
    """What is wrong with how a flip was judged, nothing when the export was refused; it is as before then."""
    path = export / flip.path
    content = path.read_bytes()
    path.write_bytes(flip.applied_to(content))
    command = ["bash", str(tiny_export.SCRIPT), str(export)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace", check=False)
    path.write_bytes(content)
    refused = done.returncode == 1 and ("is damaged" in done.stderr or "not of format 1" in done.stderr)
    return "" if refused else f"{flip}: {done.returncode} {done.stderr}"


@pytest.mark.slow
def test_every_flip_is_refused(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Data, headers, manifest, counts, checksums, arguments and scripts alike, by a trusted copy of import.sh."""
    home = replace(neo4j_home, home=launcher_home(neo4j_home, tmp_path))
    variables = environment(home, configure(tmp_path / "store"))
    exports = [tiny_export.write(tmp_path / str(number) / "20261123T031500Z") for number in range(SIDE_BY_SIDE)]
    chosen = flips(exports[0], seed := random.randrange(1 << 30))

    def verdicts(number: int) -> list[str]:
        return [verdict(exports[number], variables, flip) for flip in chosen[number::SIDE_BY_SIDE]]

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        faults = [fault for found in pool.map(verdicts, range(SIDE_BY_SIDE)) for fault in found if fault]
    assert faults == [], f"seed {seed}"
    assert not any((tmp_path / "store" / "data").iterdir())

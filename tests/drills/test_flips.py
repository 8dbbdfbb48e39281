"""A drill: an export with one byte changed, wherever, is never imported.

`DRILL_FLIPS=10000` in the environment tries more than the 300 of every run.
"""

import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export
from tests.support.installed_neo4j import launcher_home

FLIPS = int(os.environ.get("DRILL_FLIPS", "300"))
SCRIPT = Path(__file__).parents[2] / "scripts" / "import.sh"
SIDE_BY_SIDE = 2


def flips(export: Path, seed: int) -> list[tuple[Path, int, int]]:
    """Random files of an export, a place in each, and which of its bits change; small files as often as large ones."""
    chance = random.Random(seed)
    files = sorted(path.relative_to(export) for path in export.rglob("*") if path.is_file() and path.stat().st_size)
    chosen = (chance.choice(files) for _ in range(FLIPS))
    return [(path, chance.randrange((export / path).stat().st_size), chance.randrange(1, 256)) for path in chosen]


def judged(export: Path, variables: dict[str, str], flip: tuple[Path, int, int]) -> str:
    """What is wrong with how a changed export was judged, nothing when it was refused; it is whole again then."""
    path, place, bits = export / flip[0], flip[1], flip[2]
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
    command = ["bash", str(SCRIPT), str(export)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, errors="replace", check=False)
    path.write_bytes(whole)
    refused = done.returncode == 1 and ("is damaged" in done.stderr or "not of format 1" in done.stderr)
    return "" if refused else f"{flip[0]} at {place} xor {bits}: {done.returncode} {done.stderr}"


def test_every_flip_is_refused(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Data, headers, manifest, checksums, arguments and scripts alike, by a trusted copy of import.sh."""
    home = replace(neo4j_home, home=launcher_home(neo4j_home, tmp_path))
    variables = environment(home, configure(tmp_path / "store"))
    exports = [tiny_export.write(tmp_path / str(number) / "20261123T031500Z") for number in range(SIDE_BY_SIDE)]
    chosen = flips(exports[0], seed := random.randrange(1 << 30))

    def judge(number: int) -> list[str]:
        return [said for flip in chosen[number::SIDE_BY_SIDE] if (said := judged(exports[number], variables, flip))]

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        faults = [fault for some in pool.map(judge, range(SIDE_BY_SIDE)) for fault in some]
    assert faults == [], f"seed {seed}"
    assert not any((tmp_path / "store" / "data").iterdir())

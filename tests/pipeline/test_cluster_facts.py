"""What a worker says of its program, which others may touch or replace while it runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cloudpickle

from exporter.pipeline.cluster_facts import portable_facts

ROOT = Path(__file__).parents[2]
# Asks before anything is loaded, of changed files before and touched ones after that, and of changed ones after that.
PROGRAM = """
import asyncio, json, os, pathlib, sys, cloudpickle
facts = cloudpickle.loads(pathlib.Path("facts").read_bytes())
file = pathlib.Path("exporter/text.py")
def stale(): return asyncio.run(facts(None, ()))["stale"]
def change(): file.write_text(file.read_text() + "# changed\\n")
found = [stale()]
change()
found.append(stale())
import exporter
file.chmod(0o640)
os.utime(file)
os.link(file, "other")
found.append(stale())
change()
found.append(stale())
print(json.dumps(found))
"""


def test_only_other_files_than_those_loaded_are_stale(tmp_path: Path) -> None:
    """Neither a change before they were loaded, nor a touch, which a backup or an installer may do."""
    shutil.copytree(ROOT / "exporter", tmp_path / "exporter", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "facts").write_bytes(cloudpickle.dumps(portable_facts()))
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == [False, False, False, True], done.stderr

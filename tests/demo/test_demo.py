"""The demo stopped by ^C at each of its steps: nothing it started stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from exporter.store.provision import Neo4jHome

EXPORTER = Path(sys.executable).with_name("exporter")


@pytest.mark.parametrize("step", ["1 ·", "2 ·", "3 ·", "4 ·", "5 ·"])
def test_an_interrupt_leaves_nothing(step: str, neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Exit code 130, one sentence, no process and no temporary directory left; at most a whole export."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    home = {"NEO4J_HOME": str(neo4j_home.home), "JAVA_HOME": str(neo4j_home.java_home), "TMPDIR": str(temporary)}
    demo = subprocess.Popen(
        [EXPORTER, "demo", "--scale", "0.05", "--output", tmp_path / "output"],
        env={**os.environ, **home, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout is not None
    assert any(step in line for line in iter(demo.stdout.readline, ""))
    os.killpg(demo.pid, signal.SIGINT)
    _, errors = demo.communicate(timeout=120)
    assert demo.returncode == 130, errors
    [sentence] = [line for line in errors.splitlines() if "exporter: stopped by SIGINT" in line]
    exports = list((tmp_path / "output").glob("2*"))
    after_export = [f"the export {path} stands, and what the demo started is stopped" for path in exports]
    after_export += [f"the export {path.name} is complete, and nothing was imported" for path in exports]
    assert sentence.partition("; ")[2] in (after_export or ["", "nothing was published"])
    assert "half-written" not in errors
    assert "Traceback" not in errors
    assert left_behind(str(temporary)) == []
    assert [path.name for path in temporary.iterdir() if path.name != "hsperfdata_root"] == []
    assert list((tmp_path / "output").glob(".partial-*")) == []


def left_behind(directory: str) -> list[list[str]]:
    """The command lines of processes that name a directory, or whose environment does."""
    found = []
    for process in psutil.process_iter():
        try:
            command, variables = process.cmdline(), process.environ()
            texts = [*command, variables.get("NEO4J_CONF", ""), variables.get("TMPDIR", "")]
            if any(directory in text for text in texts) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(command)
        except psutil.Error:
            continue
    return found

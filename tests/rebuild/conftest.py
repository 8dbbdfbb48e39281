"""The Neo4j that the tests of a rebuild have without a server."""

from pathlib import Path

import pytest

VERSION = "2026.09.0"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Neo4j that was unpacked and never started, and a Java."""
    home = tmp_path / "neo4j"
    for name in ("bin", "conf", "data/databases", "lib"):
        (home / name).mkdir(parents=True)
    (home / "lib" / f"neo4j-{VERSION}.jar").touch()
    (home / "bin" / "neo4j").touch()
    (home / "conf" / "neo4j.conf").write_text("# as it comes\nserver.memory.heap.max_size=512m\n")
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    monkeypatch.delenv("NEO4J_PASSWORD", raising=False)
    return home

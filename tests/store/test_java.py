"""A Java that cannot run a Neo4j is found before anything is done with it."""

import zipfile
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.store.java import check_java, java_needed, java_version
from exporter.store.provision import Neo4jHome, installed
from tests.conftest import find_java


def main_jar(home: Neo4jHome) -> Path:
    return home.home / "lib" / f"neo4j-{home.version}.jar"


def test_what_a_neo4j_needs(neo4j_home: Neo4jHome, neo4j_5_home: Neo4jHome, tmp_path: Path) -> None:
    """As the classes of its jar say; what is no jar says nothing."""
    (tmp_path / "no jar").write_text("text")
    jars = (main_jar(neo4j_home), main_jar(neo4j_5_home), tmp_path / "no jar", tmp_path / "gone")
    assert [java_needed(jar) for jar in jars] == [21, 17, None, None]


def test_a_java_that_is_new_enough(each_neo4j: Neo4jHome) -> None:
    check_java(each_neo4j.java_home, main_jar(each_neo4j), each_neo4j.version)


def test_a_java_that_is_too_old(neo4j_home: Neo4jHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named with its version and the one that is needed."""
    java_home = find_java({"17"})
    if java_home is None:
        pytest.skip("no Java 17 is installed here")
    monkeypatch.setenv("JAVA_HOME", str(java_home))
    with pytest.raises(UsageError) as refused:
        installed(neo4j_home.home)
    assert str(refused.value) == (
        f"Neo4j {neo4j_home.version} needs Java 21 or newer, but {java_home}/bin/java is Java 17: "
        "set JAVA_HOME to a newer one"
    )


def test_a_java_that_does_not_run(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """It is not there, or says nothing of a version."""
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    assert java_version(java) is None
    java.symlink_to("/bin/true")
    with pytest.raises(UsageError, match=f"^{java} does not run: '{java} -version' says why"):
        check_java(tmp_path, main_jar(neo4j_home), neo4j_home.version)


def test_a_neo4j_that_can_only_import(neo4j_home: Neo4jHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jars without the server's are refused before an import succeeds in vain."""
    monkeypatch.setenv("JAVA_HOME", str(neo4j_home.java_home))
    (tmp_path / "lib").mkdir()
    with (
        zipfile.ZipFile(main_jar(neo4j_home)) as whole,
        zipfile.ZipFile(tmp_path / "lib" / main_jar(neo4j_home).name, "w") as part,
    ):
        name = next(name for name in whole.namelist() if name.endswith(".class"))
        part.writestr(name, whole.read(name))
    with pytest.raises(UsageError, match="has no Neo4j server"):
        installed(tmp_path)

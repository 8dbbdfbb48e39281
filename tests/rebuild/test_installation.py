"""Finding the live Neo4j: its configuration, its directories, its commands, its user."""

import os
from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.rebuild.installation import check_user, find_live, read_conf
from exporter.settings import RebuildSettings


def test_the_defaults_of_an_installation(home: Path) -> None:
    """Its own commands, its own directories."""
    live = find_live(RebuildSettings(neo4j_home=home))
    assert (live.home.version, live.conf, live.data) == ("2026.09.0", home / "conf", home / "data")
    assert live.store.both == (home / "data/databases/neo4j", home / "data/transactions/neo4j")
    assert (live.user, live.password) == (None, None)
    assert (live.stop_command, live.start_command) == (f"{home}/bin/neo4j stop", f"{home}/bin/neo4j start")


@pytest.mark.parametrize(("user", "found"), [(None, "neo4j"), ("nightly", "nightly")])
def test_a_password_is_that_of_neo4j_or_of_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, user: str | None, found: str
) -> None:
    """As for `exporter verify` and cypher-shell."""
    monkeypatch.setenv("NEO4J_PASSWORD", "never-to-be-shown")
    live = find_live(RebuildSettings(neo4j_home=home, user=user))
    assert (live.user, live.password) == (found, "never-to-be-shown")


def test_directories_are_as_configured(home: Path, tmp_path: Path) -> None:
    """As neo4j.conf says, the last line of a name; relative to the home."""
    conf = tmp_path / "conf"
    (tmp_path / "conf").mkdir()
    (tmp_path / "elsewhere" / "databases").mkdir(parents=True)
    (conf / "neo4j.conf").write_text(
        f"server.directories.data=/nowhere\n server.directories.data = {tmp_path}/elsewhere \n"
        "#server.directories.data=/commented/out\nserver.directories.transaction.logs.root=logs/tx\n"
    )
    live = find_live(RebuildSettings(neo4j_home=home, neo4j_conf=conf, database="graph"))
    assert live.store.both == (tmp_path / "elsewhere/databases/graph", home / "logs/tx/graph")


def test_what_is_missing_is_named(home: Path, tmp_path: Path) -> None:
    """Each with what to do."""
    (home / "bin" / "neo4j").unlink()
    cases = {
        "which Neo4j": RebuildSettings(),
        "is not a Neo4j": RebuildSettings(neo4j_home=tmp_path),
        "the Neo4j user of rebuild.user or NEO4J_USERNAME needs its password in NEO4J_PASSWORD": RebuildSettings(
            neo4j_home=home, user="neo4j"
        ),
        "set NEO4J_CONF": RebuildSettings(neo4j_home=home, neo4j_conf=tmp_path),
        "set rebuild.stop and rebuild.start": RebuildSettings(neo4j_home=home, stop="true"),
    }
    for sentence, settings in cases.items():
        with pytest.raises(UsageError, match=sentence):
            find_live(settings)
    (home / "conf" / "neo4j.conf").write_text("server.directories.data=/nowhere\n")
    with pytest.raises(UsageError, match=r"there is no data directory /nowhere \(No such file"):
        find_live(RebuildSettings(neo4j_home=home))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_user_is_refused(home: Path) -> None:
    """Root is no exception: a store of root would keep Neo4j from starting."""
    os.chown(home / "data" / "databases", 12345, -1)
    with pytest.raises(
        UsageError, match=r"databases belongs to #12345, and this runs as root: run it as #12345 \(sudo"
    ):
        check_user(home / "data")


def test_a_neo4j_conf_is_read(tmp_path: Path) -> None:
    """Blanks around names and values do not count, comments and other lines neither."""
    file = tmp_path / "neo4j.conf"
    file.write_text("a.b=1\n  c.d =  x y = z \n# e.f=2\n\na.b=3\n")
    assert read_conf(file) == {"a.b": "3", "c.d": "x y = z"}

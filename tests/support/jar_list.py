"""Writes the list of a Neo4j's jars that `exporter.store.download` downloads, as Maven resolves them now:

.venv/bin/python -m tests.support.jar_list 2026.09.0 > exporter/store/jars/neo4j-2026.09.0.tsv
"""

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests
from jgo.maven import MavenContext

BROWSER = "org.neo4j.client:neo4j-browser:5.24.0"


def main(version: str) -> None:
    """Prints a line for each jar of the run-time class path and of Neo4j Browser: its path in a Maven repository, its
    bytes, its SHA-256. Raises `AssertionError` for a jar that does not have the SHA-1 that the repository tells."""
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(repo_cache=Path(repository), timeout=60)
        wanted = [f"org.neo4j:neo4j:{version}", f"org.neo4j.app:neo4j-server:{version}", BROWSER]
        inputs, transitive = context.resolver.resolve([context.create_dependency(name) for name in wanted])
        runtime = (dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))
        artifacts = {dependency.artifact.filename: dependency.artifact for dependency in (*inputs, *runtime)}
        lines = [line(artifact, Path(repository), context.remote_repos["central"]) for artifact in artifacts.values()]
    print("path\tbytes\tsha256", *sorted(lines), sep="\n")


def line(artifact: Any, repository: Path, url: str) -> str:
    """The line of one jar, which is downloaded for it."""
    jar: Path = artifact.resolve()
    path, content = jar.relative_to(repository).as_posix(), jar.read_bytes()
    published = requests.get(f"{url}/{path}.sha1", timeout=60).text.split()[0]
    assert hashlib.sha1(content).hexdigest() == published, path
    return f"{path}\t{len(content)}\t{hashlib.sha256(content).hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1])

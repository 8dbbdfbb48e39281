"""Where faults are injected: a small but complete source, what nobody may tell of it, and an export of it to compare
with."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg

from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.sink import layout
from tests.faults.leaks import LOGGED, PATH_CANARY
from tests.support.canaries import plant, secrets_of
from tests.support.export_process import EXPORTER, PASSWORD

# Rows of every table, and every anomaly of the sample.
SCALE = 0.01
# The redaction key of masked copies.
KEY = bytes(range(100, 132))
THE_PASSWORD, A_KEY = "the password", "a key"
# In the manifest and the counts, what two exports of the same rows need not share.
TIMES = ("started_at", "finished_at")
OF_THE_SNAPSHOT = ("snapshot_at", "wal_lsn", "host")
SNAPSHOT_LINE = "snapshot\t"
# Made of the others' times; `exporter verify` holds them to the rest.
MADE_OF_TIMES = {layout.REPORT, layout.CHECKSUMS}

Files = dict[str, str]

# As docs/source-role.sql has it: it may read, and nothing else.
ROLE = "faults_reader"
GRANTS = f"""
do $$ declare name text; begin
    if not exists (select from pg_roles where rolname = '{ROLE}') then
        create role {ROLE} login password '{PASSWORD}';
    end if;
    for name in select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)' loop
        execute format('grant usage on schema %I to {ROLE}', name);
        execute format('grant select on all tables in schema %I to {ROLE}', name);
    end loop;
end $$
"""

_numbers = count(1)


@dataclass(slots=True)
class Ground:
    """A source of which exports are made one after the other, its URI for those, with a password, and for the tests.

    `directory` is for what is written, `output_name` the name of output directories. `secrets` has what no output may
    hold, in lower case, with the place that each tells of, `keys` the redaction keys as they are; `log` is the
    server's. `reference` has the files of an undisturbed export (`fingerprint`) with these `options`; it is `masked` if
    it may hold no secret either, and `latest` is the name of the link to it; `copies` are grounds that differ in these.
    `revive` starts the server if it is down, `restore` also makes the source what it was, `fill_disk` leaves no room
    below a directory of the server, and returns what tells whether that was met. Of a cluster, `workers` has the
    sessions of its processes and whether they may know the password, and `printed` what it has said since it was last
    asked.
    """

    uri: str
    admin: str
    directory: Path
    secrets: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    reference: Files = field(default_factory=dict)
    options: tuple[str, ...] = ()
    output_name: str = "output"
    copies: dict[str, "Ground"] = field(default_factory=dict)
    masked: bool = False
    latest: str = layout.LATEST
    keys: Sequence[bytes] = ()
    log: Path | None = None
    workers: Callable[[], dict[int, bool]] = dict
    printed: Callable[[], dict[str, str]] = dict
    revive: Callable[[], None] = lambda: None
    restore: Callable[[], None] = lambda: None
    fill_disk: Callable[[str], Callable[[], bool]] = lambda _: lambda: False

    def attempt_directory(self) -> Path:
        """A new directory for one attempt."""
        directory = self.directory / f"{PATH_CANARY}-{next(_numbers)}"
        directory.mkdir()
        return directory

    def sessions(self) -> list[str]:
        """The names of the exporter's sessions with the source. Raises psycopg's errors."""
        query = "select application_name from pg_stat_activity where datname = current_database()"
        with psycopg.connect(self.admin, autocommit=True, connect_timeout=5) as connection:
            return [name for (name,) in connection.execute(query) if name.startswith("exporter")]

    def patterns(self, *, everywhere: bool) -> Path:
        """A file with what may be told nowhere at all; or `everywhere` but in an export that has it by design."""
        path = self.directory / f"patterns {everywhere}"
        if not path.exists():
            found = [text for text, place in self.secrets.items() if everywhere or place in (THE_PASSWORD, A_KEY)]
            path.write_text("\n".join(found) + "\n", encoding="utf-8")
        return path


@contextmanager
def sample_ground() -> Iterator[Ground]:
    """A ground on a server of its own."""
    with TemporaryDirectory(prefix="faults-") as name, embedded_postgres() as server:
        yield filled(server, Path(name))


def filled(server: str, directory: Path) -> Ground:
    """A ground with the sample, on a new database of a server, and its reference."""
    admin = create_database(server, f"faults_{os.getpid()}_{next(_numbers)}")
    fill_sample(admin, scale=SCALE)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        needles = plant(connection).needles()
        connection.execute(GRANTS)
        connection.execute("vacuum full analyze")
        for name, value in LOGGED.items():
            connection.execute(f"alter system set {name} = '{value}'".encode())
        [(log,)] = connection.execute("select current_setting('data_directory') from pg_reload_conf()").fetchall()
    keys = secrets_of(KEY)
    secrets = {PASSWORD: THE_PASSWORD} | {key.hex(): A_KEY for key in keys} | needles
    log = next((path for path in (Path(log, "log"), Path(log).with_name("log")) if path.is_file()), None)
    ground = Ground(as_reader(admin), admin, directory, secrets, keys=keys, log=log)
    ground.reference = reference_of(ground)
    assert ground.reference, "the sample cannot be exported"
    return ground


def as_reader(admin: str) -> str:
    """The URI for the role that exports, with its password in it."""
    parts = urlsplit(admin)
    return parts._replace(netloc=f"{ROLE}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}").geturl()


def reference_of(ground: Ground) -> Files:
    """The files of an undisturbed export; none if the source cannot be exported."""
    directory = ground.attempt_directory()
    command = [EXPORTER, "export", "--quiet", "--output", directory, *ground.options]
    environment = os.environ | ground.environment | {"EXPORTER_SOURCE": ground.uri}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    files = fingerprint(Path(done.stdout.strip())) if done.returncode == 0 else {}
    shutil.rmtree(directory)
    return files


def fingerprint(export: Path) -> Files:
    """The SHA-256 of every file of an export by its path, without the export's name, times and snapshot; of what is no
    plain file, what it is."""
    found = {}
    for path in sorted(export.rglob("*")):
        name = path.relative_to(export).as_posix()
        if path.is_symlink():
            found[name] = f"a link to {path.readlink()}"
        elif path.is_dir():
            found[f"{name}/"] = "a directory"
        elif not path.is_file():
            found[name] = "no plain file"
        else:
            found[name] = hashlib.sha256(comparable(path, name)).hexdigest()
    return found


def comparable(path: Path, name: str) -> bytes:
    """The part of a file's content that is the same in every export of the same rows."""
    if name in MADE_OF_TIMES:
        return b""
    content = path.read_bytes()
    if name == layout.COUNTS:
        return b"".join(line for line in content.splitlines(True) if not line.startswith(SNAPSHOT_LINE.encode()))
    if name != layout.MANIFEST:
        return content
    manifest = json.loads(content)
    for key in TIMES:
        del manifest[key]
    manifest["options"].pop("cluster", None)
    for key in OF_THE_SNAPSHOT:
        del manifest["source"][key]
    return json.dumps(manifest, sort_keys=True).encode()

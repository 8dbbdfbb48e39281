"""A drill: no value that a masked copy must not hold is found anywhere, whatever becomes of the run."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import zstandard

from exporter.model.redaction import column_rules
from exporter.model.tables import tables
from exporter.model.treatments import Treatment
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from tests.support.canaries import RULES, Canaries, Search, plant, secrets_of
from tests.support.export_process import eventually, processes

EXPORTER = Path(sys.executable).with_name("exporter")
ROOT = Path(__file__).parents[2]
SECRET = bytes(range(100, 132))
LOGGED = {"log_statement": "all", "log_connections": "on", "log_min_duration_statement": "0", "log_duration": "on",
          "log_disconnections": "on"}  # fmt: skip
# What is in the partial export when the leader and its workers are killed.
STAGES = {
    "check": "*",
    "keys": "attempts/*/key-index/**/*",
    "tables": "nodes/*/*.csv",
    "last tables": "rejects/relationships/*/*.csv",
}


@dataclass
class Seen:
    """What others could see of a run while it ran."""

    activity: set[str] = field(default_factory=set)
    command_lines: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Aviary:
    """A source with canaries, the log of its server, and a key's file."""

    uri: str
    log: Path
    logged: int
    search: Search
    key: Path

    def command(self, output: Path, *options: str) -> list[str]:
        """The command line of a masked export."""
        masked = ["--redact", "analyst", "--redact-key", str(self.key)]
        return [str(EXPORTER), "export", "--source", self.uri, "--output", str(output), *masked, *options]

    def run(self, output: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], Seen]:
        """A masked export, watched from outside."""
        with watched(self.uri) as seen:
            done = subprocess.run(self.command(output, *options), capture_output=True, text=True, check=False)
        return done, seen

    def found(
        self, directory: Path, done: subprocess.CompletedProcess[str], seen: Seen, *, log: bool = True
    ) -> list[str]:
        """Everything that is found of canaries and keys in a directory, and in what was printed, logged or seen."""
        logged = self.log.read_bytes()[self.logged :]
        assert b"exporter" in logged
        others = {"stdout": done.stdout, "stderr": done.stderr, "log": logged.decode(errors="replace") if log else "",
                  "activity": "\n".join(seen.activity), "command lines": "\n".join(seen.command_lines)}  # fmt: skip
        (directory / "seen").mkdir()
        for name, text in others.items():
            (directory / "seen" / name).write_text(text, encoding="utf-8")
        return self.search.files(directory)


@contextmanager
def watched(uri: str) -> Iterator[Seen]:
    """Watches the server's sessions and this process's descendants while the block runs."""
    seen, ended = Seen(), threading.Event()

    def watch() -> None:
        with psycopg.connect(uri, autocommit=True) as connection:
            while not ended.wait(0.01):
                for row in connection.execute("select application_name, query from pg_stat_activity"):
                    seen.activity.add("\n".join(text or "" for text in row))
                for row in connection.execute("select name, setting from pg_settings where name like 'exporter%'"):
                    seen.activity.add("\n".join(row))
                for child in psutil.Process().children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        seen.command_lines.add(" ".join(child.cmdline()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Aviary, Canaries]]:
    """A server of the drill's own, which logs all it can once the canaries are there."""
    key = tmp_path_factory.mktemp("key") / "redact.key"
    key.write_text(SECRET.hex() + "\n", encoding="ascii")
    key.chmod(0o600)
    with embedded_postgres() as server:
        uri = create_database(server, "aviary")
        fill_sample(uri, scale=0.1)
        with psycopg.connect(uri, autocommit=True) as connection:
            canaries = plant(connection)
            for name, value in LOGGED.items():
                connection.execute(f"alter system set {name} = '{value}'".encode())
            connection.execute("select pg_reload_conf()")
            [(directory,)] = connection.execute("show data_directory").fetchall()
        log = Path(directory, "log")
        search = Search(canaries.needles(), secrets_of(SECRET), key.with_name("patterns"))
        yield Aviary(uri, log, log.stat().st_size, search, key), canaries


@pytest.fixture
def aviary(filled: tuple[Aviary, Canaries]) -> Aviary:
    return filled[0]


def test_where_the_canaries_are(filled: tuple[Aviary, Canaries]) -> None:
    """In every column whose treatment is not keep, in those that are not exported, and in one that was added later."""
    places = {place.rpartition(" ")[0] for place in filled[1].values}
    assert {"guide.bank_account.account_number", "auth.otp_attempts.phone_number", "auth.user_sessions.id",
            "wallet.consultant_wallets.phone_number", "guide.guide_profile.referrer_code",
            "notifications.notifications.auth_user_id", "guide.skills.added_later"} <= places  # fmt: skip
    kept = set(filled[1].kept)
    assert not places & kept
    assert {"guide.skills.name", "auth.user_devices.id", "customers.customer.created_at"} <= kept
    masked = {name for table in tables() for name, rule in column_rules(table, RULES).items()
              if rule.treatment is not Treatment.KEEP and f"{table.name}.{name}" not in places}  # fmt: skip
    assert masked == set()


def test_a_hit_is_found(aviary: Aviary, tmp_path: Path) -> None:
    """Otherwise the rest would prove nothing: of each value, of its hashes, of a key, in every case, in any file."""
    (tmp_path / "clean").write_bytes(b"\x00\xffnothing")
    assert aviary.search.files(tmp_path) == []
    for number, needle in enumerate(aviary.search.needles):
        (tmp_path / str(number)).write_bytes(b"\x00\xff1," + needle.upper().encode() + b"\n")
    assert aviary.search.files(tmp_path) == sorted(set(aviary.search.needles.values()))
    for number, secret in enumerate(aviary.search.secrets):
        place = tmp_path / f"key {number}"
        place.mkdir()
        (place / "bytes").write_bytes(b"before" + secret + b"after")
        assert aviary.search.files(place) == ["a key"]
        (place / "bytes").write_text(f"before {secret.hex().upper()} after", encoding="utf-8")
        assert aviary.search.files(place) == ["a key"]


@pytest.mark.parametrize("window", [(), ("--since", "3650d"), ("--sample", "50%")])
def test_an_export(aviary: Aviary, tmp_path: Path, window: tuple[str, ...]) -> None:
    """Files, report, archive and what it holds; what the server and its other sessions saw."""
    done, seen = aviary.run(tmp_path / "output", "--archive", *window)
    assert done.returncode == 0, done.stderr
    assert any("sha256" in query for query in seen.activity)
    assert any("spawn_main" in line for line in seen.command_lines)
    [archive] = (tmp_path / "output").glob("*.tar.zst")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    with archive.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        subprocess.run(["tar", "-x", "-C", unpacked], input=stream.read(), check=True)
    assert list(unpacked.glob("*/report.html"))
    assert list(unpacked.glob("*/rejects/nodes/*/*.csv"))
    assert aviary.found(tmp_path, done, seen) == []


def test_too_many_rejects(aviary: Aviary, tmp_path: Path) -> None:
    """The rejects that are kept, and the message."""
    done, seen = aviary.run(tmp_path, "--max-rejects", "0")
    assert done.returncode == 1, done.stderr
    assert list(tmp_path.glob("rejected-*/*/*/*.csv"))
    assert aviary.found(tmp_path, done, seen) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_export(aviary: Aviary, tmp_path: Path, stage: str) -> None:
    """What SIGKILL leaves: the partial export with keys, values of links and files."""
    with watched(aviary.uri) as seen:
        process = subprocess.Popen(aviary.command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)  # fmt: skip
        eventually(lambda: any(tmp_path.glob(f".partial-*/{STAGES[stage]}")), stage, pause=0.005)
        for left in processes(process.pid):
            with suppress(psutil.NoSuchProcess):
                left.kill()
        out, err = process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert any(tmp_path.glob(".partial-*"))
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert aviary.found(tmp_path, done, seen) == []


def test_a_source_that_fails(aviary: Aviary, tmp_path: Path) -> None:
    """A value that the server itself cannot read, in a column that is masked: the error names the place, no value."""
    with psycopg.connect(aviary.uri, autocommit=True) as connection:
        connection.execute("create schema broken")
        connection.execute("create view broken.leads as select id, phone, name, source, utm_source, utm_medium,"
                           " (source::int)::text as utm_campaign, status, customer_id, created_at"
                           " from marketing.leads")  # fmt: skip
    settings = tmp_path / "exporter.toml"
    settings.write_text('[tables]\n"marketing.leads" = "broken.leads"\n', encoding="utf-8")
    done, seen = aviary.run(tmp_path / "output", "--config", str(settings))
    assert done.returncode == 4, done.stderr
    assert aviary.found(tmp_path, done, seen, log=False) == []


def test_a_store(aviary: Aviary, neo4j_home: Neo4jHome, tmp_path: Path) -> None:
    """Neo4j's files and logs after the import of a masked export, and what the import prints."""
    done, seen = aviary.run(tmp_path / "output")
    assert done.returncode == 0, done.stderr
    store = tmp_path / "neo4j"
    store.mkdir()
    conf = configure(store)
    command = [str(ROOT / "scripts" / "import.sh"), done.stdout.splitlines()[-1]]
    imported = subprocess.run(command, env=environment(neo4j_home, conf), capture_output=True, text=True, check=False)
    assert imported.returncode == 0, imported.stderr
    (tmp_path / "printed").write_text(imported.stdout + imported.stderr, encoding="utf-8")
    assert sum(path.stat().st_blocks for path in store.rglob("*")) > 1000
    assert aviary.found(tmp_path, done, seen) == []

"""A drill: no value that a masked copy must not hold is found anywhere, whatever becomes of the run."""

import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest
import zstandard

from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from tests.support.canaries import Canaries, Search, plant, secrets_of
from tests.support.export_process import eventually, processes

EXPORTER = Path(sys.executable).with_name("exporter")
ROOT = Path(__file__).parents[2]
SECRET = bytes(range(100, 132))
LOGGED = {"log_statement": "all", "log_connections": "on", "log_min_duration_statement": "0", "log_duration": "on",
          "log_min_messages": "debug1"}  # fmt: skip
# What is in the partial export when the leader and its workers are killed.
STAGES = {
    "check": "*",
    "keys": "key-index/**/*",
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
    canaries: Canaries
    key: Path

    @property
    def search(self) -> Search:
        return Search(self.canaries.needles(), secrets_of(SECRET))

    def command(self, output: Path, *options: str) -> list[str]:
        """The command line of a masked export."""
        masked = ["--redact", "analyst", "--redact-key", str(self.key)]
        return [str(EXPORTER), "export", "--source", self.uri, "--output", str(output), *masked, *options]

    def run(self, output: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], Seen]:
        """A masked export, watched from outside."""
        with watched(self.uri) as seen:
            done = subprocess.run(self.command(output, *options), capture_output=True, text=True, check=False)
        return done, seen

    def found(self, done: subprocess.CompletedProcess[str], seen: Seen, *places: Path) -> list[str]:
        """Everything that is found of the canaries and keys."""
        log = self.log.read_bytes()[self.logged :].decode(errors="replace")
        assert "exporter" in log
        return [
            *self.search.text("stdout", done.stdout),
            *self.search.text("stderr", done.stderr),
            *self.search.text("the server's log", log),
            *self.search.text("pg_stat_activity", "\n".join(seen.activity)),
            *self.search.text("a command line", "\n".join(seen.command_lines)),
            *self.search.files(*places),
        ]


@contextmanager
def watched(uri: str) -> Iterator[Seen]:
    """Watches the server's sessions and this process's descendants while the block runs."""
    seen, ended = Seen(), threading.Event()

    def watch() -> None:
        with psycopg.connect(uri, autocommit=True) as connection:
            while not ended.wait(0.005):
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
def aviary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aviary]:
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
        yield Aviary(uri, log, log.stat().st_size, canaries, key)


def test_where_the_canaries_are(aviary: Aviary) -> None:
    """In every column whose treatment is not keep, in those that are not exported, and in one that was added later."""
    places = {place.rpartition(" ")[0] for place in aviary.canaries.values}
    assert {"guide.bank_account.account_number", "auth.otp_attempts.phone_number", "auth.user_sessions.id",
            "wallet.consultant_wallets.phone_number", "guide.guide_profile.referrer_code",
            "notifications.notifications.auth_user_id", "guide.skills.added_later"} <= places  # fmt: skip
    assert len(places) == 106
    kept = set(aviary.canaries.kept)
    assert not places & kept
    assert {"guide.skills.name", "auth.user_devices.id", "customers.customer.created_at"} <= kept


def test_a_hit_is_found(aviary: Aviary, tmp_path: Path) -> None:
    """Otherwise the rest would prove nothing: of each value, of its hashes, of a key, in every case, in any file."""
    search = aviary.search
    assert search.files(tmp_path) == []
    for number, (needle, what) in enumerate(search.needles.items()):
        place = tmp_path / str(number % 7)
        place.mkdir(exist_ok=True)
        file = place / "hit"
        file.write_bytes(b"\x00\xff1,\n" + needle.upper().encode() + b"\n")
        if number % 50 == 0:
            assert search.files(place) == [what]
        assert search.grepped([place]) == [what]
        assert f"{what} in here" in search.text("here", f"before {needle} after")
        file.unlink()
    for secret in search.secrets:
        (tmp_path / "key").write_bytes(b"before" + secret + b"after")
        assert search.files(tmp_path) == [f"a key in {tmp_path / 'key'}"]
        assert search.text("here", secret.hex().upper()) == ["a key in here"]


def test_an_export(aviary: Aviary, tmp_path: Path) -> None:
    """Files, report, archive and what it holds; what the server and its other sessions saw."""
    done, seen = aviary.run(tmp_path / "output", "--archive")
    assert done.returncode == 0, done.stderr
    assert any("sha256" in query for query in seen.activity)
    assert any("spawn_main" in line for line in seen.command_lines)
    archive = Path(done.stdout.splitlines()[-1])
    unpacked = tmp_path / "unpacked"
    with (
        archive.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        tar.extractall(unpacked, filter="data")
    assert list(unpacked.glob("*/report.html"))
    assert list(unpacked.glob("*/rejects/nodes/*/*.csv"))
    assert aviary.found(done, seen, tmp_path / "output", unpacked) == []


def test_too_many_rejects(aviary: Aviary, tmp_path: Path) -> None:
    """The rejects that are kept, and the message."""
    done, seen = aviary.run(tmp_path, "--max-rejects", "0")
    assert done.returncode == 1, done.stderr
    assert list(tmp_path.glob("rejected-*/*/*/*.csv"))
    assert aviary.found(done, seen, tmp_path) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_export(aviary: Aviary, tmp_path: Path, stage: str) -> None:
    """What SIGKILL leaves: the partial export with keys, values of links and files."""
    with watched(aviary.uri) as seen:
        process = subprocess.Popen(aviary.command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)  # fmt: skip
        eventually(lambda: any(tmp_path.glob(f".partial-*/{STAGES[stage]}")), stage)
        for left in processes(process.pid):
            with suppress(psutil.NoSuchProcess):
                left.kill()
        out, err = process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert any(tmp_path.glob(".partial-*"))
    done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert aviary.found(done, seen, tmp_path) == []


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
    assert [place for place in aviary.found(done, seen, tmp_path) if "the server's log" not in place] == []


@pytest.mark.parametrize("window", [(), ("--since", "3650d"), ("--sample", "50%")])
def test_a_store(aviary: Aviary, neo4j_home: Neo4jHome, tmp_path: Path, window: tuple[str, ...]) -> None:
    """Neo4j's files and logs after the import of a masked export, or of a window of it."""
    done, seen = aviary.run(tmp_path / "output", *window)
    assert done.returncode == 0, done.stderr
    store = tmp_path / "neo4j"
    store.mkdir()
    conf = configure(store)
    command = [str(ROOT / "scripts" / "import.sh"), done.stdout.splitlines()[-1]]
    imported = subprocess.run(command, env=environment(neo4j_home, conf), capture_output=True, text=True, check=False)
    assert imported.returncode == 0, imported.stderr
    assert list(store.rglob("neostore*")) or list(store.rglob("block*"))
    assert aviary.found(done, seen, tmp_path) == []
    assert aviary.search.text("import.sh", imported.stdout + imported.stderr) == []

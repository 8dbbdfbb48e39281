"""A live Neo4j that is rebuilt at night, and readers that query it all the time."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo4j
import psutil
from neo4j.exceptions import DriverError, Neo4jError

from exporter.store.verify import verify_bolt
from tests.support.export_process import command_of, eventually, processes
from tests.support.installed_neo4j import PASSWORD, Installed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "nightly.md").read_text(encoding="utf-8")
SECRET = "never-to-be-shown"
# They find any outage, of which each of their connections would die, and leave the machine to the rebuild.
READERS, PAUSE = 2, 0.25
# A Neo4j has to start here and there, maybe on a busy machine.
TIMEOUT = 600
# Not the name that everything has by default.
DATABASE = "graph"
CONFIGURATION = f"\ninitial.dbms.default_database={DATABASE}\n"
# A stop or start command of the user's own: the first time after a test has written `directory/VERB-instead`, that.
COMMAND = """\
#!/usr/bin/env bash
if [ -e {directory}/{verb}-instead ]; then
    mv {directory}/{verb}-instead {directory}/{verb}-now
    exec bash {directory}/{verb}-now
fi
exec {home}/bin/neo4j {verb}
"""
# neo4j-admin, to whose arguments and output a test may do something once.
ADMIN = """\
#!/usr/bin/env bash
if [ -e {directory}/import-instead ]; then
    mv {directory}/import-instead {directory}/import-now
    . {directory}/import-now
fi
exec {home}/bin/neo4j-admin.real "$@"
"""


def blocks(language: str) -> list[str]:
    """The code blocks of docs/nightly.md in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@dataclass
class Readers:
    """Threads that count nodes over Bolt again and again: when each got which answer, None for none."""

    uri: str
    answers: list[tuple[float, int | None]] = field(default_factory=list)
    stopped: bool = False

    def read(self) -> None:
        auth = ("neo4j", PASSWORD)
        with neo4j.GraphDatabase.driver(
            self.uri, auth=auth, connection_timeout=2, max_transaction_retry_time=0
        ) as driver:
            while not self.stopped:
                try:
                    [record] = driver.execute_query("MATCH (n) RETURN count(n) AS nodes").records
                    self.answers.append((time.monotonic(), record["nodes"]))
                except (DriverError, Neo4jError, OSError):
                    self.answers.append((time.monotonic(), None))
                time.sleep(PAUSE)

    @contextmanager
    def reading(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped = True
            for thread in threads:
                thread.join()

    def since(self, begin: float) -> list[int | None]:
        """The different answers since a moment, in the order of their first times."""
        return list(dict.fromkeys(answer for moment, answer in self.answers if moment >= begin))


@dataclass
class Night:
    """A running rebuild, in a session of its own."""

    process: subprocess.Popen[str]
    site: "Site"
    began: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def wait_for_line(self, text: str) -> None:
        def appeared() -> bool:
            assert self.process.poll() is None, f"it ended early: {self.text}"
            return any(text in line for line in self.lines)

        eventually(appeared, f"the line {text}", TIMEOUT)

    def exporter(self) -> psutil.Process:
        """The process of the command itself, which is the shell's child or has taken its place."""
        return next(child for child in processes(self.process.pid) if "rebuild" in command_of(child)[1:3])

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def end(self) -> tuple[int, dict[str, Any]]:
        """Its exit code, and the object that is the last line on stdout."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        code = self.process.wait(TIMEOUT)
        self.listener.join(60)
        assert SECRET not in out + self.text and PASSWORD not in out + self.text
        assert "bolt://" not in out + self.text and "postgresql://" not in out + self.text
        assert "Traceback" not in self.text, self.text
        return code, json.loads(out.splitlines()[-1]) if out else {}


@dataclass
class Site:
    """Where a rebuild is run: the source, the live Neo4j, and the export that the live graph must have."""

    directory: Path
    source: str
    live: Installed
    readers: Readers
    good: Path | None = None

    @property
    def output(self) -> Path:
        return self.directory / "exports"

    @property
    def root(self) -> Path:
        return self.live.home / "data" / "rebuild"

    def instead(self, verb: str, script: str) -> None:
        """What the next stop, start or import does in place of the real one."""
        (self.directory / f"{verb}-instead").write_text(script, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What an operator's shell has."""
        path = f"{Path(sys.executable).parent}:{os.defpath}"
        return os.environ | {"PATH": path, "PGPASSWORD": SECRET, "NEO4J_PASSWORD": PASSWORD}

    def ask(self, command: str) -> str:
        """What a command line prints that only asks."""
        shell = ["bash", "-euo", "pipefail", "-c", command]
        done = subprocess.run(shell, cwd=self.directory, env=self.environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    @contextmanager
    def night(self, command: str = "scripts/rebuild.sh", **environment: str) -> Iterator[Night]:
        """A rebuild by a command line while the block runs; killed at its end."""
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=self.environment | environment,
        )
        with process:
            night = Night(process, self)
            try:
                yield night
            finally:
                for child in processes(process.pid):
                    with suppress(psutil.NoSuchProcess):
                        child.kill()

    def check_good(self) -> None:
        """The live graph is what the manifest of the last good export says."""
        assert self.good is not None
        differences = verify_bolt(self.good, self.live.bolt_uri, user="neo4j", password=PASSWORD, database=DATABASE)
        assert differences == []

    def nodes(self) -> int:
        """The number of nodes of the last good export."""
        assert self.good is not None
        totals = json.loads((self.good / "manifest.json").read_text(encoding="utf-8"))["totals"]
        return int(totals["nodes"])

    def check_clean(self, night: Night) -> None:
        """Nothing is left of a run: no process, no stage, no unfinished store or export, no swap under way."""
        eventually(lambda: not processes(night.process.pid), "the end of all processes")
        assert workers(self.root / "stage") == []
        stage = self.root / "stage"
        assert [path.name for path in stage.iterdir() if path.name != "logs"] == [] if stage.exists() else True
        assert [path.name for path in (self.root / "stores").iterdir() if path.name.startswith(".")] == []
        assert not (self.root / "swap.json").exists()
        assert list(self.output.glob(".partial*")) == []

    def check_untouched(self, night: Night, code: int, sentence: str) -> dict[str, Any]:
        """The run fails with this code and sentence, readers never notice, and nothing is left of it."""
        ended, result = night.end()
        assert (ended, result["exit_code"]) == (code, code), night.text
        assert re.search(sentence, result["message"], re.DOTALL), result["message"]
        assert f"exporter: {result['message']}\n" in night.text
        assert self.readers.since(night.began) == [self.nodes()]
        self.check_good()
        assert self.good and (self.output / "latest").resolve() == self.good
        self.check_clean(night)
        return result


def workers(stage: Path) -> list[psutil.Process]:
    """The processes that work on a stage."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get("NEO4J_CONF") == str(stage / "conf"):
                found.append(process)
    return found


def prepare(directory: Path, source: str, live: Installed) -> Site:
    """Writes what an operator would, the settings of the page above all, and the commands that tests replace."""
    for verb in ("stop", "start"):
        program = directory / f"{verb}.sh"
        program.write_text(COMMAND.format(directory=directory, verb=verb, home=live.home), encoding="utf-8")
        program.chmod(0o755)
    admin = live.home / "bin" / "neo4j-admin"
    admin.rename(admin.with_name("neo4j-admin.real"))
    admin.write_text(ADMIN.format(directory=directory, home=live.home), encoding="utf-8")
    admin.chmod(0o755)
    with (live.home / "conf" / "neo4j.conf").open("a", encoding="utf-8") as file:
        file.write(CONFIGURATION)
    [settings] = blocks("toml")
    source_uri = re.findall(r'^source = "(.*)"$', settings, re.MULTILINE)[0]
    for example, actual in {
        source_uri: source,
        "/srv/graph": str(directory),
        "/opt/neo4j": str(live.home),
        "sudo systemctl stop neo4j": f"bash {directory}/stop.sh",
        "sudo systemctl start neo4j": f"bash {directory}/start.sh",
        "/var/lib/node_exporter": str(directory),
    }.items():
        assert example in settings, example
        settings = settings.replace(example, actual)
    settings += f'bolt = "{live.bolt_uri}"\ndatabase = "{DATABASE}"\nneo4j_timeout = "{TIMEOUT}s"\n'
    (directory / "exporter.toml").write_text(settings, encoding="utf-8")
    (directory / "scripts").symlink_to(ROOT / "scripts")
    return Site(directory, source, live, Readers(live.bolt_uri))

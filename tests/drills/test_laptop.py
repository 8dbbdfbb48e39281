"""A drill: an analyst's laptop, from an empty home directory to an answered query in three commands, the second time
without a network; then what docs/laptop.md has besides, one test after the other on the same laptop.

The command lines are that page's."""

import csv
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from exporter.store.provision import Neo4jHome, default_cache
from tests.support import tiny_export
from tests.support.browser import Browser, browser, chromium
from tests.support.ports import closed_port
from tests.support.quick_java import quick_java

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "laptop.md").read_text(encoding="utf-8")
COMMANDS = Path(sys.executable).parent
EXAMPLE = "postgresql://exporter@db.example.org/astrokiran"
# The sample has seven days, whenever the drill is: the last four of them stand for the last week of a source.
WEEK, DAYS = "--since 7d", "--since 2026-11-19"
TIMEOUT = 600

# A namespace of the network in which there is this machine and nothing else, for as long as somebody holds it.
ALONE = """
import fcntl, socket, struct, sys
with socket.socket() as any_socket:
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
print("alone", flush=True)
sys.stdin.read()
"""
UNREACHABLE = "import socket; socket.create_connection(('192.0.2.1', 443), 5)"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Laptop:
    """A user's home directory, what stands for the page's example, and the network its commands run in."""

    home: Path
    source: str
    within: Sequence[str] = ()
    proxy: str = ""

    @property
    def environment(self) -> dict[str, str]:
        variables = {"PATH": f"{COMMANDS}:{os.defpath}", "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        variables["TMPDIR"] = str(self.home / "tmp")
        # With a blank in it, as macOS has one.
        variables["XDG_DATA_HOME"] = str(self.home / "Application Support")
        variables |= quick_java()
        return variables | ({"https_proxy": self.proxy, "http_proxy": self.proxy} if self.proxy else {})

    @property
    def graphs(self) -> Path:
        return self.home / "Application Support" / "astrokiran-graph-exporter"

    def start(self, script: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.within, "bash", "-euo", "pipefail", "-c", script.replace(EXAMPLE, self.source).replace(WEEK, DAYS)],
            cwd=self.home, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, script: str, code: int = 0) -> Done:
        """What lines of a shell say, and that they end as they should."""
        with self.start(script) as process:
            out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return Done(process.returncode, out, err)

    def answer(self, cypher: str, name: str = "graph") -> list[str]:
        return self.run(f"exporter local query --name {name} {shlex.quote(cypher)}").out.split()

    def listed(self) -> dict[str, list[str]]:
        """Name -> what `list` says of the graph."""
        lines = self.run("exporter local list").out.splitlines()[1:]
        return {line.split()[0]: line.split()[1:] for line in lines}

    def servers(self) -> list[psutil.Process]:
        """The Javas that run on something below the home directory."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(str(self.graphs) in word for word in process.cmdline()) and "java" in process.name():
                    found.append(process)
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def block(title: str, number: int = 0) -> str:
    """The shell lines under a heading of the page, of one of its blocks."""
    section = re.split(r"^## ", PAGE.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return blocks[number]


@pytest.fixture(scope="module")
def laptop(neo4j_home: Neo4jHome, sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A home directory, empty but for Neo4j's jars where a download has them, and what an import of the tests has kept
    for the next one; no server outlives the tests."""
    home = tmp_path_factory.mktemp("laptop")
    (home / "tmp").mkdir()
    cache = home / ".cache" / "astrokiran-graph-exporter"
    cache.mkdir(parents=True)
    for path in (neo4j_home.home, *default_cache().glob("import-*.aot")):
        (cache / path.name).symlink_to(path)
    laptop = Laptop(home, sample_database)
    yield laptop
    for process in laptop.servers():
        process.kill()


@pytest.fixture(scope="module")
def offline(laptop: Laptop) -> Iterator[Laptop]:
    """The same laptop without a network: alone in a namespace where the system lets us, else behind a proxy that is not
    there."""
    for flags, enter in ((["-n"], ["-n"]), (["-r", "-n"], ["-U", "-n", "--preserve-credentials"])):
        command = ["unshare", *flags, sys.executable, "-c", ALONE]
        with suppress(FileNotFoundError), subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as holder:  # fmt: skip
            assert holder.stdout is not None and holder.stdin is not None
            if holder.stdout.readline():
                within = ["nsenter", "-t", str(holder.pid), *enter]
                tried = subprocess.run([*within, sys.executable, "-c", UNREACHABLE], capture_output=True, text=True)
                assert "Network is unreachable" in tried.stderr
                yield Laptop(laptop.home, laptop.source, within)
                holder.stdin.close()
                return
    print("no namespace for a network of its own: only the proxy is cut off")
    yield Laptop(laptop.home, laptop.source, proxy=f"http://127.0.0.1:{closed_port()}")


def test_three_commands_and_then_without_a_network(laptop: Laptop, offline: Laptop) -> None:
    """The same three commands answer both times; the second graph replaces the first at the same address."""
    commands = block("Three commands")
    assert len(commands.splitlines()) == 3
    first = laptop.run(commands)
    assert commands.count(f"{WEEK} --redact analyst") == 2
    assert first.out.count("The source can be exported") == first.out.count("A window, since 2026-11-19") == 1
    earnings = re.findall(r"^Guide \d+ +[\d,]+\.\d\d", first.out, re.MULTILINE)
    assert earnings and "Priya Rao" not in first.out
    password = (laptop.graphs / "graph" / "password").read_text()
    assert password not in first.out + first.err
    assert (laptop.graphs / "graph").stat().st_mode & 0o777 == 0o700
    [server] = laptop.servers()
    address = re.search(r"bolt://127\.0\.0\.1:\d+", first.out)
    assert address and password not in " ".join(server.cmdline())
    logs = list((laptop.graphs / "graph").glob("2*/logs/*"))
    assert logs and not any(password.encode() in log.read_bytes() for log in logs if log.is_file())

    second = offline.run(commands)
    assert f"{address[0]}\n" in second.out and all(line in second.out for line in earnings)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    assert len(laptop.servers()) == 1
    left = sorted(path.name for path in (laptop.graphs / "graph").iterdir() if not path.is_dir())
    assert left == ["graph.json", "password"] and len(list((laptop.graphs / "graph").iterdir())) == 3
    assert (laptop.graphs / "graph" / "password").read_text() == password

    answer = offline.run(block("Ask")).out
    assert "total_earnings" in answer and "customers" in answer
    for number in range(1, 6):
        assert offline.run(f"exporter local query {number}").out.count("\n") > 1
    [[token]] = [set(re.findall(r"phone_number: \"(.+?)\"", second.out))]
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert "refuses the query: Writing" in offline.run("exporter local query 'CREATE (n)'", 2).err


def test_results_for_programs_and_for_terminals(offline: Laptop) -> None:
    """Files hold exact values, a terminal is never commanded, and what Neo4j remarks is on stderr."""
    offline.run(block("Ask", 1))
    guides = list(csv.DictReader((offline.home / "guides.csv").open(newline="", encoding="utf-8")))
    lines = (offline.home / "guides.jsonl").read_text(encoding="utf-8").splitlines()
    properties = [json.loads(line)["g"]["properties"] for line in lines]
    assert len(guides) > 30
    assert {int(guide["g.id"]): guide["g.full_name"] for guide in guides} == {
        guide["id"]: guide.get("full_name", "") for guide in properties
    }
    question = shlex.quote(r"RETURN '\u001B[2J' AS a")
    assert offline.run(f"exporter local query --format csv {question}").out == "a\n\x1b[2J\n"
    terminal = shlex.join([sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])"])
    for form, shown in (("csv", r"a\x1B[2J"), ("json", r'{"a":"\u001b[2J"}')):
        written = offline.run(f"{terminal} exporter local query -q --format {form} {question}").out
        assert "".join(written.split()) == shown
    misspelt = offline.run("echo 'MATCH (g:Guid) RETURN g' | exporter local query -")
    assert misspelt.out == "no rows\n"
    assert misspelt.err.startswith("exporter: Neo4j: warn: label does not exist. The label `Guid` does not exist")


@pytest.mark.skipif(not chromium(), reason="there is no Chromium on this machine")
def test_neo4j_browser_draws_the_graph(offline: Laptop, tmp_path: Path) -> None:
    """At the printed address, with the password from the file."""
    graph = json.loads(offline.run("exporter local start --json").out)
    if not graph["browser"]:
        pytest.skip("Neo4j's jars in this cache were downloaded without its Browser")
    # Within its namespace of the network, if it has one.
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([*offline.within, chromium() or ""])} "$@"\n')
    program.chmod(0o755)
    with browser(str(program), tmp_path / "profile") as page:
        target = page.call("Target.createTarget", url="about:blank")["targetId"]
        page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page.call("Page.navigate", url=graph["browser"])
        for field, text in (("username", graph["user"]), ("password", Path(graph["password_file"]).read_text())):
            wait_for(
                page,
                f"document.querySelector('[data-testid={field}]')?.focus() === undefined"
                f" && document.activeElement?.dataset.testid === '{field}'",
            )
            page.call("Input.insertText", text=text)
        press_enter(page)
        wait_for(page, "document.body.innerText.includes('You are connected as user neo4j')")
        wait_for(
            page,
            "document.querySelector('.monaco-editor textarea')?.focus() === undefined"
            " && document.activeElement?.tagName === 'TEXTAREA'",
        )
        page.call("Input.insertText", text="MATCH p = (:Guide)-[:HAS_SKILL]->(:Skill) RETURN p LIMIT 5")
        press_enter(page, modifiers=2)  # Control
        wait_for(page, "document.querySelectorAll('svg .node').length > 5")


def wait_for(page: Browser, condition: str) -> None:
    """Waits until an expression is true in a page."""
    deadline = time.monotonic() + TIMEOUT / 5
    while not page.ask(f"Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        time.sleep(0.2)


def press_enter(page: Browser, modifiers: int = 0) -> None:
    key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": modifiers}
    page.call("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
    page.call("Input.dispatchKeyEvent", type="keyUp", **key)


def test_stopped_started_and_killed(offline: Laptop) -> None:
    """After a stop, and after a kill that nobody expected, the graph is there again; another's process is never hit."""
    offline.run(block("Stop, start, refresh"))
    assert offline.listed()["graph"][0] == "yes"
    [server] = offline.servers()
    server.send_signal(signal.SIGKILL)
    psutil.wait_procs([server], TIMEOUT)
    assert offline.listed()["graph"][0] == "no"
    assert "was not running" in offline.run("exporter local stop").out
    assert "the graph is not running; start it: exporter local start\n" in offline.run("exporter local query 1", 2).err
    offline.run("exporter local start")
    assert offline.answer("MATCH (n:Guide) RETURN count(n) > 0 AS some") == ["some", "true"]
    assert "total" not in offline.run("exporter local start").err


def test_several_side_by_side(offline: Laptop) -> None:
    """Each by its name and at an address of its own; a removed one leaves nothing, and the other answers on."""
    export, make, listing, *rest = block("Several graphs").splitlines()
    assert len(rest) == 2
    offline.run("\n".join([export, make]))
    listed = offline.listed()
    assert {name: cells[0] for name, cells in listed.items()} == {"graph": "yes", "last-week": "yes"}
    assert len({cells[1] for cells in listed.values()}) == 2
    assert len(offline.servers()) == 2
    assert "journey" not in offline.run("\n".join([listing, *rest])).err
    assert list(offline.listed()) == ["graph"]
    assert not (offline.graphs / "last-week").exists()
    assert len(offline.servers()) == 1
    assert (offline.home / "output" / "latest" / "manifest.json").is_file()
    assert "never guessed" in offline.run("exporter local remove", 2).err


def broken(directory: Path, fault: str) -> Path:
    """An export that fails as a graph of it is made: at its files, in the import, or with its schema."""
    export = tiny_export.write(directory / fault.replace(" ", "-"))
    if fault == "a damaged file":
        (export / "nodes/Customer/part-0001.csv").write_text("7\n")
    elif fault == "a dangling relationship":
        manifest = tiny_export.manifest(export)
        [file] = [entry for entry in manifest["files"] if "HAS_SESSION" in entry["path"]]
        content = (export / file["path"]).read_bytes().replace(b"0,", b"9,", 1)
        (export / file["path"]).write_bytes(content)
        file["sha256"] = hashlib.sha256(content).hexdigest()
        tiny_export.write_manifest(export, manifest)
    else:
        (export / "schema.cypher").write_text(
            "CREATE CONSTRAINT wrong FOR (n:AuthUser) REQUIRE n.is_active IS UNIQUE;\n"
        )
        tiny_export.write_checksums(export)
    return export


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        ("a damaged file", 1, "differs from its manifest: nodes/Customer/part-0001.csv: changed"),
        ("a dangling relationship", 4, "the import failed (neo4j-admin ended with"),
        ("a constraint that is violated", 4, "Neo4j refused a statement of the schema"),
    ],
)
def test_a_failure_leaves_the_graph_that_was(
    fault: str, code: int, sentence: str, offline: Laptop, tmp_path: Path
) -> None:
    """The same server answers on, and nothing of the new one stays but what explains the failure."""
    before = offline.servers()
    stderr = offline.run(f"exporter local --from {broken(tmp_path, fault)}", code).err
    assert sentence in stderr.rpartition("exporter: ")[2]
    assert offline.servers() == before and len(before) == 1
    assert offline.answer("MATCH (n:Guide) RETURN count(n) > 0 AS some") == ["some", "true"]
    record = (offline.graphs / "graph" / "graph.json").read_text()
    others = [path for path in (offline.graphs / "graph").glob("2*") if path.name not in record]
    assert {part.name for path in others for part in path.iterdir()} <= {"logs"}


@pytest.mark.parametrize("step", ["1 ·", "Importing into", "3 ·", "4 ·", "5 ·"])
def test_interrupted(step: str, offline: Laptop, tmp_path: Path) -> None:
    """^C while the files are compared, imported, served, verified, and put in the old graph's place: exit code 130, one
    server as before, the data as before."""
    offline.run("exporter local start")
    interrupt(offline, f"exporter local --from {tiny_export.write(tmp_path / 'export')}", step)
    assert len(offline.servers()) == 1
    assert offline.answer("MATCH (n:Guide) RETURN count(n) > 0 AS some") == ["some", "true"]


def test_a_first_graph_that_was_interrupted(offline: Laptop, tmp_path: Path) -> None:
    """Leaves nothing, neither a process nor a file but the lock."""
    before = offline.servers()
    interrupt(offline, f"exporter local --name first --from {tiny_export.write(tmp_path / 'export')}", "4 ·")
    assert offline.servers() == before
    assert sorted(path.name for path in offline.graphs.glob("*first*")) == [".first.lock"]


def interrupt(laptop: Laptop, script: str, line: str) -> None:
    """Presses ^C as soon as a command says a line with this text."""
    process = laptop.start(script)
    assert process.stderr is not None
    assert any(line in printed for printed in iter(process.stderr.readline, ""))
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, "exporter: stopped" in rest, "Traceback" in rest) == (130, True, False), rest

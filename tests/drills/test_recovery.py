"""A drill: docs/disaster-recovery.md as it stands, from an archive to a verified database on a host without Python.

`DRILL_SCALE=8` in the environment takes a larger sample than the 0.1 of every run, `DRILL_NEO4J=2026.09` that version:
the other drills start 2026.09, so this one takes 5.26, unless there is no Java for it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exporter.published.verify import verify_files
from exporter.sample.source import fill_sample
from exporter.sink.manifest import read_manifest
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.verify import verify_bolt
from tests.conftest import find_java
from tests.support import tiny_export
from tests.support.installed_neo4j import PASSWORD, Installed, cypher_shell, installed, launcher_home, run, set_password
from tests.support.quick_java import quick_java

NEO4J = os.environ.get("DRILL_NEO4J", "5.26")
SCALE = float(os.environ.get("DRILL_SCALE", "0.1"))
# What a larger one takes is measured.
QUICK = quick_java() if SCALE == 0.1 else {}
PAGE = (Path(__file__).parents[2] / "docs" / "disaster-recovery.md").read_text(encoding="utf-8")
COMMANDS = Path(sys.executable).parent
STAMP = "20261123T031500Z"
BASH = shutil.which("bash") or "bash"


def section(title: str) -> str:
    """What stands under a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(title: str, language: str = "sh") -> list[str]:
    """The code blocks of a section."""
    return re.findall(rf"^```{language}\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Host:
    """A directory to work in, the programs there are, and what stands there for the page's examples."""

    directory: Path
    programs: str
    names: dict[str, str] = field(default_factory=dict)

    def run(self, *script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What command lines of the page do here."""
        text = "\n".join(script)
        for example, name in self.names.items():
            text = text.replace(example, name)
        return subprocess.run(
            [BASH, "-euo", "pipefail", "-c", text],
            cwd=self.directory,
            env={"PATH": self.programs, "HOME": str(self.directory), **QUICK, **variables},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the programs that the page lists, and no others."""
    directory = tmp_path_factory.mktemp("bin")
    for name in blocks("What the host needs", "text")[0].split():
        program = shutil.which(name)
        if not program:
            pytest.skip(f"{name} is not installed here")
        (directory / name).symlink_to(program)
    return str(directory)


@pytest.fixture(scope="module")
def exporting(postgres: str, sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The host that exports, with a sample source."""
    if SCALE != 0.1:
        from exporter.sample.postgres import create_database

        sample_database = create_database(postgres, "recovered")
        fill_sample(sample_database, scale=SCALE)
    directory = tmp_path_factory.mktemp("exporting")
    programs = f"export EXPORTER_SOURCE={shlex.quote(sample_database)}\n"
    return Host(directory, f"{COMMANDS}:{os.defpath}", {"directory=$(": f"{programs}directory=$("})


def exported(host: Host, block: int, **names: str) -> tuple[Path, Path]:
    """The export of a block of the page, and its archive."""
    host = Host(host.directory, host.programs, host.names | names)
    done = host.run(blocks("Before: make archives, and store them elsewhere")[block])
    assert done.returncode == 0, done.stderr
    archive = host.directory / done.stdout.split()[-1]
    return archive.with_name(archive.name.partition(".")[0]), archive


@pytest.fixture(scope="module")
def archived(exporting: Host) -> tuple[Path, Path]:
    """An export and its plain archive."""
    return exported(exporting, 0)


@pytest.fixture
def bare(archived: tuple[Path, Path], tools: str, tmp_path: Path) -> Host:
    """The bare host, to which the archive was carried."""
    directory = tmp_path / "bare"
    directory.mkdir()
    shutil.copy(archived[1], directory)
    return Host(directory, tools, {STAMP: archived[0].name})


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


# From an archive to answers -------------------------------------------------------------------------------------------


@pytest.fixture
def jars(request: pytest.FixtureRequest) -> Neo4jHome:
    """The version that this drill takes."""
    older = NEO4J == "5.26" and find_java({"17", "21"})
    home: Neo4jHome = request.getfixturevalue("neo4j_5_home" if older else "neo4j_home")
    return home


@pytest.fixture
def neo4j(jars: Neo4jHome, cache: Path, tmp_path: Path) -> Iterator[Installed]:
    """A Neo4j as it was just installed."""
    with installed(tmp_path / "neo4j", jars, cypher_shell(cache)) as installation:
        yield installation


@pytest.mark.slow
def test_recovery(
    bare: Host, archived: tuple[Path, Path], neo4j: Installed, jars: Neo4jHome, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unpack, import, start, schema, verify; then every count is compared by another program, too."""
    unpack, (enter, password, start, verify) = blocks("Unpack")[0], blocks("Import, start, verify")
    names = bare.names | {"/opt/neo4j": str(neo4j.home), "bolt://127.0.0.1:7687": neo4j.bolt_uri}
    host = Host(bare.directory, bare.programs, names)
    mark = "echo mark $(date +%s)\n"
    done = host.run(mark, unpack, enter, password, start, mark, verify, mark)
    assert done.returncode == 0, done.stdout + done.stderr
    export, manifest = bare.directory / archived[0].name, read_manifest(archived[0])
    assert contents(export) == contents(archived[0])
    totals = f"{manifest.totals.nodes} nodes, {manifest.totals.relationships} relationships"
    imported, verified = re.findall(r"^(?:Imported|Database) .*", done.stdout, re.MULTILINE)
    assert totals in imported and totals in verified
    assert re.search(r"^The snapshot is (less than a minute|\d+ minutes?) old$", done.stderr, re.MULTILINE)

    assert verify_bolt(export, neo4j.bolt_uri, user="neo4j", password=PASSWORD) == []
    check_printed_lines(host, neo4j, done.stderr)

    began, answered, ended = (int(second) for second in re.findall(r"^mark (\d+)$", done.stdout, re.MULTILINE))
    with capsys.disabled():
        print(
            f"\nNeo4j {jars.version}, {totals}: {answered - began} s from the archive to the first answer, "
            f"{ended - began} s to the end of the verification"
        )


def check_printed_lines(host: Host, neo4j: Installed, errors: str) -> None:
    """What import.sh prints to go on with works as it stands; a wrong password is reported as such."""
    first, start, login, schema, verify = errors.partition("Next:\n")[2].splitlines()[:5]
    assert first == f"    {neo4j.home}/bin/neo4j-admin dbms set-initial-password '{PASSWORD}'"
    assert start == f"    start Neo4j: {neo4j.home}/bin/neo4j start"
    assert login == f"    export NEO4J_USERNAME=neo4j NEO4J_PASSWORD='{PASSWORD}'"
    done = host.run(login, schema, verify, NEO4J_HOME=str(neo4j.home))
    assert (done.returncode, done.stdout.splitlines()[-1].endswith(", all matching the manifest.")) == (0, True)
    refused = host.run(verify, NEO4J_HOME=str(neo4j.home), NEO4J_USERNAME="neo4j", NEO4J_PASSWORD="another")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1] == (
        "Give the user with --user (or NEO4J_USERNAME) and the password in NEO4J_PASSWORD."
    )
    assert "another" not in refused.stderr


@pytest.mark.slow
def test_users_come_along(neo4j_home: Neo4jHome, cache: Path, tools: str, tmp_path: Path) -> None:
    """With the database `system` of the old host, or by statements; they log in with their passwords."""
    [dump, load], [statement] = blocks("Users and roles"), blocks("Users and roles", "cypher")
    shell = cypher_shell(cache)
    with installed(tmp_path / "old", neo4j_home, shell) as old, installed(tmp_path / "new", neo4j_home, shell) as new:
        names = {"/opt/old-neo4j": str(old.home), "/opt/neo4j": str(new.home)}
        host = Host(tmp_path, tools, names)
        set_password(old.home)
        run(old.home, "neo4j", "start")
        assert asked(host, old, "neo4j", PASSWORD, statement).returncode == 0
        done = host.run(dump)
        assert done.returncode == 0, done.stdout + done.stderr
        done = host.run(load, NEO4J_HOME=str(new.home))
        assert done.returncode == 0, done.stdout + done.stderr
        run(new.home, "neo4j", "start")
        assert asked(host, new, "alice", "alice has a password", "RETURN 'in'").stdout.splitlines() == ["'in'", '"in"']


def asked(host: Host, neo4j: Installed, user: str, password: str, cypher: str) -> subprocess.CompletedProcess[str]:
    """A query, as soon as the server answers at all."""
    shell = f"{neo4j.home}/bin/cypher-shell -a {neo4j.bolt_uri} --format plain"
    return host.run(
        f'for _ in {{1..60}}; do if rows=$({shell} {shlex.quote(cypher)}); then echo "$rows"; exit; fi; sleep 1; done',
        "exit 1",
        NEO4J_USERNAME=user,
        NEO4J_PASSWORD=password,
    )


# Archives -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_without_tar_s_own_zstd(bare: Host, archived: tuple[Path, Path]) -> None:
    done = bare.run(blocks("Unpack")[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(bare.directory / archived[0].name) == contents(archived[0])


@pytest.mark.slow
def test_an_encrypted_archive(exporting: Host, tools: str, tmp_path: Path) -> None:
    """Made with a key of age's own, and opened by age itself."""
    age, keygen = shutil.which("age"), shutil.which("age-keygen")
    if not age or not keygen:
        pytest.skip("age is not installed here")
    directory = tmp_path / "bare"
    directory.mkdir()
    host = Host(directory, f"{tools}:{Path(age).parent}")
    keys = host.run(blocks("Before: make archives, and store them elsewhere")[1])
    [key] = re.findall(r"age1\w+", keys.stderr)
    export, archive = exported(exporting, 2, **{"age1…": key})
    assert archive.name.endswith(".tar.zst.age") and archive.stat().st_mode & 0o777 == 0o600
    shutil.copy(archive, directory)
    done = Host(directory, host.programs, {STAMP: export.name}).run(blocks("Unpack")[2])
    assert done.returncode == 0, done.stderr
    assert contents(directory / export.name) == contents(export)


@pytest.mark.slow
@pytest.mark.parametrize("block", [0, 1])
@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: data[:5000] + b"?" + data[5001:]])
def test_a_broken_archive(bare: Host, block: int, damage: Callable[[bytes], bytes]) -> None:
    """Whoever unpacks it is told."""
    [archive] = bare.directory.iterdir()
    archive.write_bytes(damage(archive.read_bytes()))
    done = bare.run(blocks("Unpack")[block])
    assert done.returncode != 0 and done.stderr != ""


# What is refused ------------------------------------------------------------------------------------------------------

VICTIM = Path("nodes/Customer/part-0001.csv")


def change(path: Path, how: Callable[[bytes], bytes]) -> None:
    path.write_bytes(how(path.read_bytes()))


def other_format(export: Path) -> None:
    tiny_export.write_manifest(export, {**tiny_export.manifest(export), "format": 3})


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a truncated data file": lambda export: change(export / VICTIM, lambda data: data[:-2]),
    "a flipped byte, or another file in its place": lambda export: change(
        export / VICTIM, lambda data: data[:3] + bytes([data[3] ^ 1]) + data[4:]
    ),
    "a missing file": lambda export: (export / VICTIM).unlink(),
    "an extra file": lambda export: (export / "nodes/Customer/part-0002.csv").write_bytes(b"9,\n"),
    "a link, a pipe, a device, a socket; before anything is opened": lambda export: (
        export / "nodes/Customer/link.csv"
    ).symlink_to("part-0001.csv"),
    "an export of another format": other_format,
    "a `SHA256SUMS` with capital digits, other line ends, comments, paths outside": lambda export: change(
        export / "SHA256SUMS", lambda data: data[:64].upper() + data[64:]
    ),
    "a truncated one": lambda export: change(export / "SHA256SUMS", lambda data: data[:-1]),
    "one with a duplicate line, or in another order": lambda export: change(
        export / "SHA256SUMS", lambda data: b"".join(sorted(data.splitlines(keepends=True), reverse=True))
    ),
}


def refusals() -> dict[str, str]:
    """What is refused with which words, as the page has it."""
    rows = re.findall(r"^\| (.+) \| `(.+)` \|$", section("What is refused"), re.MULTILINE)
    return dict(rows)


def test_the_page_lists_what_is_refused() -> None:
    assert list(refusals()) == list(DAMAGES)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_refused(damage: str, neo4j_home: Neo4jHome, tools: str, tmp_path: Path) -> None:
    """With the page's words, before Neo4j is asked for anything; `exporter verify` refuses it, too."""
    export = tiny_export.write(tmp_path / STAMP)
    DAMAGES[damage](export)
    conf = configure(tmp_path / "store")
    home = launcher_home(neo4j_home, tmp_path)
    variables = {name: environment(neo4j_home, conf)[name] for name in ("JAVA_HOME", "NEO4J_CONF")}
    refused = Host(tmp_path, tools).run(f"bash {STAMP}/import.sh", NEO4J_HOME=str(home), **variables)
    assert (refused.returncode, refused.stdout) == (1, "")
    pattern = r"(import\.sh: (the export is damaged: )?| {4})" + re.sub(
        r"\d+(?= (bytes|of its))", r"\\d+", re.escape(refusals()[damage]).replace(r"\ ", " ")
    )
    assert re.search(f"^{pattern}$", refused.stderr, re.MULTILINE), refused.stderr
    assert not any((tmp_path / "store" / "data").iterdir())
    assert verify_files(export) != []

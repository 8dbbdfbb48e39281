"""docs/settings.md is true: its tables are the code's, and its settings file is the one that `exporter init` writes."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import psycopg
import pytest
import typer

from exporter.cli import app
from exporter.cli.help import EVERY_COMMAND
from exporter.errors import UsageError
from exporter.sample.source import create_tables
from exporter.settings import FLAGS, Settings, load
from tests.support.pages import read_page

PAGE = read_page("docs/settings.md")
EXPORTER = Path(sys.executable).with_name("exporter")
[FILE] = PAGE.blocks("toml")
UNCERTAIN = re.compile(r'^# (\w+ = ".+")  # uncertain$', re.MULTILINE)


def test_commands_have_these_flags() -> None:
    """Every command with all of its flags, in the order of its help, but for those that all have."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {row[0].split()[1]: row[1].split() for row in PAGE.table("Command")} == {
        name: [
            parameter.opts[0]
            for parameter in command.params
            if parameter.opts[0].startswith("--") and parameter.rich_help_panel != EVERY_COMMAND
        ]
        for name, command in commands.items()
    }


def test_faults_are_told_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example is the message of these three faults."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPORTER_WORKERS", "abc")
    (tmp_path / "exporter.toml").write_text("\n\n\ntimezone = 'Mars'\n")
    with pytest.raises(UsageError) as refused:
        load(None, max_duration="501h")
    assert f"exporter: {refused.value}\n" in PAGE.blocks("text")


def test_settings_are_the_codes(tmp_path: Path) -> None:
    """Each with its flag, variable, default, and what it must be; those of a rebuild are in docs/nightly.md."""
    rows = {row[0]: row[1:] for row in PAGE.table("Setting")}
    assert list(rows) == [name for name in Settings.model_fields if name != "rebuild"]
    flags = dict(PAGE.table("Command"))["exporter export"].split()
    for name, (flag, variable, default, must_be) in rows.items():
        field = Settings.model_fields[name]
        assert (variable, must_be) == (f"EXPORTER_{name.upper()}", field.description)
        known = FLAGS.get((name,), f"--{name.replace('_', '-')}")
        assert flag == (known if known in flags else "")
        (tmp_path / "exporter.toml").write_text(f"{name} = '{default}'\n" if default not in ("", "no limit") else "")
        assert getattr(load(tmp_path / "exporter.toml"), name) == field.get_default(call_default_factory=True)


def test_a_mapping_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example is what the settings file has."""
    [(variable, value)] = re.findall(r"`(EXPORTER_TABLES)='(.*)'`", PAGE.text)
    assert json.loads(value) == tomllib.loads(FILE)["tables"]
    monkeypatch.setenv(variable, value)
    assert load(None).tables == json.loads(value)


@pytest.fixture
def renamed(database: str) -> str:
    """A source with the names of the page's settings file."""
    create_tables(database)
    names = tomllib.loads(UNCERTAIN.sub(r"\1", FILE))
    with psycopg.connect(database) as connection:
        for table, columns in names["columns"].items():
            for column, real in columns.items():
                connection.execute(f'ALTER TABLE {table} RENAME {column} TO "{real}"')
        for table, real in names["tables"].items():
            schema, name = real.split(".")
            connection.execute(f"CREATE SCHEMA {schema}; ALTER TABLE {table} RENAME TO {name}")
            connection.execute(f"ALTER TABLE {table.split('.')[0]}.{name} SET SCHEMA {schema}")
    return database


def test_the_settings_file_is_what_init_writes(renamed: str, tmp_path: Path) -> None:
    """To the letter, but for the source; with the uncertain names in force, that source can be exported."""
    path = tmp_path / "exporter.toml"
    subprocess.run([EXPORTER, "init", "--source", renamed, "--output-file", path], check=True, capture_output=True)
    source = re.compile(r'^source = ".*"$', re.MULTILINE)
    written = path.read_text(encoding="utf-8")
    assert source.sub("source", written) == source.sub("source", FILE)

    path.write_text(UNCERTAIN.sub(r"\1", written), encoding="utf-8")
    checked = subprocess.run([EXPORTER, "check", "--config", path], capture_output=True, text=True, check=True)
    assert checked.stdout.splitlines()[-1].startswith("The source can be exported: no errors, no warnings")

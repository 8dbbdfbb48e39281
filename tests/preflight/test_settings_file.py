"""The settings file that `exporter init` writes: valid, commented, readable by its owner alone, without a password."""

import re
import tomllib
from pathlib import Path

import psycopg
import pytest

from exporter.errors import UsageError
from exporter.model.tables import tables
from exporter.preflight.name_matching import ColumnGuess, TableGuess
from exporter.preflight.settings_file import guess_names, quoted, settings_text, summary, write_settings
from exporter.settings import RebuildSettings, Settings, load
from exporter.text import visible
from tests.oracle.renaming import TABLE_NAME

SOURCE = "postgresql://exporter@db.example.org/astrokiran"
BY_NAME = {table.name: table for table in tables()}
LANGUAGES, SKILLS, LEADS = BY_NAME["guide.languages"], BY_NAME["guide.skills"], BY_NAME["marketing.leads"]
# A certain guess, a proposal, a table not found, and one under the model's name.
GUESSES = [
    TableGuess(SKILLS, "app.Skill", True, {"id": ColumnGuess("no", True), "name": ColumnGuess("label", False)}),
    TableGuess(LANGUAGES, "app.tongue", False, {"id": ColumnGuess("id", True), "name": ColumnGuess("nom", True)}),
    TableGuess(LEADS),
    TableGuess(BY_NAME["guide.guide_skills"], "guide.guide_skills", True,
               {name: ColumnGuess(name, True) for name in ("guide_id", "skill_id")}),
]  # fmt: skip


def names_in(text: str) -> str:
    """The part of a settings file that maps names."""
    return text[text.index("[tables]") : text.index("\n# Only for `exporter rebuild`")]


def test_only_certain_guesses_have_effect() -> None:
    """The others are commented out, with the reason."""
    assert names_in(settings_text(SOURCE, GUESSES)) == (
        '[tables]\n'
        '"guide.skills" = "app.Skill"  # 2 of 3 columns\n'
        '# "guide.languages" = "app.tongue"  # uncertain: 2 of 2 columns\n'
        '# "marketing.leads" = ""  # nothing similar was found\n'
        '\n'
        '[columns."guide.skills"]\n'
        'id = "no"\n'
        '# name = "label"  # uncertain\n'
        '# description = ""  # nothing similar was found\n'
        '\n'
        '# [columns."guide.languages"]\n'
        '# name = "nom"\n'
    )  # fmt: skip


def test_every_setting_is_there_with_its_default_or_an_example(tmp_path: Path) -> None:
    """Commented out; the values are valid, and what has a default and no example is that."""
    text = settings_text(SOURCE, [])
    assert tomllib.loads(text) == {"source": SOURCE, "tables": {}, "rebuild": {}}
    config = tmp_path / "all.toml"
    config.write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    written = tomllib.loads(config.read_text())
    assert written.keys() == Settings.model_fields.keys() - {"columns"}
    assert written["rebuild"].keys() == RebuildSettings.model_fields.keys()
    settings = load(config)
    for loaded, defaults in ((settings, Settings()), (settings.rebuild, RebuildSettings())):
        for name, field in type(defaults).model_fields.items():
            if name not in ("source", "rebuild") and not field.examples:
                assert getattr(loaded, name) == getattr(defaults, name), name


@pytest.mark.parametrize("name", [TABLE_NAME, "a\nb\t\x01\x7f\x9b\u202e\U000e0001", "Ωmega \"quoted\" \\ 'x'"])
def test_any_name_can_be_quoted(name: str) -> None:
    """It is read back unchanged, and no terminal obeys it."""
    assert quoted(name) == visible(quoted(name))
    assert tomllib.loads(f"name = {quoted(name)}  # {quoted(name)}") == {"name": name}


def test_the_summary_lists_what_was_guessed() -> None:
    """How many of each kind, and every table that is not under the model's name."""
    assert summary(GUESSES) == [
        "tables: 1 under the model's name, 1 guessed, 1 uncertain, 1 not found",
        "columns: 3 under the model's name, 2 guessed, 1 uncertain, 1 not found",
        "  guide.skills -> app.Skill (2 of 3 columns)",
        "  guide.languages -> app.tongue (uncertain: 2 of 2 columns)",
        "  marketing.leads: nothing similar was found",
    ]


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask. It replaces another only by force, and leaves nothing else behind."""
    path = tmp_path / "exporter.toml"
    write_settings(path, "a", force=False)
    with pytest.raises(UsageError) as refused:
        write_settings(path, "b", force=False)
    assert str(refused.value) == f"{path} exists; --force replaces it, --output-file names another"
    path.chmod(0o644)
    write_settings(path, "c", force=True)
    assert (path.read_text(), path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == ("c", 0o600, [path])
    for wrong in (tmp_path, tmp_path / "no" / "such"):
        with pytest.raises(UsageError, match="it must be a file in a directory that exists"):
            write_settings(wrong, "d", force=True)


def test_a_check_with_guessed_names_finds_no_errors(source: str, tmp_path: Path) -> None:
    """If all could be guessed; otherwise the errors are counted."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("create schema crm; alter table marketing.leads set schema crm")
        connection.execute('alter table crm.leads rename created_at to "createdAt"')
    guesses, errors = guess_names(Settings(source=source))
    config = tmp_path / "exporter.toml"
    config.write_text(settings_text(source, guesses))
    assert (errors, load(config).tables) == (0, {"marketing.leads": "crm.leads"})
    assert load(config).columns == {"marketing.leads": {"created_at": "createdAt"}}
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("drop table wallet.invoices; alter table guide.languages rename name to x")
    assert guess_names(Settings(source=source))[1] == 2

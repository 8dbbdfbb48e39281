"""A source whose names and values hold control characters: nothing that a command prints obeys them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from exporter.sample.postgres import create_database
from exporter.sample.source import create_tables

EXPORTER = Path(sys.executable).with_name("exporter")
# It clears the screen, makes what follows red, rings, and starts a line that looks like one of ours.
HOSTILE = "\x1b[2J\x1b[31m\x07\r\nexporter: all is well\x9b\u202e"


LOST = (
    sql.SQL("ALTER TABLE guide.skills RENAME TO {}").format(sql.Identifier(f"skill{HOSTILE}")),
    sql.SQL("ALTER TABLE marketing.leads RENAME phone TO {}").format(sql.Identifier(f"phon{HOSTILE}")),
)
DEVICE = "INSERT INTO auth.user_devices VALUES (%s, 1, %s, 'WEB', 'WEB', null, now(), null)"
# Each of these letters alone may command a terminal, or hide and reorder what is beside it.
LETTERS = [
    *map(chr, range(1, 32)),
    *map(chr, range(127, 160)),
    *"\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u2060\u2066",
]
LETTERS += ["\u202a", "\u202e", "\u2069", "\ufeff", "\ufff9", "\U000e0001", HOSTILE]
# Rows that are rejected, or whose reference is, for their text.
REJECTED = """
INSERT INTO notifications.notifications VALUES (gen_random_uuid(), %s, 'guide', 'A', 'A', 'A', 'A', 'A', true, now());
INSERT INTO guide.guide_profile (id, full_name, chat_enabled, voice_enabled, video_enabled, referrer_code, created_at)
VALUES (%s, 'A', true, true, true, %s, now());
INSERT INTO auth.user_sessions VALUES (gen_random_uuid(), 1, %s, 'GUIDE', true, null, now());
"""


@pytest.fixture
def source(postgres: str) -> Iterator[str]:
    """The tables of the model in a database with a hostile name."""
    uri = create_database(postgres, HOSTILE)
    create_tables(uri)
    yield uri
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(HOSTILE)))


def run(line: str, code: int, source: str, directory: Path) -> None:
    """Runs a command, which prints nothing that a terminal obeys, and no line that is not ours."""
    environment = os.environ | {"EXPORTER_SOURCE": source, "COLUMNS": "80"}
    done = subprocess.run(
        [EXPORTER, *line.split()], cwd=directory, env=environment, capture_output=True, text=True, errors="replace"
    )
    for printed in (done.stdout, done.stderr):
        assert [letter for letter in printed if not letter.isprintable() and letter != "\n"] == [], line
        assert [text for text in printed.splitlines() if text.startswith("exporter: all is well")] == [], line
    assert done.returncode == code, done.stdout + done.stderr


def test_names_that_are_lost(source: str, tmp_path: Path) -> None:
    """The nearest names are hostile, and shown."""
    with psycopg.connect(source, autocommit=True) as connection:
        for statement in LOST:
            connection.execute(statement)
    for line, code in (("check --notes", 3), ("check --json", 3), ("export", 3), ("init", 0), ("check", 3)):
        run(line, code, source, tmp_path)
    assert "all is well" in (tmp_path / "exporter.toml").read_text()


def test_values_that_are_rejected(source: str, tmp_path: Path) -> None:
    """A device that is registered twice, of a user that is not there; in every command that tells of it."""
    with psycopg.connect(source) as connection:
        for number in (1, 2):
            connection.execute(DEVICE, (number, HOSTILE))
    for line, code in (("export", 0), ("export --max-rejects 0", 1), ("runs", 0), ("verify output/latest", 0)):
        run(line, code, source, tmp_path)
    [rejects] = (tmp_path / "output" / "latest" / "rejects" / "nodes" / "Device").glob("*.csv")
    assert "all is well" in rejects.read_text()
    manifest = json.loads((tmp_path / "output" / "latest" / "manifest.json").read_text())
    assert manifest["source"]["database"] == HOSTILE


def test_letters_that_are_rejected(source: str, tmp_path: Path) -> None:
    """Every letter that is not to be seen, in every kind of text whose value is a reason: the reject files have it as
    it is; neither a command that tells of them, nor the report, nor the manifest obeys it."""
    with psycopg.connect(source) as connection, psycopg.ClientCursor(connection) as cursor:
        for number, letter in enumerate(LETTERS, 10):
            text = f"x{letter}x"
            cursor.execute(REJECTED, (text, number, text, text))
    for line, code in (("export", 0), ("rejects", 0), ("rejects --json", 0), ("runs", 0), ("runs --json", 0)):
        run(line, code, source, tmp_path)
    run("verify output/latest", 0, source, tmp_path)
    latest = tmp_path / "output" / "latest"
    for shown in ("report.html", "manifest.json", "counts.tsv", "import.args", "schema.cypher"):
        content = (latest / shown).read_text(encoding="utf-8")
        assert [letter for letter in content if not letter.isprintable() and letter not in "\n\t"] == [], shown
    for pattern in ("Notification-TO_USER-AuthUser", "Guide-REFERRED_BY-Guide", "Session-ON_DEVICE-Device"):
        [file] = (latest / "rejects" / "relationships" / pattern).glob("*.csv")
        kept = file.read_bytes().decode()
        assert [letter for letter in LETTERS if f"x{letter}x" not in kept] == [], pattern


def test_names_of_files(tmp_path: Path) -> None:
    """Of a directory that may come from anybody."""
    (tmp_path / "headers").mkdir()
    (tmp_path / "headers" / f"{HOSTILE}.csv").write_text("no header")
    run("headers headers --check", 1, "", tmp_path)

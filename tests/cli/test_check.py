"""`exporter check` and `init` as they are called: order of output, exit codes, and what to type next."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

EXPORTER = Path(sys.executable).with_name("exporter")


def run(directory: Path, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """The exit code and all lines of a command, stdout and stderr in one pipe."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXPORTER_", "PG", "NEO4J_"))}
    done = subprocess.run(
        [EXPORTER, *arguments],
        cwd=directory,
        env=kept | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_the_wrong_database(database: str, tmp_path: Path) -> None:
    """One finding, then the error, in this order also in one pipe; no estimate."""
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    assert run(tmp_path, "check", EXPORTER_SOURCE=database) == (
        3,
        [
            f"error: {name}: none of the model's 35 tables is in it; is it the right database?",
            "exporter: the source cannot be exported: 1 error, no warnings, no notes",
        ],
    )
    assert run(tmp_path, "init", EXPORTER_SOURCE=database) == (
        0,
        [
            "tables: none of the model's, and nothing similar: is it the right database?",
            "Wrote exporter.toml. With it, a check finds 1 error.",
            f"Next: correct its source, and run: {EXPORTER} check",
        ],
    )


def test_names_that_init_would_write(source: str, tmp_path: Path) -> None:
    """The error says so, and it is true."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table offers.offer_definitions rename to defs")
    code, lines = run(tmp_path, "check", EXPORTER_SOURCE=source)
    assert (code, lines[-1]) == (
        3,
        "exporter: the source cannot be exported: 1 error, 1 warning, 21 notes;"
        f" `{EXPORTER} init` writes a settings file with the similar names",
    )
    assert run(tmp_path, "init", EXPORTER_SOURCE=source)[0] == run(tmp_path, "check")[0] == 0


def test_nothing_to_map(source: str, tmp_path: Path) -> None:
    """There is no name to review."""
    _, lines = run(tmp_path, "init", EXPORTER_SOURCE=source)
    assert lines[-2:] == ["Wrote exporter.toml. With it, a check finds no errors.", f"Next: run: {EXPORTER} check"]


@pytest.mark.parametrize("output", ["file", "no/such"])
def test_an_output_that_an_export_would_refuse(source: str, tmp_path: Path, output: str) -> None:
    """Exit code 2, as of the export."""
    (tmp_path / "file").touch()
    code, lines = run(tmp_path, "check", "--output", output, EXPORTER_SOURCE=source)
    assert (code, lines[0].startswith("error: output: ")) == (2, True)
    assert lines[-1] == f"exporter: the source can be exported, but not to {output}: 1 error, no warnings, 22 notes"
    assert run(tmp_path, "export", "--output", output, EXPORTER_SOURCE=source)[0] == 2


def test_the_zone_of_an_export(source: str, tmp_path: Path) -> None:
    """It can be asked about as an export is told."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table marketing.leads alter created_at type timestamp")
    good, bad = (run(tmp_path, "check", "--source", source, "--timezone", zone) for zone in ("Asia/Kolkata", "CET"))
    assert (good[0], bad[0]) == (0, 3)
    assert any("marketing.leads.created_at" in line and "CET" in line for line in bad[1])

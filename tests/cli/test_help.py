"""How every command looks: help at 80 columns, one form of usage errors, and the options that all have."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from exporter.cli import app
from exporter.cli.help import EVERY_COMMAND, PREFIXES
from tests.support.commands import EXPORTER, Exporter


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The path of every command, of those in others too, and the command."""
    command = command or typer.main.get_command(app)
    yield path, command
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from commands(subcommand, (*path, name))


@pytest.mark.parametrize(
    ("path", "command"), [pytest.param(path, command, id=" ".join(path) or "exporter") for path, command in commands()]
)
def test_help_is_for_80_columns(exporter: Exporter, path: tuple[str, ...], command: Any) -> None:
    """No line is wider, no note is broken over two lines, no type stands where a value is not expected."""
    long, short = exporter(*path, "--help", COLUMNS="80"), exporter(*path, "-h", COLUMNS="80")
    assert (long.code, long.err, short) == (0, "", long)
    lines = long.out.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line.count("[") != line.count("]") or "<" in line or "((" in line] == []
    assert lines[0].startswith(f"Usage: {' '.join(('exporter', *path))}")
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    assert [option for option in options if not re.search(rf"^ .*{option}\b", long.out, re.MULTILINE)] == []
    assert [parameter.opts for parameter in command.params if parameter.rich_help_panel == EVERY_COMMAND] \
        == [["--quiet", "-q"], ["--verbose", "-v"]]  # fmt: skip


def test_help_names_the_variable_of_each_setting(exporter: Exporter) -> None:
    """And the form of a source is not cut off."""
    listed = exporter("export", "--help", COLUMNS="80").out
    names = re.findall(r"\[env: EXPORTER_(\w+)\]", listed)
    [export] = [command for path, command in commands() if path == ("export",)]
    settings = [parameter.name for parameter in export.params if parameter.rich_help_panel in PREFIXES]
    assert names == [name.upper() for name in settings]
    assert " postgresql://USER@HOST:PORT/DATABASE." in listed
    assert "[default: 640MB]" in listed


@pytest.mark.parametrize(
    ("arguments", "sentence", "help_of"),
    [
        ("frobnicate", "no such command 'frobnicate'", ""),
        ("exprt", "no such command 'exprt'. Did you mean 'export'?", ""),
        ("--colour", "no such option: --colour", ""),
        ("export --wokers 2", "no such option: --wokers; the nearest is --workers", "export "),
        ("check --sorce x", "no such option: --sorce; the nearest is --source", "check "),
        ("export --workers", "--workers needs a value", "export "),
        ("runs --diff a", "--diff requires 2 arguments", "runs "),
        ("verify", "EXPORT is missing", "verify "),
        ("verify a b", "unexpected argument: b", "verify "),
        ("prune", "--keep is missing", "prune "),
        ("prune --keep two", "--keep: must be a whole number", "prune "),
        ("prune --keep 0", "--keep: must be greater than or equal to 1", "prune "),
        ("model --format svg", "--format: 'svg' is not one of 'table', 'mermaid', 'json'", "model "),
    ],
)
def test_wrong_usage_has_one_look(exporter: Exporter, arguments: str, sentence: str, help_of: str) -> None:
    """A sentence, and where to look."""
    done = exporter(*arguments.split())
    first, second = done.err.splitlines()
    assert (done.code, done.out, first) == (2, "", f"exporter: {sentence}")
    assert re.fullmatch(rf"  See: \S*exporter {help_of}--help", second)


def test_without_a_command_its_help_is_an_error(exporter: Exporter) -> None:
    """On stderr: nothing was done."""
    assert (exporter().code, exporter().out, exporter().err) == (2, "", exporter("--help").out)


def test_quiet_and_verbose_exclude_each_other(exporter: Exporter) -> None:
    """Wherever they stand."""
    for arguments in (("-q", "-v", "model"), ("model", "-vq"), ("--quiet", "model", "--verbose")):
        done = exporter(*arguments)
        assert (done.code, done.err) == (2, "exporter: choose one of --quiet and --verbose\n")


@pytest.mark.slow
def test_quiet_leaves_stderr_to_errors(exporter: Exporter, sample_database: str) -> None:
    """No progress, no summary, no warning."""
    quiet = exporter("export", "-q", EXPORTER_SOURCE=sample_database, EXPORTER_COLOUR="blue")
    assert (quiet.code, quiet.err, quiet.out.count("\n")) == (0, "", 1)
    assert "EXPORTER_COLOUR" in exporter("runs", EXPORTER_COLOUR="blue").err
    failed = exporter("-q", "export", "--max-rejects", "0", EXPORTER_SOURCE=sample_database)
    assert (failed.code, failed.err.count("\n"), "exporter: " in failed.err) == (1, 1, True)
    rebuild = exporter("rebuild", "-q")
    assert (rebuild.code, rebuild.err.startswith("exporter: which Neo4j?"), rebuild.err.count("\n")) == (2, True, 1)


def test_verbose_tells_what_a_person_debugging_wants(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """Where settings come from, the server, each stage with its time, each table; all dated, and no password."""
    (tmp_path / "exporter.toml").write_text('max_rejects = 10_000\n[rebuild]\nstop = "stop hunter2"\n')
    done = exporter("export", "-v", "--workers", "1", EXPORTER_SOURCE=sample_database, EXPORTER_MEMORY="700MB")
    texts = [line.partition(" ")[2] for line in done.err.splitlines() if re.match(r"\d{4}-\d\d-\d\dT", line)]
    settings = [text.removeprefix("setting: ") for text in texts if text.startswith("setting: ")]
    assert settings == [
        "exporter.toml line 1, max_rejects = 10000", "EXPORTER_MEMORY=700MB", "exporter.toml line 3, rebuild.stop",
        "EXPORTER_SOURCE", "--workers 1",
    ]  # fmt: skip
    assert any(re.fullmatch(r"connected to postgres@\S*:\d+/sample, PostgreSQL \d+\S*", text) for text in texts)
    assert any(re.fullmatch(r"Exporting tables: [\d.]+ m?s · peak \d+ MB", text) for text in texts)
    assert sum(text.endswith(" rows exported") for text in texts) == 35
    assert (done.code, done.out.count("\n")) == (0, 1)


@pytest.mark.parametrize("arguments", [["model"], ["model", "--json"], ["--help"], ["headers"]], ids=" ".join)
def test_a_reader_of_stdout_that_leaves_is_no_error(arguments: list[str], tmp_path: Path) -> None:
    """The command ends as other programs do by SIGPIPE, and says nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [EXPORTER, *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["model"], ["--help"], ["headers"]], ids=" ".join)
def test_a_full_disk_behind_stdout_is_a_sentence(arguments: list[str], tmp_path: Path) -> None:
    """With the code of a failure on the way."""
    with Path("/dev/full").open("w") as full:
        command = [EXPORTER, *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (4, "exporter: cannot write to stdout: No space left on device\n")


def test_a_closed_stdout_is_written_to_in_vain(tmp_path: Path) -> None:
    """As other programs do."""
    done = subprocess.run(
        ["sh", "-c", f"{EXPORTER} model >&-"], stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_stdout_need_not_be_utf_8(exporter: Exporter) -> None:
    """Letters that it cannot write are escaped; JSON stays what it was."""
    table = exporter("model", PYTHONIOENCODING="ascii")
    assert (table.code, r"user_id \u2192 transaction_id" in table.out, table.err) == (0, True, "")
    printed = [exporter("model", "--json", PYTHONIOENCODING=encoding).out for encoding in ("ascii", "utf-8")]
    assert printed[0] == printed[1]


@pytest.mark.parametrize(
    "arguments", ["runs", "export", "check --config /dev/null", "headers --check", "init", "model"]
)
def test_a_working_directory_that_is_gone_is_a_sentence(arguments: str, tmp_path: Path) -> None:
    """For every command; help can still be had."""
    directory = tmp_path / "gone"
    for command in (arguments, f"{arguments} --help"):
        directory.mkdir()
        done = subprocess.run(
            ["sh", "-c", f'rmdir "$PWD" && exec {EXPORTER} {command}'], cwd=directory, capture_output=True, text=True
        )
        message = "exporter: the working directory no longer exists; change to another one\n"
        assert (done.returncode, done.stderr) == ((0, "") if command != arguments else (2, message))


# Takes root's power to enter every directory from a command.
WITHOUT_POWER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.skipif(bool(WITHOUT_POWER) and not shutil.which("setpriv"), reason="root may enter every directory")
def test_a_working_directory_that_may_not_be_entered_is_a_sentence(tmp_path: Path) -> None:
    """As after `sudo -u` in a directory of root's."""
    directory = tmp_path / "closed"
    directory.mkdir()
    command = [*WITHOUT_POWER, "sh", "-c", f'chmod 0 "$PWD" && exec {EXPORTER} runs']
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    directory.chmod(0o700)
    assert (done.returncode, done.stderr) == (
        2,
        f"exporter: this user may not enter the working directory {directory}; change to another one\n",
    )

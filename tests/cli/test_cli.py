"""The command line: every command's output and exit code, for what goes well and for simple mistakes."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from rich.filesize import decimal

from exporter.sink.publish import partial_export
from tests.support import tiny_export
from tests.support.export_process import PROGRESS, check_calm
from tests.support.ports import closed_port

EXPORTER = Path(sys.executable).with_name("exporter")
PASSWORD = "hunter2"
COMMANDS = ("init", "check", "export", "verify", "runs", "prune", "headers", "model", "local", "demo", "rebuild")
WARNING = "exporter: warning: a password on the command line is seen by other users; use PGPASSWORD\n"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


Exporter = Callable[..., Done]


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    """Runs the command in an empty directory, with no settings but those that are given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXPORTER_", "PG", "NEO4J_"))}

    def run(*arguments: object, **environment: str) -> Done:
        command = [str(EXPORTER), *map(str, arguments)]
        process = subprocess.run(
            command, cwd=tmp_path, env=kept | environment, capture_output=True, text=True, timeout=120, check=False
        )
        done = Done(process.returncode, process.stdout, process.stderr)
        assert PASSWORD not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture(scope="module")
def exported(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """An export of the sample, and what the command said."""
    output = tmp_path_factory.mktemp("exported") / "output"
    command = [str(EXPORTER), "export", "--source", sample_database, "--output", str(output)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    done = Done(process.returncode, process.stdout, process.stderr)
    assert done.code == 0, done.err
    return Path(done.out.splitlines()[-1]), done


def test_help_of_every_command(exporter: Exporter) -> None:
    """Each has one, which names its options; without a command it is the list of commands."""
    texts = {command: exporter(command, "--help") for command in COMMANDS}
    assert {command: (done.code, done.err, "--help" in done.out) for command, done in texts.items()} \
        == dict.fromkeys(COMMANDS, (0, "", True))  # fmt: skip
    listed = exporter("--help")
    assert (listed.code, all(f" {command} " in listed.out for command in COMMANDS)) == (0, True)


def test_the_version(exporter: Exporter) -> None:
    """The version alone, as a script can take it."""
    done = exporter("--version")
    assert (done.code, bool(re.fullmatch(r"\d+\.\d+\.\d+\n", done.out)), done.err) == (0, True, "")


def test_completion_can_be_installed(exporter: Exporter, tmp_path: Path) -> None:
    """For bash, in the user's own directory; the shell is named because the tests have none around them."""
    done = exporter(
        "--install-completion", "bash", HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    )
    assert (done.code, "exporter" in (tmp_path / ".bashrc").read_text()) == (0, True)


def test_the_exports_are_listed_compared_and_pruned(exporter: Exporter, tmp_path: Path) -> None:
    """On a terminal or not; `latest` stays, and what is removed is said."""
    output = tmp_path / "output"
    assert (
        exporter("runs").err == "exporter: cannot read output: No such file or directory; name another with --output\n"
    )
    output.mkdir()
    assert exporter("runs").out == "There is no export in output.\n"
    for stamp in ("20261121T031500Z", "20261122T031500Z", "20261123T031500Z"):
        tiny_export.write(output / stamp)
    manifest = tiny_export.manifest(output / "20261123T031500Z")
    manifest["nodes"][0]["rows"] += 1500
    manifest["totals"]["nodes"] += 1500
    tiny_export.write_manifest(output / "20261123T031500Z", manifest)
    (output / "20261121T031500Z" / "manifest.json").unlink()
    (output / "latest").symlink_to("20261122T031500Z")
    listed = exporter("runs")
    assert (listed.code, [line.split() for line in listed.out.splitlines()]) == (0, [
        ["export", "begun", "rows", "change", "rejects", "size", "took"],
        ["20261121T031500Z", "Sat", "21", "Nov", "03:15", "?", "?", "?", "?", "?"],
        ["20261122T031500Z", "Sun", "22", "Nov", "03:15", "23", "2", "794", "bytes", "2.5", "s"],
        ["20261123T031500Z", "Mon", "23", "Nov", "03:15", "1,523", "+6,522", "%", "2", "794", "bytes", "2.5", "s"],
        ["20261121T031500Z:", "manifest.json", "is", "missing"],
    ])  # fmt: skip
    compared = exporter("runs", "--diff", "latest", "20261123T031500Z").out.splitlines()
    assert compared[2].split()[:1] == [manifest["nodes"][0]["label"]] and len(compared) == 3
    assert exporter("runs", "--diff", "latest", "2025").code == 2
    assert exporter("prune").code == exporter("prune", "--keep", "0").code == 2
    pruned = exporter("prune", "--keep", "1")
    assert (pruned.code, pruned.out) == (0, "removed output/20261121T031500Z\n")
    assert exporter("prune", "--keep", "1").out == "Nothing is to be removed.\n"
    assert sorted(path.name for path in output.glob("2*")) == ["20261122T031500Z", "20261123T031500Z"]


@pytest.mark.parametrize("arguments", [["frobnicate"], ["export", "--colour", "blue"], ["model", "--format", "svg"]])
def test_wrong_usage(exporter: Exporter, arguments: list[str]) -> None:
    """Unknown commands, options and values."""
    done = exporter(*arguments)
    assert (done.code, done.out, done.err != "") == (2, "", True)


def test_an_encrypted_archive(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """It is told on stderr, and listed; stdout is the export's directory alone."""
    key = "age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"
    arguments = ("export", "--archive", "--encrypt-to", key, "--profile", "profile.json")
    done = exporter(*arguments, EXPORTER_SOURCE=sample_database)
    assert list(json.loads((tmp_path / "profile.json").read_text())["stages"])[-1] == "archive"
    directory = tmp_path / done.out.strip()
    size = decimal(directory.with_name(f"{directory.name}.tar.zst.age").stat().st_size)
    assert (done.code, done.err.splitlines()[-1]) == (0, f"Its archive: {done.out.strip()}.tar.zst.age, {size}")
    header, row = exporter("runs").out.splitlines()
    assert (header.split()[-1], " ".join(row.split()[-2:])) == ("archive", size)
    unused = exporter("export", "--encrypt-to", key, EXPORTER_SOURCE=sample_database)
    assert (unused.code, unused.err) == (2, "exporter: --encrypt-to is for an archive; give --archive too\n")


def test_no_source(exporter: Exporter) -> None:
    """It is asked for by name."""
    sentence = "exporter: no source is set; give --source postgresql://USER@HOST/DATABASE or set EXPORTER_SOURCE"
    done = [exporter(command) for command in ("check", "export")]
    assert [(each.code, each.out, each.err.splitlines()[-1]) for each in done] == [(2, "", sentence)] * 2


def test_a_malformed_source(exporter: Exporter) -> None:
    """It is a mistake of the user's, told without the URI, wherever the URI comes from."""
    done = [
        exporter("check", "--source", f"mysql://u:{PASSWORD}@db/source"),
        exporter("check", EXPORTER_SOURCE=f"postgresql://u:p@{PASSWORD}@db/source"),
        exporter("export", "--source", f"postgresql://u:{PASSWORD}@[::1/source"),
        exporter("export", EXPORTER_SOURCE=f"postgresql://u:{PASSWORD}%zz@db/source"),
    ]
    assert [(each.code, each.out) for each in done] == [(2, "")] * 4
    assert [each.err.splitlines()[-1].startswith("exporter: the source") for each in done] == [True] * 4


def test_a_source_that_is_not_there(exporter: Exporter) -> None:
    """Nobody listens; a password is warned of where the command line shows it."""
    source = f"postgresql://u:{PASSWORD}@127.0.0.1:{closed_port()}/source"
    shown, hidden = exporter("check", "--source", source), exporter("export", EXPORTER_SOURCE=source)
    sentence = "exporter: the source at 127.0.0.1 refused the connection: no server listens there"
    assert [(done.code, done.out, done.err.splitlines()[-1]) for done in (shown, hidden)] == [(3, "", sentence)] * 2
    assert [WARNING in done.err for done in (shown, hidden)] == [True, False]


def test_a_database_that_is_not_there(exporter: Exporter, postgres: str) -> None:
    """The server says no."""
    done = [exporter(each, "--source", postgres.replace("/postgres?", "/nothing?")) for each in ("check", "export")]
    assert [(each.code, each.out) for each in done] == [(3, "")] * 2
    assert [each.err.rstrip().endswith("has no such database or user") for each in done] == [True] * 2


def broken(source: str) -> None:
    """Makes three faults in a source."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("drop table marketing.leads")
        connection.execute("alter table guide.skills rename name to title")
        connection.execute("alter table auth.auth_users alter is_active type text")


def test_a_source_that_cannot_be_exported(exporter: Exporter, source: str, tmp_path: Path) -> None:
    """All of it is told at once, by check on stdout and by export before anything is read."""
    broken(source)
    faults = [
        "auth.auth_users.is_active: type text does not fit a boolean",
        "guide.skills.name: no such column",
        "marketing.leads: no such table",
    ]
    checked, exported = exporter("check", "--source", source), exporter("export", "--source", source)
    assert [done.code for done in (checked, exported)] == [3, 3]
    assert (checked.out.count("error: "), exported.out) == (3, "")
    assert [fault in checked.out and fault in exported.err for fault in faults] == [True] * 3
    assert [path.name for path in (tmp_path / "output").iterdir()] == [".lock"]


def test_a_source_that_can_be_exported(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """Check says so, writes nothing, and lists its notes on demand."""
    done = exporter("check", "--source", sample_database)
    assert (done.code, done.err, done.out.splitlines()[-1].startswith("The source can be exported: no errors, ")) \
        == (0, "", True)  # fmt: skip
    noted = exporter("check", "--notes", EXPORTER_SOURCE=sample_database)
    assert (noted.code, "note: " in noted.out, "note: " in done.out) == (0, True, False)
    assert list(tmp_path.iterdir()) == []


def test_a_check_for_machines(exporter: Exporter, source: str) -> None:
    """One object on stdout, for a source that can be exported, for one that cannot, and for one that is not there."""
    sanitized_errors = [exporter("check", "--json", EXPORTER_SOURCE=source)]
    broken(source)
    sanitized_errors += [exporter("check", "--json", EXPORTER_SOURCE=each) for each in (source, f"{source}&port=1")]
    assert [(done.code, done.err.count("\n")) for done in sanitized_errors] == [(0, 0), (3, 1), (3, 1)]
    whole, faulty, gone = [json.loads(done.out) for done in sanitized_errors]
    keys = ["format", "exportable", "model", "server", "findings", "estimate", "output"]
    assert [list(each) for each in (whole, faulty, gone)] == [keys] * 3
    assert [each["exportable"] for each in (whole, faulty, gone)] == [True, False, False]
    assert list(whole["server"]) == ["host", "database", "version", "standby"]
    assert list(whole["estimate"]) == ["rows", "bytes", "seconds", "rule", "tables"]
    assert (len(whole["estimate"]["tables"]), len(faulty["estimate"]["tables"])) == (35, 34)
    assert {each["severity"] for each in whole["findings"]} == {"note"}
    assert [each["where"] for each in faulty["findings"] if each["severity"] == "error"] \
        == ["guide.skills.name", "auth.auth_users.is_active", "marketing.leads"]  # fmt: skip
    assert (gone["server"], gone["estimate"], gone["output"]["directory"]) == (None, None, "output")
    assert [(each["where"], "no server listens" in each["what"]) for each in gone["findings"]] == [("source", True)]


def test_a_first_settings_file(exporter: Exporter, source: str, tmp_path: Path) -> None:
    """It is written once, without the password, says what to do next, and a check takes it."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table marketing.leads rename to lead")
    given = source.replace("postgres@", f"postgres:{PASSWORD}@")
    done = exporter("init", EXPORTER_SOURCE=given)
    assert (done.code, done.err) == (
        0, "exporter: the password is not written into exporter.toml; give it by PGPASSWORD or PGPASSFILE\n"
    )  # fmt: skip
    assert done.out.splitlines() == [
        "tables: 34 under the model's name, 1 guessed",
        "columns: 223 under the model's name",
        "  marketing.leads -> marketing.lead (10 of 10 columns)",
        "exporter.toml is written. With it, a check finds no errors.",
        "Next: look at every name in it, complete what is commented out, and run: exporter check",
    ]
    path = tmp_path / "exporter.toml"
    assert (PASSWORD in path.read_text(), path.stat().st_mode & 0o777) == (False, 0o600)
    assert exporter("check").code == 0
    again = exporter("init", EXPORTER_SOURCE=given)
    assert again == Done(2, "", "exporter: exporter.toml exists; --force replaces it, --output-file names another\n")
    path.write_text("no toml")
    forced = exporter("init", "--force", "--source", source)
    assert (forced.code, exporter("check").code, list(tmp_path.iterdir())) == (0, 0, [path])
    other = exporter("init", "--output-file", "other.toml", "--source", source).out
    assert other.endswith("and run: exporter check --config other.toml\n")


def test_a_settings_file_of_nothing(exporter: Exporter, tmp_path: Path) -> None:
    """Without a source, and with one that does not answer, none is written."""
    gone = f"postgresql://u@127.0.0.1:{closed_port()}/source"
    assert [exporter("init").code, exporter("init", "--source", gone).code] == [2, 3]
    assert list(tmp_path.iterdir()) == []


def test_an_export(exported: tuple[Path, Done]) -> None:
    """stdout is its directory alone; stderr has a dated line at once, more only in a longer run, and a summary."""
    directory, done = exported
    assert (done.out, directory.parent.name, directory.is_dir()) == (f"{directory}\n", "output", True)
    lines = done.err.splitlines()
    check_calm(lines)
    totals = json.loads((directory / "manifest.json").read_text())["totals"]
    summary = f"{totals['nodes']:,} nodes, {totals['relationships']:,} relationships, {totals['rejects']:,} rejects, "
    assert (PROGRESS.match(lines[0]) is not None, summary in done.err) == (True, True)


def test_the_settings_file_of_the_working_directory(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """A nightly job needs no flag; the output is where the file says, relative as given."""
    (tmp_path / "exporter.toml").write_text(f"source = '{sample_database}'\noutput = 'nightly'\nworkers = 1\n")
    done = exporter("export")
    assert (done.code, re.fullmatch(r"nightly/\d{8}T\d{6}Z\n", done.out) is not None) == (0, True)


def test_more_rejects_than_allowed(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """Nothing is published, the reject files are kept, and the message says where."""
    done = exporter("export", "--source", sample_database, "--max-rejects", "0")
    (kept,) = [path.name for path in (tmp_path / "output").iterdir() if path.name != ".lock"]
    assert (done.code, done.out, kept.startswith("rejected-")) == (1, "", True)
    assert done.err.rstrip().endswith(f"nothing was published; see output/{kept}")
    assert list((tmp_path / "output" / kept).rglob("*.csv")) != []


def test_an_output_that_cannot_be_used(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """A missing parent and a file in its place."""
    (tmp_path / "file").touch()
    done = [exporter("export", "--source", sample_database, "--output", output) for output in ("no/such", "file")]
    assert [(each.code, each.out) for each in done] == [(2, ""), (2, "")]
    assert [each.err.splitlines()[-1] for each in done] == [
        "exporter: no does not exist; create it, or choose another --output",
        "exporter: file is not a directory; choose another --output",
    ]


def test_a_group_that_is_not_there(exporter: Exporter, tmp_path: Path) -> None:
    """It is refused before the source is asked, and before anything is made."""
    gone = f"postgresql://u@127.0.0.1:{closed_port()}/source"
    done = exporter("export", "--source", gone, "--group", "of-nobody")
    said = "exporter: there is no group of-nobody; --group takes the name of a group, such as that of Neo4j's user\n"
    assert (done, list(tmp_path.iterdir())) == (Done(2, "", said), [])


def test_a_second_export(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """It is refused while the first one runs."""
    with partial_export(tmp_path / "output"):
        done = exporter("export", "--source", sample_database)
    assert (done.code, done.out) == (5, "")
    assert done.err.splitlines()[-1] \
        == "exporter: another export is running on output; wait for it, or choose another --output"  # fmt: skip


def test_settings_with_faults(exporter: Exporter, tmp_path: Path) -> None:
    """All of file, environment and flags at once."""
    (tmp_path / "nightly.toml").write_text("colour = 'blue'\ntimezone = 'Mars'\n")
    done = exporter("export", "--config", "nightly.toml", "--max-rejects", "-1", EXPORTER_WORKERS="0")
    assert (done.code, done.out) == (2, "")
    assert [name in done.err for name in ("colour", "timezone", "workers", "max_rejects")] == [True] * 4
    missing = exporter("check", "--config", "nothing.toml")
    assert missing == Done(2, "", "exporter: cannot read nothing.toml: No such file or directory\n")


def test_headers(exporter: Exporter, tmp_path: Path) -> None:
    """Written they are as the model says; a missing directory, a changed and a foreign file are differences."""
    absent = exporter("headers", "--check")
    assert (absent.code, absent.out.count(": missing\n"), list(tmp_path.iterdir())) == (1, 77, [])
    assert exporter("headers") == Done(0, "77 headers in headers\n", "")
    assert exporter("headers", "--check") == Done(0, "headers: as the model says\n", "")
    (tmp_path / "headers" / "Skill.csv").write_text("id:ID(Skill)\n")
    changed = exporter("headers", "headers", "--check")
    assert (changed.code, changed.out) == (1, "headers/Skill.csv: differs from the model\n")


def test_headers_that_cannot_be_written(exporter: Exporter, tmp_path: Path) -> None:
    """A file in the directory's place is a mistake of the user's."""
    (tmp_path / "headers").touch()
    done = exporter("headers")
    assert done == Done(2, "", "exporter: cannot write headers into headers: File exists\n")


def test_the_model(exporter: Exporter, exported: tuple[Path, Done]) -> None:
    """In every format, all labels and patterns; the JSON is what the manifest's digest is of."""
    printed = {format: exporter("model", "--format", format) for format in ("table", "mermaid", "json")}
    assert {format: (done.code, done.err) for format, done in printed.items()} == dict.fromkeys(printed, (0, ""))
    manifest = json.loads((exported[0] / "manifest.json").read_text())
    assert hashlib.sha256(printed["json"].out.encode()).hexdigest() == manifest["model"]["sha256"]
    for made in manifest["relationships"]:
        assert f"({made['start']})-[{made['type']}" in printed["table"].out
        assert made["type"] in printed["mermaid"].out


def test_verify(exporter: Exporter, exported: tuple[Path, Done], tmp_path: Path) -> None:
    """A whole export is as its manifest says; a changed file is a difference; no export is a mistake."""
    directory = exported[0]
    assert exporter("verify", directory) == Done(0, f"{directory}: as its manifest says\n", "")
    subprocess.run(["cp", "-r", directory, tmp_path / "copy"], check=True)
    (tmp_path / "copy" / "schema.cypher").write_text("")
    changed = exporter("verify", "copy")
    assert (changed.code, changed.out.splitlines() != [], "schema.cypher" in changed.out) == (1, True, True)
    assert exporter("verify", "nothing").code == 2
    assert exporter("verify", directory, "--bolt", "bolt://127.0.0.1:7687", "--user", "neo4j") \
        == Done(2, "", "exporter: --user needs its password in NEO4J_PASSWORD\n")  # fmt: skip


def test_a_bolt_server_that_does_not_answer(exporter: Exporter, exported: tuple[Path, Done]) -> None:
    """It has failed on the way, and says where."""
    address = f"bolt://127.0.0.1:{closed_port()}"
    done = exporter("verify", exported[0], "--bolt", address)
    assert (done.code, done.out, done.err.startswith("exporter: Neo4j does not answer")) == (4, "", True)


def test_a_rebuild_that_cannot_be(exporter: Exporter, tmp_path: Path) -> None:
    """Why is said twice: in a sentence, and in the object that is the last line of every rebuild."""
    cases = {
        (): "which Neo4j? Set NEO4J_HOME, or neo4j_home in the table [rebuild] of the settings file",
        (
            "--rollback",
            "--repair",
        ): "--rollback, --repair, and --from with --accept-changes are three things: choose one",
        ("--keep", "0"): "rebuild.keep: must be a whole number, 1 or more",
        ("--metrics", "missing/file.prom"): "the metrics missing/file.prom cannot be written: it is a directory, or its"
        " directory is not writable",
    }
    for arguments, sentence in cases.items():
        done = exporter("rebuild", *arguments)
        assert (done.code, done.err) == (2, f"exporter: {sentence}\n")
        sanitized_errors = json.loads(done.out)
        assert (sanitized_errors["result"], sanitized_errors["exit_code"], sanitized_errors["message"]) == (
            "failed",
            2,
            sentence,
        )
    logged = exporter("rebuild", "--log-format", "json")
    assert json.loads(logged.err)["message"] == json.loads(logged.out)["message"]
    assert not any(tmp_path.iterdir())

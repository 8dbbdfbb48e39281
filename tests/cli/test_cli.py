"""The command line: every command's output and exit code, for success and for simple mistakes."""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from rich.filesize import decimal

from exporter.cli import run
from exporter.model.graph import NODES, RELATIONSHIPS
from exporter.model.tables import tables
from exporter.sink.publish import partial_export
from tests.support import tiny_export
from tests.support.commands import EXPORTER, PASSWORD, Done, Exporter
from tests.support.export_process import PROGRESS, check_calm
from tests.support.ports import closed_port

WARNING = "exporter: warning: a password on the command line is visible to other users; use PGPASSWORD\n"


def test_help_needs_no_settings(exporter: Exporter) -> None:
    """Nor pydantic or Polars, whose import would delay it and completion."""
    process = subprocess.run(
        [sys.executable, "-c", "import sys, exporter.cli; print(*sys.modules)"], capture_output=True, text=True
    )
    modules = process.stdout.split()
    assert "exporter.cli.rebuild" in modules
    assert not {"pydantic", "pydantic_settings", "polars", "psycopg", "neo4j"} & set(modules)


def test_the_version_is_printed_alone(exporter: Exporter) -> None:
    """So that a script can take it."""
    done = exporter("--version")
    assert (done.code, bool(re.fullmatch(r"\d+\.\d+\.\d+\n", done.out)), done.err) == (0, True, "")


def test_completion_can_be_installed(exporter: Exporter, tmp_path: Path) -> None:
    """For bash, in the user's own directory; the shell is named because tests run in none."""
    done = exporter(
        "--install-completion", "bash", HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    )
    assert (done.code, "exporter" in (tmp_path / ".bashrc").read_text()) == (0, True)


def test_the_exports_are_listed_compared_and_pruned(exporter: Exporter, tmp_path: Path) -> None:
    """`latest` stays, and what is removed is listed."""
    output = tmp_path / "output"
    assert (
        exporter("runs").err == "exporter: cannot read output: No such file or directory; name another with --output\n"
    )
    output.mkdir()
    assert exporter("runs").out == "No exports in output.\n"
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
        ["latest"],
        ["20261123T031500Z", "Mon", "23", "Nov", "03:15", "1,523", "+6,522", "%", "2", "794", "bytes", "2.5", "s"],
        ["20261121T031500Z:", "manifest.json", "is", "missing"],
    ])  # fmt: skip
    listed_object = json.loads(exporter("runs", "--json").out)
    assert [(run["name"], run["marks"]) for run in listed_object["exports"]] == [
        ("20261121T031500Z", []), ("20261122T031500Z", ["latest"]), ("20261123T031500Z", []),
    ]  # fmt: skip
    compared = exporter("runs", "--diff", "latest", "20261123T031500Z").out.splitlines()
    assert compared[2].split()[:1] == [manifest["nodes"][0]["label"]] and len(compared) == 3
    assert json.loads(exporter("runs", "--diff", "latest", "20261123T031500Z", "--json").out) == {
        "format": 1,
        "before": "20261122T031500Z",
        "after": "20261123T031500Z",
        "same_source": True,
        "same_model": True,
        "same_window": True,
        "same_redaction": True,
        "changes": [
            {"name": "AuthUser", "rows_before": 13, "rows_after": 1513, "rejects_before": 2, "rejects_after": 2}
        ],
    }
    assert exporter("runs", "--diff", "latest", "2025").code == 2


def test_old_exports_are_removed(exporter: Exporter, tmp_path: Path) -> None:
    """But `latest`; first as a rehearsal, and each time with what that frees."""
    output = tmp_path / "output"
    for stamp in ("20261121T031500Z", "20261122T031500Z", "20261123T031500Z"):
        tiny_export.write(output / stamp)
    (output / "latest").symlink_to("20261122T031500Z")
    size = sum(path.stat().st_size for path in (output / "20261121T031500Z").rglob("*") if path.is_file())
    assert exporter("prune").code == exporter("prune", "--keep", "0").code == 2
    rehearsed = exporter("prune", "--keep", "1", "--dry-run")
    assert rehearsed.out == f"would remove output/20261121T031500Z ({decimal(size)})\nWould free {decimal(size)}.\n"
    assert sorted(path.name for path in output.iterdir()) == [
        "20261121T031500Z", "20261122T031500Z", "20261123T031500Z", "latest",
    ]  # fmt: skip
    rehearsed = exporter("prune", "--keep", "1", "--dry-run", "--json")
    assert json.loads(rehearsed.out) == {
        "format": 1,
        "dry_run": True,
        "removed": [{"path": "output/20261121T031500Z", "bytes": size}],
        "bytes": size,
    }
    pruned = exporter("prune", "--keep", "1")
    assert (pruned.code, pruned.out) == (
        0, f"removed output/20261121T031500Z ({decimal(size)})\nFreed {decimal(size)}.\n",
    )  # fmt: skip
    assert exporter("prune", "--keep", "1").out == "Nothing to remove.\n"
    assert sorted(path.name for path in output.glob("2*")) == ["20261122T031500Z", "20261123T031500Z"]


def test_the_exports_behind_a_live_graph_are_marked_and_kept(exporter: Exporter, tmp_path: Path) -> None:
    """Where the settings name the Neo4j; `rebuild --status` says the same, and which one is latest."""
    output, home = tmp_path / "output", tmp_path / "neo4j"
    (home / "conf").mkdir(parents=True)
    (home / "conf" / "neo4j.conf").touch()
    for number, stamp in enumerate(("20261121T031500Z", "20261122T031500Z", "20261123T031500Z", "20261124T031500Z")):
        tiny_export.write(output / stamp)
        if number not in (1, 2):
            continue
        store = home / "data" / "rebuild" / "stores" / f"{stamp.removesuffix('Z')}.000000Z"
        store.mkdir(parents=True)
        shutil.copy(output / stamp / "manifest.json", store)
        (store / "store.json").write_text(json.dumps({"export": stamp}))
        if number == 1:
            (store / "database").mkdir()
    (output / "latest").symlink_to("20261123T031500Z")
    live = {"NEO4J_HOME": str(home), "EXPORTER_REBUILD_BOLT": f"bolt://127.0.0.1:{closed_port()}"}
    listed = json.loads(exporter("runs", "--json", **live).out)
    assert [run["marks"] for run in listed["exports"]] == [[], ["rollback"], ["latest", "live"], []]
    unmarked = json.loads(exporter("runs", "--json").out)
    assert [run["marks"] for run in unmarked["exports"]] == [[], [], ["latest"], []]
    status = json.loads(exporter("rebuild", "--status", "--json", **live).out)
    assert (status["live"]["export"], status["previous"]["export"], status["latest"], status["answers"]) == (
        "20261123T031500Z", "20261122T031500Z", "20261123T031500Z", False,
    )  # fmt: skip
    assert exporter("rebuild", "--status", "--repair").code == 2
    exporter("prune", "--keep", "1", **live)
    assert sorted(path.name for path in output.glob("2*")) == [
        "20261122T031500Z", "20261123T031500Z", "20261124T031500Z",
    ]  # fmt: skip


def test_an_archive_is_encrypted_and_listed(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """Its path is on stderr; stdout is the export's directory alone."""
    key = "age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"
    arguments = ("export", "--archive", "--encrypt-to", key, "--profile", "profile.json")
    done = exporter(*arguments, EXPORTER_SOURCE=sample_database)
    assert list(json.loads((tmp_path / "profile.json").read_text())["stages"])[-1] == "archive"
    directory = tmp_path / done.out.strip()
    size = decimal(directory.with_name(f"{directory.name}.tar.zst.age").stat().st_size)
    assert (done.code, done.err.splitlines()[-1]) == (0, f"Archive: {done.out.strip()}.tar.zst.age, {size}")
    header, row, mark = exporter("runs").out.splitlines()
    assert mark.strip() == "latest"
    assert (header.split()[-1], " ".join(row.split()[-2:])) == ("archive", size)
    unused = exporter("export", "--encrypt-to", key, EXPORTER_SOURCE=sample_database)
    assert (unused.code, unused.err) == (2, "exporter: --encrypt-to is for an archive; give --archive too\n")


def test_a_wrong_public_key_is_refused_before_anything_is_read(exporter: Exporter, tmp_path: Path) -> None:
    """Without repeating it if it may be the private one."""
    key = "age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"
    source = f"postgresql://u@127.0.0.1:{closed_port()}/source"
    for wrong, place in {
        "": "--encrypt-to ''", "age1": "encrypt_to", f"{key},": "encrypt_to", f"AGE-SECRET-{PASSWORD}": "encrypt_to",
    }.items():  # fmt: skip
        done = exporter("export", "--source", source, "--archive", "--encrypt-to", wrong)
        assert (done.code, done.out, done.err.splitlines()[-1]) \
            == (2, "", f"exporter: {place}: must be age public keys (age1…), with commas between them")  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_missing_source_is_asked_for(exporter: Exporter) -> None:
    """By flag, variable and settings file."""
    sentence = (
        "exporter: no source is set; give --source postgresql://USER@HOST/DATABASE, set EXPORTER_SOURCE, or write it"
        f" into exporter.toml (`{EXPORTER} init --source …` does)"
    )
    done = [exporter(command) for command in ("check", "export")]
    assert [(ended.code, ended.out, ended.err.splitlines()[-1]) for ended in done] == [(2, "", sentence)] * 2


def test_a_malformed_source_is_refused_without_repeating_it(exporter: Exporter) -> None:
    """Wherever it comes from."""
    done = [
        exporter("check", "--source", f"mysql://u:{PASSWORD}@db/source"),
        exporter("check", EXPORTER_SOURCE=f"postgresql://u:p@{PASSWORD}@db/source"),
        exporter("export", "--source", f"postgresql://u:{PASSWORD}@[::1/source"),
        exporter("export", EXPORTER_SOURCE=f"postgresql://u:{PASSWORD}%zz@db/source"),
    ]
    assert [(ended.code, ended.out) for ended in done] == [(2, "")] * 4
    assert done[0].err == "exporter: --source: must be a postgresql:// URI\n"
    assert [ended.err.splitlines()[-1].startswith("exporter: the source") for ended in done[1:]] == [True] * 3


def test_an_unreachable_source_ends_with_3(exporter: Exporter) -> None:
    """A password on the command line is warned about, one in the environment is not."""
    port = closed_port()
    source = f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/source"
    shown, hidden = exporter("check", "--source", source), exporter("export", EXPORTER_SOURCE=source)
    sentence = f"exporter: the source u@127.0.0.1:{port}/source: Connection refused; "
    assert [(done.code, done.out) for done in (shown, hidden)] == [(3, "")] * 2
    assert [done.err.splitlines()[-1].partition(sentence)[1] for done in (shown, hidden)] == [sentence] * 2
    assert [WARNING in done.err for done in (shown, hidden)] == [True, False]


def test_a_missing_database_ends_with_3(exporter: Exporter, postgres: str) -> None:
    """The message says that the server has none of that name."""
    missing = postgres.replace("/postgres?", "/nothing?")
    done = [exporter(command, "--source", missing) for command in ("check", "export")]
    assert [(ended.code, ended.out) for ended in done] == [(3, "")] * 2
    assert [ended.err.rstrip().endswith('/nothing: FATAL: database "nothing" does not exist') for ended in done] == [
        True
    ] * 2


def break_source(source: str) -> None:
    """Introduces three errors into a source."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("drop table marketing.leads")
        connection.execute("alter table guide.skills rename name to title")
        connection.execute("alter table auth.auth_users alter is_active type text")


def test_all_errors_of_a_source_are_reported_at_once(exporter: Exporter, source: str, tmp_path: Path) -> None:
    """By check on stdout, and by export before it reads anything."""
    break_source(source)
    faults = [
        "auth.auth_users.is_active: type text does not fit a boolean",
        "guide.skills.name: no such column",
        "marketing: no such schema, or nothing in it, for leads",
    ]
    checked, exported = exporter("check", "--source", source), exporter("export", "--source", source)
    assert [done.code for done in (checked, exported)] == [3, 3]
    assert (checked.out.count("error: "), exported.out) == (3, "")
    assert [fault in checked.out and fault in exported.err for fault in faults] == [True] * 3
    assert [path.name for path in (tmp_path / "output").iterdir()] == [".lock"]


def test_a_check_finds_no_errors_in_the_sample(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """It writes nothing, and lists notes on demand."""
    done = exporter("check", "--source", sample_database)
    assert (done.code, done.err, done.out.splitlines()[-1].startswith("The source can be exported: no errors, ")) \
        == (0, "", True)  # fmt: skip
    noted = exporter("check", "--notes", EXPORTER_SOURCE=sample_database)
    assert (noted.code, "note: " in noted.out, "note: " in done.out) == (0, True, False)
    assert list(tmp_path.iterdir()) == []


def test_a_check_as_json_is_one_object(exporter: Exporter, source: str) -> None:
    """For a source without errors, one with errors, and one that is unreachable."""
    checks = [exporter("check", "--json", EXPORTER_SOURCE=source)]
    break_source(source)
    checks += [exporter("check", "--json", EXPORTER_SOURCE=uri) for uri in (source, f"{source}&port=1")]
    assert [(done.code, done.err.count("\n")) for done in checks] == [(0, 0), (3, 1), (3, 1)]
    intact, broken, unreachable = results = [json.loads(done.out) for done in checks]
    keys = ["format", "exportable", "model", "server", "findings", "estimate", "window", "redaction", "output"]
    assert [list(result) for result in results] == [keys] * 3
    assert [result["exportable"] for result in results] == [True, False, False]
    assert list(intact["server"]) == ["host", "database", "version", "standby"]
    assert list(intact["estimate"]) == ["rows", "bytes", "seconds", "rule", "tables"]
    names = [table.name for table in tables()]
    assert [table["table"] for table in intact["estimate"]["tables"]] == names
    assert broken["estimate"] is None
    assert {finding["severity"] for finding in intact["findings"]} == {"note"}
    assert [finding["where"] for finding in broken["findings"] if finding["severity"] == "error"] \
        == ["marketing", "guide.skills.name", "auth.auth_users.is_active"]  # fmt: skip
    assert (unreachable["server"], unreachable["estimate"]) == (None, None)
    assert unreachable["output"]["directory"] == "output"
    [finding] = unreachable["findings"]
    assert (finding["where"], finding["what"].startswith("the source postgres@")) == ("source", True)


@pytest.mark.slow
def test_init_writes_a_settings_file_for_check(exporter: Exporter, source: str, tmp_path: Path) -> None:
    """Once, without the password, and it says what to do next."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("alter table marketing.leads rename to lead")
    with_password = source.replace("postgres@", f"postgres:{PASSWORD}@")
    done = exporter("init", EXPORTER_SOURCE=with_password)
    assert (done.code, done.err) == (
        0, "exporter: the password is not written into exporter.toml; pass it in PGPASSWORD or PGPASSFILE\n"
    )  # fmt: skip
    columns = {table.name: len(table.columns()) for table in tables()}
    leads = columns["marketing.leads"]
    assert done.out.splitlines() == [
        f"tables: {len(columns) - 1} under the model's name, 1 guessed",
        f"columns: {sum(columns.values())} under the model's name",
        f"  marketing.leads -> marketing.lead ({leads} of {leads} columns)",
        "Wrote exporter.toml. With it, a check finds no errors.",
        f"Next: review every name in it, complete what is commented out, and run: {EXPORTER} check",
    ]
    path = tmp_path / "exporter.toml"
    assert (PASSWORD in path.read_text(), path.stat().st_mode & 0o777) == (False, 0o600)
    assert exporter("check").code == 0
    again = exporter("init", EXPORTER_SOURCE=with_password)
    assert again == Done(2, "", "exporter: exporter.toml exists; --force replaces it, --output-file names another\n")
    path.write_text("not toml")
    forced = exporter("init", "--force", "--source", source)
    assert (forced.code, exporter("check").code, list(tmp_path.iterdir())) == (0, 0, [path])
    other = exporter("init", "--output-file", "other.toml", "--source", source).out
    assert other.endswith(f"and run: {EXPORTER} check --config other.toml\n")


def test_init_writes_nothing_without_a_source(exporter: Exporter, tmp_path: Path) -> None:
    """Nor with one that is unreachable."""
    gone = f"postgresql://u@127.0.0.1:{closed_port()}/source"
    assert [exporter("init").code, exporter("init", "--source", gone).code] == [2, 3]
    assert list(tmp_path.iterdir()) == []


def test_an_export_prints_its_directory_alone(exported: tuple[Path, Done]) -> None:
    """stderr has a dated line at once, more only in a longer run, and a summary."""
    directory, done = exported
    assert (done.out, directory.parent.name, directory.is_dir()) == (f"{directory}\n", "output", True)
    lines = done.err.splitlines()
    check_calm(lines)
    totals = json.loads((directory / "manifest.json").read_text())["totals"]
    summary = f"{totals['nodes']:,} nodes, {totals['relationships']:,} relationships, {totals['rejects']:,} rejects, "
    assert (PROGRESS.match(lines[0]) is not None, summary in done.err) == (True, True)


def test_an_export_needs_no_flag_but_the_settings_file(
    exporter: Exporter, sample_database: str, tmp_path: Path
) -> None:
    """The one of the working directory, to which its output is relative."""
    (tmp_path / "exporter.toml").write_text(f"source = '{sample_database}'\noutput = 'nightly'\nworkers = 1\n")
    done = exporter("export")
    assert (done.code, re.fullmatch(r"nightly/\d{8}T\d{6}Z\n", done.out) is not None) == (0, True)


def test_more_rejects_than_allowed_publish_nothing(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """The reject files are kept, and the message says where, and which are the commonest; `rejects` lists them."""
    done = exporter("export", "--source", sample_database, "--max-rejects", "0")
    (kept,) = [path.name for path in (tmp_path / "output").iterdir() if path.name != ".lock"]
    assert (done.code, done.out, kept.startswith("rejected-")) == (1, "", True)
    *_, message = done.err.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\S+ exporter: \d+ rejects exceed --max-rejects 0, nothing was published: "
        r"(\d+ [a-z_]+ in [\w-]+, ){3}\d+ more kinds; see them by \S*exporter rejects output/" + kept,
        message,
    )
    total = re.search(r" (\d+) rejects", message)
    assert total and exporter("rejects", f"output/{kept}").out.endswith(f"{total[1]} rejects in output/{kept}\n")
    assert list((tmp_path / "output" / kept).rglob("*.csv")) != []


def test_an_unusable_output_is_refused(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """One without a parent, and a file."""
    (tmp_path / "file").touch()
    done = [exporter("export", "--source", sample_database, "--output", output) for output in ("no/such", "file")]
    assert [(ended.code, ended.out) for ended in done] == [(2, ""), (2, "")]
    assert [ended.err.splitlines()[-1] for ended in done] == [
        "exporter: no does not exist; create it, or choose another --output",
        "exporter: file is not a directory; choose another --output",
    ]


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_an_export_with_closed_streams(closed: str, sample_database: str, tmp_path: Path) -> None:
    """As some jobs have them. What the caller closed gets nothing, and no file takes its number."""
    command = [EXPORTER, "export", "--source", sample_database, "--output", tmp_path / "output"]
    shell = ["bash", "-c", f'exec "$@" {closed}', "bash"]
    process = subprocess.run([*shell, *command], capture_output=True, text=True, timeout=120, check=False)
    [directory] = (tmp_path / "output").glob("2*")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == (f"{directory}\n" if closed == "2>&-" else "")


def test_a_directory_that_may_not_be_entered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Is a sentence in every command that looks into it, and usage."""

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    (tmp_path / "a\x1b").mkdir()
    monkeypatch.setattr(Path, "is_file", refuse)
    monkeypatch.setattr(sys, "argv", ["exporter", "verify", str(tmp_path / "a\x1b")])
    assert run() == 2
    message = rf"exporter: cannot use {tmp_path}/a\x1B/manifest.json: Permission denied; run this as its owner"
    assert capsys.readouterr().err == f"{message}\n"


def test_an_unknown_group_is_refused(exporter: Exporter, tmp_path: Path) -> None:
    """Before the source is connected to, and before anything is created."""
    unreachable = f"postgresql://u@127.0.0.1:{closed_port()}/source"
    done = exporter("export", "--source", unreachable, "--group", "of-nobody")
    message = "exporter: there is no group of-nobody; --group takes the name of a group, such as that of Neo4j's user\n"
    assert (done, list(tmp_path.iterdir())) == (Done(2, "", message), [])


def test_a_second_export_is_refused_while_one_runs(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """Of the same output directory, with exit code 5."""
    with partial_export(tmp_path / "output"):
        done = exporter("export", "--source", sample_database)
    assert (done.code, done.out) == (5, "")
    assert done.err.splitlines()[-1] \
        == "exporter: another export is running on output; wait for it, or choose another --output"  # fmt: skip


def test_faults_of_file_environment_and_flags_are_reported_at_once(exporter: Exporter, tmp_path: Path) -> None:
    """Each on its line; a file that was named must exist."""
    (tmp_path / "nightly.toml").write_text("colour = 'blue'\ntimezone = 'Mars'\n")
    done = exporter("export", "--config", "nightly.toml", "--max-rejects", "-1", EXPORTER_WORKERS="0")
    assert done == Done(
        2,
        "",
        "exporter: 4 settings are wrong:\n"
        "  EXPORTER_WORKERS=0: must be a whole number from 1 to 64\n"
        '  nightly.toml line 2, timezone = "Mars": must be a time zone of the IANA database, such as Asia/Kolkata\n'
        "  --max-rejects -1: must be a whole number, 0 or more\n"
        "  nightly.toml line 1, colour: no such setting\n",
    )
    missing = exporter("check", "--config", "nothing.toml")
    assert missing == Done(2, "", "exporter: cannot read nothing.toml: No such file or directory\n")


def test_headers_are_written_and_compared(exporter: Exporter, tmp_path: Path) -> None:
    """A missing directory and a changed file are differences."""
    count = len(NODES) + len(RELATIONSHIPS)
    absent = exporter("headers", "--check")
    assert (absent.code, absent.out.count(": missing\n"), list(tmp_path.iterdir())) == (1, count, [])
    assert exporter("headers") == Done(0, f"{count} headers in headers\n", "")
    assert exporter("headers", "--check") == Done(0, "headers matches the model\n", "")
    (tmp_path / "headers" / "Skill.csv").write_text("id:ID(Skill)\n")
    changed = exporter("headers", "headers", "--check")
    assert (changed.code, changed.out) == (1, "headers/Skill.csv: differs from the model\n")


def test_headers_cannot_be_written_into_a_file(exporter: Exporter, tmp_path: Path) -> None:
    """A mistake of the user's, so exit code 2."""
    (tmp_path / "headers").touch()
    done = exporter("headers")
    assert done == Done(2, "", "exporter: cannot write headers into headers: File exists\n")


def test_the_model_is_printed_in_every_format(exporter: Exporter, exported: tuple[Path, Done]) -> None:
    """With all labels and patterns; the manifest's digest is that of the JSON."""
    printed = {format: exporter("model", "--format", format) for format in ("table", "mermaid", "json")}
    assert {format: (done.code, done.err) for format, done in printed.items()} == dict.fromkeys(printed, (0, ""))
    manifest = json.loads((exported[0] / "manifest.json").read_text())
    assert hashlib.sha256(printed["json"].out.encode()).hexdigest() == manifest["model"]["sha256"]
    for relationship in manifest["relationships"]:
        assert f"({relationship['start']})-[{relationship['type']}" in printed["table"].out
        assert relationship["type"] in printed["mermaid"].out


def test_verify_finds_a_changed_file(exporter: Exporter, exported: tuple[Path, Done], tmp_path: Path) -> None:
    """An intact export has no differences; a missing one, and a user without a password, are mistakes of the user's."""
    directory = exported[0]
    assert exporter("verify", directory) == Done(0, f"{directory} matches its manifest\n", "")
    subprocess.run(["cp", "-r", directory, tmp_path / "copy"], check=True)
    (tmp_path / "copy" / "schema.cypher").write_text("")
    changed = exporter("verify", "copy")
    assert (changed.code, changed.out.splitlines() != [], "schema.cypher" in changed.out) == (1, True, True)
    assert exporter("verify", "nothing").code == 2
    assert exporter("verify", directory, "--bolt", "bolt://127.0.0.1:7687", "--user", "neo4j") \
        == Done(2, "", "exporter: --user needs its password in NEO4J_PASSWORD\n")  # fmt: skip


def test_a_bolt_server_that_does_not_answer_ends_with_4(exporter: Exporter, exported: tuple[Path, Done]) -> None:
    """The message says so."""
    address = f"bolt://127.0.0.1:{closed_port()}"
    done = exporter("verify", exported[0], "--bolt", address)
    assert (done.code, done.out, done.err.startswith("exporter: Neo4j does not answer")) == (4, "", True)


@pytest.mark.slow
def test_a_rebuild_says_why_it_cannot_run(exporter: Exporter, tmp_path: Path) -> None:
    """Twice: in a sentence, and in the object that is the last line of every rebuild."""
    cases = {
        (): "which Neo4j? Set NEO4J_HOME, or neo4j_home in the table [rebuild] of the settings file",
        ("--rollback", "--repair"): "choose one of --rollback, --repair, and --from with --accept-changes",
        ("--repair", "--max-drop", "5%"): "--repair exports nothing: leave out --source, --source-name, --cluster,"
        " --push, --max-drop, --max-rejects-rise",
        ("--accept-copy",): "--accept-copy is for --from: a new export is never a copy here",
        ("--keep", "0"): "--keep 0: must be a whole number, 1 or more",
        ("--metrics", "missing/file.prom"): "the metrics missing/file.prom cannot be written: it is a directory, or its"
        " directory is not writable",
    }
    for arguments, sentence in cases.items():
        done = exporter("rebuild", *arguments)
        assert (done.code, done.err) == (2, f"exporter: {sentence}\n")
        result = json.loads(done.out)
        assert (result["result"], result["exit_code"], result["message"]) == ("failed", 2, sentence)
    logged = exporter("rebuild", "--log-format", "json")
    assert json.loads(logged.err)["message"] == json.loads(logged.out)["message"]
    assert not any(tmp_path.iterdir())

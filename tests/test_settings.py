"""What a user can set: flags over environment over file, and every fault reported at once."""

import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from exporter.errors import UsageError
from exporter.model.tables import tables
from exporter.settings import FLAGS, RebuildSettings, Settings, load

SECRET = "postgresql://exporter:hunter2@db/source"


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(directory: Path, text: str) -> Path:
    """A settings file of that text, not under its default name."""
    path = directory / "nightly.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fault(config: Path | None = None, **flags: Any) -> str:
    """The message with which the settings are refused."""
    with pytest.raises(UsageError) as refused:
        load(config, **flags)
    assert refused.value.exit_code == 2
    return str(refused.value)


def faults(config: Path | None = None, **flags: Any) -> list[str]:
    """The lines of a message with several faults, which the first counts; those of the file without its directory."""
    count, *lines = fault(config, **flags).split("\n  ")
    assert count == f"{len(lines)} settings are wrong:"
    return [line.replace(f"{config.parent}/", "") if config else line for line in lines]


def test_without_flags_environment_and_file_the_defaults_hold() -> None:
    """Those that the specification and README.md state."""
    assert load(None) == Settings(
        source=None,
        output=Path("output"),
        workers=2,
        memory=640 << 20,
        timezone="UTC",
        max_rejects=None,
        max_duration=None,
        lock_timeout=30,
        archive=False,
        encrypt_to=None,
        tables={},
        columns={},
        rebuild=RebuildSettings(),
    )


def test_flags_beat_the_environment_and_that_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three settings comes from the highest place that gives it."""
    config = configured(tmp_path, "workers = 3\nmax_rejects = 3\nlock_timeout = 3\n")
    monkeypatch.setenv("EXPORTER_WORKERS", "4")
    monkeypatch.setenv("EXPORTER_MAX_REJECTS", "4")
    settings = load(config, workers=5, max_rejects=None)
    assert (settings.workers, settings.max_rejects, settings.lock_timeout) == (5, 4, 3)


def test_a_flag_of_zero_counts(tmp_path: Path) -> None:
    """Only an absent flag leaves the setting to the file."""
    assert load(configured(tmp_path, "max_rejects = 3"), max_rejects=0).max_rejects == 0


def test_the_default_file_is_read_from_the_working_directory(tmp_path: Path) -> None:
    """exporter.toml counts if no file is named, and only then."""
    (tmp_path / "exporter.toml").write_text("workers = 7\n")
    assert (load(None).workers, load(configured(tmp_path, "memory = '1G'")).workers) == (7, 2)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("640MB", 640 << 20),
        ("640M", 640 << 20),
        ("640MiB", 640 << 20),
        (" 640 mb ", 640 << 20),
        ("1.5G", 3 << 29),
        ("2GB", 2 << 30),
        ("400000K", 400000 << 10),
        ("671088640", 640 << 20),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    """Units are powers of 1024; without one, the number is bytes."""
    assert load(None, memory=text).memory == size


@pytest.mark.parametrize("text", ["640TB", "MB", "-640MB", "640 M B", "1,5G", "299MB", "4097G", "9" * 400, "٦٤٠MB", ""])
def test_anything_else_is_not_a_size(text: str) -> None:
    """Nor is a size accepted that no export could run in."""
    assert fault(memory=text).startswith("--memory")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("15m", 900), ("2h", 7200), (" 2 h ", 7200), (90, 90)]
)
def test_a_span_is_a_number_and_a_unit(text: str | int, seconds: int) -> None:
    """Without a unit, the number is seconds."""
    settings = load(None, max_duration=text, lock_timeout=text)
    assert (settings.max_duration, settings.lock_timeout) == (seconds, seconds)


@pytest.mark.parametrize("text", ["2d", "0", "0s", "-1", "1.5h", "m", "", "1h30m", "501h", "9" * 5000])
def test_anything_else_is_not_a_span(text: str) -> None:
    """Nor is zero: no timeout can be kept that is over at once; nor what the server's milliseconds cannot hold."""
    assert fault(max_duration=text).startswith("--max-duration")


def test_every_fault_is_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of file, environment and flags together, mapping included."""
    config = configured(
        tmp_path,
        "worker = 2\ncolour = 'blue'\ntimezone = 'Mars/Pole'\n"
        "[tables]\n'guide.nothing' = 'x.y'\n'guide.skills' = 'skills'\n"
        "[rebuild]\nkeeep = 3\nmax_drop = '120%'\nbolt = 'bolt://neo4j:hunter2@db'\n",
    )
    monkeypatch.setenv("EXPORTER_WORKERS", "many")
    rebuild = {"keep": "0", "log_format": "xml"}
    assert faults(config, max_rejects="-1", memory="1", rebuild=rebuild) == [
        "EXPORTER_WORKERS=many: must be a whole number from 1 to 64",
        "--memory 1: must be a size from 300MB to 4096G, such as 640MB or 1.5G",
        'nightly.toml line 3, timezone = "Mars/Pole": must be a time zone of the IANA database, such as Asia/Kolkata',
        "--max-rejects -1: must be a whole number, 0 or more",
        "nightly.toml: [tables] maps guide.nothing, which is not a table of the model",
        "nightly.toml: [tables] maps guide.skills to skills, which is not schema.table",
        "nightly.toml line 10, rebuild.bolt: must be an address like bolt://127.0.0.1:7687, without user and password",
        "--keep 0: must be a whole number, 1 or more",
        'nightly.toml line 9, rebuild.max_drop = "120%": must be a percentage from 0% to 100%, such as 20%',
        "--log-format xml: must be plain or json",
        "nightly.toml line 8, rebuild.keeep: no such setting; the nearest is keep",
        "nightly.toml line 1, worker: no such setting; the nearest is workers",
        "nightly.toml line 2, colour: no such setting",
    ]


def test_every_setting_says_what_it_must_be() -> None:
    """A value of the wrong kind is answered with the setting's description, which each has."""
    wrong: dict[str, Any] = {name: object() for name in Settings.model_fields if name != "rebuild"}
    wrong["rebuild"] = {name: object() for name in RebuildSettings.model_fields}
    fields = {name: field for name, field in Settings.model_fields.items() if name != "rebuild"}
    fields |= {f"rebuild.{name}": field for name, field in RebuildSettings.model_fields.items()}
    flags = {name: FLAGS.get((name,), f"--{name.rpartition('.')[2].replace('_', '-')}") for name in fields}
    assert faults(**wrong) == [f"{flags[name]}: must be {field.description}" for name, field in fields.items()]
    assert all(field.description for field in fields.values())


def test_a_column_mapping_of_something_the_model_does_not_read_is_refused(tmp_path: Path) -> None:
    """The message names each such table and column, as the file has it, and the nearest name."""
    config = configured(
        tmp_path,
        "[columns.'guide.skills']\nid = 'skill_id'\nlevel = 'stars'\nnam = 'n'\n[columns.'guide.nothing']\nid = 'n'\n",
    )
    assert faults(config) == [
        'nightly.toml: [columns."guide.skills"] level: the model does not read such a column',
        'nightly.toml: [columns."guide.skills"] nam: the model does not read such a column, the nearest name is name',
        "nightly.toml: [columns] names guide.nothing, which is not a table of the model",
    ]


def test_a_mapping_gives_real_names(tmp_path: Path) -> None:
    """Mapped names are the file's, all others the model's; a column that only orders rows can be mapped, too."""
    config = configured(
        tmp_path,
        "[tables]\n'guide.skills' = 'app.skill'\n[columns.'guide.skills']\nid = 'skill_id'\n"
        "[columns.'auth.user_devices']\nid = 'registration'\n",
    )
    mapping = load(config).mapping
    assert [mapping.table(name) for name in ("guide.skills", "guide.languages")] == ["app.skill", "guide.languages"]
    assert [mapping.column("guide.skills", name) for name in ("id", "name")] == ["skill_id", "name"]
    assert mapping.column("auth.user_devices", "id") == "registration"
    assert mapping.schemas() == sorted({"app", *(table.name.split(".")[0] for table in tables())})


def test_the_environment_maps_names_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the file, name by name; anything else is refused."""
    config = configured(tmp_path, "[tables]\n'guide.skills' = 'file.skill'\n'guide.languages' = 'file.language'\n")
    monkeypatch.setenv("EXPORTER_TABLES", '{"guide.skills": "app.skill"}')
    assert load(config).tables == {"guide.skills": "app.skill", "guide.languages": "file.language"}
    monkeypatch.setenv("EXPORTER_TABLES", "guide.skills=app.skill")
    assert fault() == "EXPORTER_TABLES: must be a JSON object"


@pytest.mark.parametrize("value", ["guide.skills=app.skill", "[]", "3", "{"])
def test_a_variable_that_is_not_json_hides_no_other_fault(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of several; its value may be anything, so it is not repeated."""
    monkeypatch.setenv("EXPORTER_COLUMNS", value)
    monkeypatch.setenv("EXPORTER_REBUILD", '{"keep": 0}')
    assert faults(source="mysql://u:hunter2@db") == [
        "--source: must be a postgresql:// URI",
        "EXPORTER_REBUILD, keep = 0: must be a whole number, 1 or more",
        "EXPORTER_COLUMNS: must be a JSON object",
    ]


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the nearest name; an empty one counts as unset, and a mapping is refused by what it maps."""
    monkeypatch.setenv("EXPORTER_WORKER", "3")
    monkeypatch.setenv("EXPORTER_OUTPUTS", "")
    monkeypatch.setenv("EXPORTER_TABLES_FOO", "x.y")
    assert faults() == [
        "EXPORTER_TABLES: [tables] maps foo, which is not a table of the model",
        "EXPORTER_WORKER: no such setting; the nearest is EXPORTER_WORKERS",
    ]


def test_an_unknown_variable_is_warned_about(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """But not those that Kubernetes sets for a service of the name `exporter`."""
    for name in ("EXPORTER_IMAGE_TAG", "EXPORTER_SERVICE_HOST", "EXPORTER_PORT", "EXPORTER_PORT_80_TCP_ADDR"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr(logging.getLogger("exporter"), "propagate", True)
    assert load(None) == Settings()
    assert [record.getMessage() for record in caplog.records if "EXPORTER_TEST_" not in record.getMessage()] == [
        "EXPORTER_IMAGE_TAG is not a variable of this program, and has no effect"
    ]


def test_truth_is_no_number(tmp_path: Path) -> None:
    """TOML's true is not 1."""
    config = configured(
        tmp_path, "workers = true\nmax_rejects = false\nlock_timeout = true\n[rebuild]\nkeep = true\nmax_drop = true\n"
    )
    assert faults(config) == [
        "nightly.toml line 1, workers = true: must be a whole number from 1 to 64",
        "nightly.toml line 2, max_rejects = false: must be a whole number, 0 or more",
        "nightly.toml line 3, lock_timeout = true: must be a time such as 90s, 15m or 2h, at most 500h",
        "nightly.toml line 5, rebuild.keep = true: must be a whole number, 1 or more",
        "nightly.toml line 6, rebuild.max_drop = true: must be a percentage from 0% to 100%, such as 20%",
    ]


def test_blank_commands_and_paths_are_refused(tmp_path: Path) -> None:
    """An output directory of no name would be the working directory."""
    config = configured(
        tmp_path, "group = ' '\n[rebuild]\nstop = ''\nstart = '  '\nneo4j_home = ''\nmetrics = \"a\\u0000b\"\n"
    )
    assert fault(output="a\nb") == r"--output 'a\nb': must be a directory"
    assert fault(output="\udcf6ut") == r"--output '\uDCF6ut': must be a directory"
    assert faults(config, output="") == [
        "--output '': must be a directory",
        'nightly.toml line 1, group = " ": must be the name of a local group',
        'nightly.toml line 5, rebuild.neo4j_home = "": must be the directory of an installed Neo4j',
        "nightly.toml line 3, rebuild.stop: must be a command that stops Neo4j",
        "nightly.toml line 4, rebuild.start: must be a command that starts Neo4j",
        'nightly.toml line 6, rebuild.metrics = "a\\x00b": must be a file\'s name',
    ]


def test_the_line_of_a_fault_is_that_on_which_it_begins(tmp_path: Path) -> None:
    """Whatever comes before it: comments, values of several lines, other tables of the same keys."""
    config = configured(
        tmp_path,
        "# workers = 0\nencrypt_to = '''\nworkers = 0\n'''\nmemory = [\n  1,\n]\nworkers = 0\n"
        "[rebuild]\nkeep = { a = 1 }\n",
    )
    assert faults(config) == [
        "nightly.toml line 8, workers = 0: must be a whole number from 1 to 64",
        "nightly.toml line 5, memory: must be a size from 300MB to 4096G, such as 640MB or 1.5G",
        "nightly.toml line 10, rebuild.keep: must be a whole number, 1 or more",
    ]


def test_an_empty_variable_is_as_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in unit files and Kubernetes, where a variable is easier emptied than removed."""
    for name in ("EXPORTER_WORKERS", "EXPORTER_TABLES", "EXPORTER_REBUILD", "EXPORTER_REBUILD_STOP", "NEO4J_HOME"):
        monkeypatch.setenv(name, "")
    assert load(None) == Settings()


def test_settings_made_directly_ignore_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's export is the same whatever the user has set for their own."""
    (tmp_path / "exporter.toml").write_text("workers = 7\n")
    monkeypatch.setenv("EXPORTER_MEMORY", "1G")
    assert Settings(output=tmp_path).model_dump(exclude_unset=True) == {"output": tmp_path}


def test_settings_are_written_as_they_are_read() -> None:
    """What a settings file would hold: sizes, spans and percentages with their units."""
    settings = load(None, memory="1G", max_duration="2h", rebuild={"max_drop": "4.5%", "neo4j_timeout": 90})
    alone = {"sample_seed", "redact_k"}  # as flags, they cannot stand alone
    written = {
        name: value for name, value in settings.model_dump(mode="json", exclude=alone).items() if value is not None
    }
    assert (written["memory"], written["max_duration"], written["lock_timeout"]) == ("1024MB", "7200s", "30s")
    assert (written["rebuild"]["max_drop"], written["rebuild"]["neo4j_timeout"]) == ("4.5%", "90s")
    assert load(None, **written) == settings


def test_a_named_file_must_be_readable(tmp_path: Path) -> None:
    """A missing one is not passed over, as the default one is."""
    path = tmp_path / "nothing.toml"
    assert fault(path) == f"cannot read {path}: No such file or directory"
    assert fault(tmp_path) == f"cannot read {tmp_path}: Is a directory"


def test_a_default_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of its name, and a working directory that may not be entered; one that was removed has no file."""
    remedy = "; remove it, run this in another directory, or name a settings file with --config"
    (tmp_path / "exporter.toml").mkdir()
    assert fault() == f"cannot read exporter.toml: Is a directory{remedy}"
    monkeypatch.setenv("EXPORTER_WORKERS", "0")
    assert faults() == [
        "EXPORTER_WORKERS=0: must be a whole number from 1 to 64",
        f"cannot read exporter.toml: Is a directory{remedy}",
    ]
    monkeypatch.delenv("EXPORTER_WORKERS")
    (tmp_path / "removed").mkdir()
    monkeypatch.chdir(tmp_path / "removed")
    (tmp_path / "removed").rmdir()
    assert load(None) == Settings()


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"], ids=["UTF-8", "UTF-16LE", "UTF-16BE"])
def test_a_byte_order_mark_is_named(tmp_path: Path, mark: bytes) -> None:
    """As Windows' editors write it; it is invisible, and TOML's own message points to the first line's first letter."""
    (tmp_path / "exporter.toml").write_bytes(mark + b"workers = 2\n")
    assert fault() == "exporter.toml begins with a byte order mark (BOM): save it as UTF-8 without one"


@pytest.mark.parametrize("content", [b"workers = = 2", b"output = '\xff'"], ids=["syntax", "encoding"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    """The message names the file."""
    path = tmp_path / "exporter.toml"
    path.write_bytes(content)
    assert fault(path).startswith(f"{path} is not valid TOML: ")


def test_no_message_holds_a_value_that_may_be_secret(tmp_path: Path) -> None:
    """A source under a misspelled or mistyped setting is not repeated."""
    config = configured(tmp_path, f"sourc = '{SECRET}'\nworkers = '{SECRET}'\ntimezone = 2\nsource = ['{SECRET}']\n")
    assert "hunter2" not in fault(config)
    assert "hunter2" not in fault(configured(tmp_path, f"source = '{SECRET}\nworkers = 2"))


def test_recipients_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks around them do not count; whether they are keys is found out by the sink that encrypts."""
    assert load(None).recipients == []
    monkeypatch.setenv("EXPORTER_ENCRYPT_TO", "age1one, age1two")
    assert load(None).recipients == ["age1one", "age1two"]


# The rebuild ---------------------------------------------------------------------------------------------------------


def test_rebuild_settings_are_a_table_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same order as the others: flags, EXPORTER_REBUILD_..., file. Neo4j's own variables beat the file, too."""
    config = configured(
        tmp_path,
        "workers = 3\n[rebuild]\nkeep = 3\nmax_drop = 30\nneo4j_timeout = '3m'\nuser = 'a'\nneo4j_home = '/file'\n",
    )
    monkeypatch.setenv("EXPORTER_REBUILD_MAX_DROP", "4.5 %")
    monkeypatch.setenv("EXPORTER_REBUILD_KEEP", "4")
    monkeypatch.setenv("NEO4J_HOME", "/opt/neo4j")
    monkeypatch.setenv("NEO4J_USERNAME", "b")
    assert load(config).rebuild.user == "b"
    monkeypatch.setenv("EXPORTER_REBUILD_USER", "a")
    assert load(config, rebuild={"keep": 5, "max_rejects_rise": None}) == Settings(
        workers=3,
        rebuild=RebuildSettings(keep=5, max_drop=4.5, neo4j_timeout=180, user="a", neo4j_home=Path("/opt/neo4j")),
    )


def test_an_unknown_variable_of_a_rebuild_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an unknown setting of the file is: nobody sets it for nothing."""
    monkeypatch.setenv("EXPORTER_REBUILD_MAX_DROPS", "30%")
    assert fault() == "EXPORTER_REBUILD_MAX_DROPS: no such setting; the nearest is max_drop"


def test_rebuild_settings_must_be_a_table(tmp_path: Path) -> None:
    """Not a single value."""
    assert fault(configured(tmp_path, "rebuild = 3\n")) == (
        f"{tmp_path}/nightly.toml line 1, rebuild = 3: must be a table of settings"
    )


def test_a_settings_file_may_be_a_pipe(tmp_path: Path) -> None:
    """As a shell's <(...) is; it is read once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_text, args=('timezone = "Asia/Kolkata"',), daemon=True).start()
    assert load(pipe).timezone == "Asia/Kolkata"


def test_names_of_the_environment_are_added_to_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And win where both have one."""
    file = tmp_path / "exporter.toml"
    file.write_text('[tables]\n"marketing.leads" = "crm.leads"\n"guide.skills" = "crm.skills"\n')
    monkeypatch.setenv("EXPORTER_TABLES", '{"marketing.leads": "crm.prospects"}')
    assert load(file).tables == {"marketing.leads": "crm.prospects", "guide.skills": "crm.skills"}

"""What a user can set: flags above environment above file, and every fault told at once."""

from pathlib import Path
from typing import Any

import pytest

from exporter.errors import UsageError
from exporter.settings import RebuildSettings, Settings, load, load_rebuild

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


def test_defaults() -> None:
    """Without flags, environment and file the defaults hold."""
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
    )


def test_flags_beat_the_environment_and_that_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three settings comes from the highest place that gives it."""
    config = configured(tmp_path, "workers = 3\nmax_rejects = 3\nlock_timeout = 3\n")
    monkeypatch.setenv("EXPORTER_WORKERS", "4")
    monkeypatch.setenv("EXPORTER_MAX_REJECTS", "4")
    settings = load(config, workers=5, max_rejects=None)
    assert (settings.workers, settings.max_rejects, settings.lock_timeout) == (5, 4, 3)


def test_a_flag_of_zero_is_given(tmp_path: Path) -> None:
    """Only a flag that is absent lets the file speak."""
    assert load(configured(tmp_path, "max_rejects = 3"), max_rejects=0).max_rejects == 0


def test_the_default_file_is_read_from_the_working_directory(tmp_path: Path) -> None:
    """exporter.toml counts where no file is named, and not where one is."""
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
def test_sizes(text: str, size: int) -> None:
    """A size is a number and a unit of 1024s."""
    assert load(None, memory=text).memory == size


@pytest.mark.parametrize("text", ["640TB", "MB", "-640MB", "640 M B", "1,5G", "299MB", "٦٤٠MB", ""])
def test_refused_sizes(text: str) -> None:
    """Anything else is refused, and what no export could run in."""
    assert fault(memory=text).startswith("memory: ")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("15m", 900), ("2h", 7200), (" 2 h ", 7200), (90, 90)]
)
def test_spans(text: str | int, seconds: int) -> None:
    """A span is a number and a unit."""
    settings = load(None, max_duration=text, lock_timeout=text)
    assert (settings.max_duration, settings.lock_timeout) == (seconds, seconds)


@pytest.mark.parametrize("text", ["2d", "0", "0s", "-1", "1.5h", "m", "", "1h30m"])
def test_refused_spans(text: str) -> None:
    """Anything else is refused; no span is nothing at all."""
    assert fault(max_duration=text).startswith("max_duration: ")


def test_every_fault_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of file, environment and flags together, mapping included."""
    config = configured(
        tmp_path,
        "worker = 2\ncolour = 'blue'\ntimezone = 'Mars/Olympus'\n"
        "[tables]\n'guide.nothing' = 'x.y'\n'guide.skills' = 'skills'\n",
    )
    monkeypatch.setenv("EXPORTER_WORKERS", "many")
    assert fault(config, max_rejects=-1, memory="1").split("; ") == [
        "workers: must be a whole number from 1 to 64",
        "memory: must be a size of at least 300MB, such as 640MB or 1.5G",
        "timezone: Mars/Olympus is no time zone of the IANA database, such as Asia/Kolkata",
        "max_rejects: must be a whole number, 0 or more",
        "tables: [tables] maps guide.nothing, which is no table of the model",
        "[tables] maps guide.skills to skills, which is not schema.table",
        "worker: no such setting, the nearest is workers",
        "colour: no such setting",
    ]


def test_every_setting_says_what_it_must_be() -> None:
    """A value of a wrong kind never meets a sentence without an end."""
    wrong: dict[str, Any] = {name: object() for name in Settings.model_fields}
    assert fault(**wrong).split("; ") == [
        f"{name}: must be {field.description}" for name, field in Settings.model_fields.items() if field.description
    ]


def test_faults_of_a_column_mapping(tmp_path: Path) -> None:
    """Tables and columns that the model does not read are named."""
    config = configured(
        tmp_path, "[columns.'guide.skills']\nid = 'skill_id'\nlevel = 'stars'\n[columns.'guide.nothing']\nid = 'n'\n"
    )
    assert fault(config).split("; ") == [
        "columns: [columns.guide.skills] maps level, which the model does not read",
        "[columns] names guide.nothing, which is no table of the model",
    ]


def test_a_mapping_gives_real_names(tmp_path: Path) -> None:
    """Mapped names are the file's, all others the model's; a column that only orders devices can be mapped too."""
    config = configured(
        tmp_path,
        "[tables]\n'guide.skills' = 'app.skill'\n[columns.'guide.skills']\nid = 'skill_id'\n"
        "[columns.'auth.user_devices']\nid = 'registration'\n",
    )
    mapping = load(config).mapping
    assert [mapping.table(name) for name in ("guide.skills", "guide.languages")] == ["app.skill", "guide.languages"]
    assert [mapping.column("guide.skills", name) for name in ("id", "name")] == ["skill_id", "name"]
    assert mapping.column("auth.user_devices", "id") == "registration"
    services = ["auth", "consultation", "customers", "guide", "marketing", "notifications", "offers", "wallet"]
    assert mapping.schemas() == ["app", *services]


def test_a_mapping_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON there; anything else is refused."""
    monkeypatch.setenv("EXPORTER_TABLES", '{"guide.skills": "app.skill"}')
    assert load(None).mapping.table("guide.skills") == "app.skill"
    monkeypatch.setenv("EXPORTER_TABLES", "guide.skills=app.skill")
    assert fault() == "EXPORTER_TABLES and EXPORTER_COLUMNS must be JSON objects of names to names"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A named file must exist."""
    path = tmp_path / "nothing.toml"
    assert fault(path) == f"cannot read {path}: No such file or directory"


@pytest.mark.parametrize("content", [b"workers = = 2", b"output = '\xff'"], ids=["syntax", "encoding"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    """The message names the file."""
    path = tmp_path / "exporter.toml"
    path.write_bytes(content)
    assert fault(path).startswith(f"{path} is no valid TOML: ")


def test_no_message_holds_a_value_that_may_be_secret(tmp_path: Path) -> None:
    """A source under a misspelled or mistyped setting is not repeated."""
    config = configured(tmp_path, f"sourc = '{SECRET}'\nworkers = '{SECRET}'\ntimezone = 2\nsource = ['{SECRET}']\n")
    assert "hunter2" not in fault(config)
    assert "hunter2" not in fault(configured(tmp_path, f"source = '{SECRET}\nworkers = 2"))


def test_public_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """One or several, from the environment too; what is none is not repeated, as it may be the private one."""
    key = "age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"
    assert load(None).recipients == []
    monkeypatch.setenv("EXPORTER_ENCRYPT_TO", f"{key}, {key}")
    assert load(None).recipients == [key, key]
    for wrong in ("", "age1", f"{key},", f"AGE-SECRET-{key}"):
        assert fault(encrypt_to=wrong) == "encrypt_to: must be age public keys (age1…), with commas between them"
    assert fault(archive="perhaps") == "archive: must be true or false"


# The rebuild ---------------------------------------------------------------------------------------------------------


def test_a_rebuild_s_defaults() -> None:
    """Without flags, environment and file the defaults hold."""
    assert load_rebuild(None) == RebuildSettings()


def test_a_rebuild_s_settings_have_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same order as the others, which do not mind the table."""
    config = configured(tmp_path, "workers = 3\n[rebuild]\nkeep = 3\nmax_drop = 30\nneo4j_timeout = '3m'\nuser = 'a'\n")
    monkeypatch.setenv("EXPORTER_REBUILD_MAX_DROP", "4.5 %")
    monkeypatch.setenv("EXPORTER_REBUILD_KEEP", "4")
    monkeypatch.setenv("EXPORTER_REBUILD_STOP", "")
    monkeypatch.setenv("NEO4J_HOME", "/opt/neo4j")
    settings = load_rebuild(config, keep=5, user=None)
    assert (settings.keep, settings.max_drop, settings.neo4j_timeout, settings.user) == (5, 4.5, 180, "a")
    assert (settings.neo4j_home, settings.stop, load(config).workers) == (Path("/opt/neo4j"), None, 3)


def test_a_rebuild_s_faults_are_told_at_once(tmp_path: Path) -> None:
    """With the name of the table, and without their values."""
    config = configured(tmp_path, "[rebuild]\nkeeep = 3\nmax_drop = '120%'\nbolt = 'bolt://neo4j:hunter2@db'\n")
    with pytest.raises(UsageError) as refused:
        load_rebuild(config, keep=0, log_format="xml")
    assert str(refused.value).split("; ") == [
        "rebuild.bolt: must be an address like bolt://127.0.0.1:7687, without user and password",
        "rebuild.keep: must be a whole number, 1 or more",
        "rebuild.max_drop: must be a percentage such as 20%",
        "rebuild.log_format: must be plain or json",
        "rebuild.keeep: no such setting, the nearest is keep",
    ]
    with pytest.raises(UsageError, match="rebuild: must be a table of settings"):
        load_rebuild(configured(tmp_path, "rebuild = 3\n"))

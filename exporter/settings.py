"""What a user can set: flags override the environment (EXPORTER_…), which overrides the settings file.

A setting is a field here and, if it has a flag, a line in cli/options.py and in each command that takes it.
"""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from exporter.errors import UsageError
from exporter.source.mapping import NameMapping
from exporter.text import parse_percentage, parse_size, parse_span, write_percentage, write_size, write_span

DEFAULT_FILE = Path("exporter.toml")
# Settings that Neo4j's own variables set, too.
NEO4J_VARIABLES = {"neo4j_home": "NEO4J_HOME", "neo4j_conf": "NEO4J_CONF", "user": "NEO4J_USERNAME"}


class LogFormat(StrEnum):
    PLAIN = "plain"
    JSON = "json"


# `Settings().model_dump(mode="json")` writes these as a settings file does.
Size = Annotated[int, BeforeValidator(parse_size), PlainSerializer(write_size, when_used="json")]
Span = Annotated[int, Field(ge=1), BeforeValidator(parse_span), PlainSerializer(write_span, when_used="json")]
Percentage = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False),
    BeforeValidator(parse_percentage),
    PlainSerializer(write_percentage, when_used="json"),
]


class RebuildSettings(BaseModel):
    """The settings file's table [rebuild], for `exporter rebuild` only. Spans are in seconds, shares in percent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    neo4j_home: Path | None = Field(
        default=None, description="the directory of an installed Neo4j", examples=["/opt/neo4j"]
    )
    neo4j_conf: Path | None = Field(
        default=None, description="the directory of its neo4j.conf", examples=["/etc/neo4j"]
    )
    neo4j_timeout: Span = Field(default=120, description="a time such as 90s, 15m or 2h")
    database: str = Field(default="neo4j", pattern=r"^[a-z][a-z0-9.-]{2,62}$", description="a database's name")
    bolt: str = Field(
        default="bolt://127.0.0.1:7687",
        pattern=r"^(bolt|neo4j)(\+ssc|\+s)?://[^@]+$",
        description="an address like bolt://127.0.0.1:7687, without user and password",
    )
    user: str | None = Field(default=None, description="the name of a Neo4j user", examples=["neo4j"])
    stop: str | None = Field(
        default=None,
        min_length=1,
        description="a command that stops Neo4j",
        examples=["sudo systemctl stop neo4j"],
    )
    start: str | None = Field(
        default=None,
        min_length=1,
        description="a command that starts Neo4j",
        examples=["sudo systemctl start neo4j"],
    )
    keep: int = Field(default=2, ge=1, description="a whole number, 1 or more")
    max_drop: Percentage = Field(default=20, le=100, description="a percentage such as 20%")
    max_rejects_rise: Percentage = Field(default=1, description="a percentage such as 1%")
    metrics: Path | None = Field(
        default=None, description="a file's name", examples=["/var/lib/node_exporter/exporter.prom"]
    )
    log_format: LogFormat = Field(default=LogFormat.PLAIN, description="plain or json")


class Settings(BaseSettings):
    """All settings, with their defaults. Sizes are in bytes, spans in seconds.

    `load` reads them; constructed directly, they hold the arguments and defaults, and ignore the environment.
    """

    model_config = SettingsConfigDict(
        env_prefix="EXPORTER_",
        env_nested_delimiter="_",  # EXPORTER_REBUILD_KEEP
        env_nested_max_split=1,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    # A description completes "must be …": messages about wrong values, docs/settings.md and `exporter init` repeat it.
    source: str | None = Field(default=None, description="a postgresql:// URI")
    source_name: str | None = Field(
        default=None,
        pattern=r"^\S(.*\S)?$",
        description="a name that tells this source from every other",
        examples=["production"],
    )
    output: Path = Field(default=Path("output"), description="a directory")
    group: str | None = Field(default=None, min_length=1, description="the name of a local group", examples=["neo4j"])
    workers: int = Field(default=2, ge=1, le=64, description="a whole number from 1 to 64")
    memory: Size = Field(default=640 << 20, ge=300 << 20, description="a size of at least 300MB, such as 640MB or 1.5G")
    timezone: str = Field(default="UTC", description="a time zone of the IANA database, such as Asia/Kolkata")
    max_rejects: int | None = Field(default=None, ge=0, description="a whole number, 0 or more", examples=[1000])
    max_duration: Span | None = Field(default=None, description="a time such as 90s, 15m or 2h", examples=["2h"])
    lock_timeout: Span = Field(default=30, description="a time such as 90s, 15m or 2h")
    stall_timeout: Span = Field(default=60, ge=5, description="a time of at least 5s, such as 90s, 15m or 2h")
    archive: bool = Field(default=False, description="true or false")
    # Validated by the sink that encrypts, not here: settings know no cipher.
    encrypt_to: str | None = Field(
        default=None,
        description="age public keys (age1…), with commas between them",
        examples=["age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"],
    )
    tables: dict[str, str] = Field(default={}, description="names of the model's tables with the source's names")
    columns: dict[str, dict[str, str]] = Field(
        default={}, description="tables of the model with names of columns and the source's names"
    )
    rebuild: RebuildSettings = Field(default=RebuildSettings(), description="a table of settings")

    @field_validator("timezone")
    @classmethod
    def known_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name} is not a time zone of the IANA database, such as Asia/Kolkata")
        return name

    @field_validator("tables", "columns")
    @classmethod
    def known_names(cls, names: Any, info: ValidationInfo) -> Any:
        if faults := NameMapping(**{str(info.field_name): names}).faults():
            raise ValueError("; ".join(faults))
        return names

    @property
    def recipients(self) -> list[str]:
        """The age public keys to encrypt an archive to; empty for a plain one."""
        return [] if self.encrypt_to is None else [key.strip() for key in self.encrypt_to.split(",")]

    @property
    def timeouts(self) -> dict[str, int]:
        """How long a connection to the source waits for what, in seconds."""
        return {"lock_timeout": self.lock_timeout, "stall_timeout": self.stall_timeout}

    @property
    def mapping(self) -> NameMapping:
        return NameMapping(dict(self.tables), dict(self.columns))

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        return (init_settings,)


def load(config: Path | None, *, rebuild: Mapping[str, Any] | None = None, **flags: Any) -> Settings:
    """The settings of a run: flags that are not None, else the environment, else the file (`exporter.toml` in the
    working directory if it exists); tables are merged key by key. `rebuild` has the flags for `Settings.rebuild`.

    Raises `UsageError` with every fault found, and never with a value that may be secret.
    """
    neo4j = {name: os.environ.get(variable) or None for name, variable in NEO4J_VARIABLES.items()}
    try:
        layers = (
            InitSettingsSource(Settings, without_absent({**flags, "rebuild": rebuild or {}})),
            EnvSettingsSource(Settings),
            InitSettingsSource(Settings, without_absent({"rebuild": neo4j})),
            file_source(config),
        )
        return Settings(_build_sources=(layers, {}))  # type: ignore[call-arg]  # BaseSettings's own, unknown to mypy
    except SettingsError:
        raise UsageError("EXPORTER_TABLES, EXPORTER_COLUMNS and EXPORTER_REBUILD must be JSON objects") from None
    except ValidationError as error:
        raise UsageError("; ".join(map(sentence, error.errors()))) from None


def without_absent(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None, in nested tables too; without tables that are then empty."""
    kept = {name: without_absent(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    return {name: value for name, value in kept.items() if value is not None and value != {}}


def file_source(config: Path | None) -> PydanticBaseSettingsSource:
    """The settings file, which must exist if it was named. Raises `UsageError` when it cannot be read."""
    path = config or DEFAULT_FILE
    try:
        # pydantic-settings' own TOML source ignores what is not a regular file, such as a pipe.
        content = tomllib.loads(path.read_text(encoding="utf-8")) if config or path.is_file() else {}
        return InitSettingsSource(Settings, content)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None


def sentence(fault: ErrorDetails) -> str:
    """Which setting is wrong, and how; never its value."""
    name, *inner = map(str, fault["loc"])
    fields, prefix = Settings.model_fields, ""
    if name == "rebuild" and inner:
        fields, name, prefix = RebuildSettings.model_fields, inner[0], "rebuild."
    if fault["type"] == "value_error":
        return f"{prefix}{name}: {fault['msg'].removeprefix('Value error, ')}"
    if fault["type"] == "extra_forbidden":
        nearest = get_close_matches(name, fields, n=1, cutoff=0.8)
        return f"{prefix}{name}: no such setting" + (f", the nearest is {nearest[0]}" if nearest else "")
    return f"{prefix}{name}: must be {fields[name].description}"

"""What a user can set: flags beat the environment (EXPORTER_…), the environment beats the settings file."""

import os
import re
import tomllib
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from exporter.errors import UsageError
from exporter.source.mapping import NameMapping

DEFAULT_FILE = Path("exporter.toml")
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SPANS = {"": 1, "s": 1, "m": 60, "h": 3600}
# The table of the settings file that only `exporter rebuild` reads.
REBUILD = "rebuild"
# By Neo4j's own names.
NEO4J_VARIABLES = {"neo4j_home": "NEO4J_HOME", "neo4j_conf": "NEO4J_CONF"}


class LogFormat(StrEnum):
    PLAIN = "plain"
    JSON = "json"


def seconds(value: Any) -> Any:
    """`90s`, `15m`, `2h` or plain seconds; what is none of them as it is."""
    if isinstance(value, str) and (found := re.fullmatch(r"([0-9]+)\s*([smh]?)", value.strip())):
        return int(found[1]) * SPANS[found[2]]
    return value


class Settings(BaseSettings):
    """All settings, with their defaults. Sizes are bytes, spans are seconds."""

    model_config = SettingsConfigDict(env_prefix="EXPORTER_", extra="forbid", frozen=True, hide_input_in_errors=True)

    # A description says what may be given, for the sentence about what was not.
    source: str | None = Field(default=None, description="a postgresql:// URI")
    output: Path = Field(default=Path("output"), description="a directory")
    group: str | None = Field(
        default=None, min_length=1, description="the name of a group of this machine", examples=["neo4j"]
    )
    workers: int = Field(default=2, ge=1, le=64, description="a whole number from 1 to 64")
    memory: int = Field(default=640 << 20, ge=300 << 20, description="a size of at least 300MB, such as 640MB or 1.5G")
    timezone: str = Field(default="UTC", description="a time zone of the IANA database, such as Asia/Kolkata")
    max_rejects: int | None = Field(default=None, ge=0, description="a whole number, 0 or more", examples=[1000])
    max_duration: int | None = Field(default=None, ge=1, description="a time such as 90s, 15m or 2h", examples=["2h"])
    lock_timeout: int = Field(default=30, ge=1, description="a time such as 90s, 15m or 2h")
    stall_timeout: int = Field(default=60, ge=5, description="a time of at least 5s, such as 90s, 15m or 2h")
    archive: bool = Field(default=False, description="true or false")
    encrypt_to: str | None = Field(
        default=None,
        description="age public keys (age1…), with commas between them",
        examples=["age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"],
    )
    tables: dict[str, str] = Field(default={}, description="names of the model's tables with the source's names")
    columns: dict[str, dict[str, str]] = Field(
        default={}, description="tables of the model with names of columns and the source's names"
    )

    @field_validator("memory", mode="before")
    @classmethod
    def parse_size(cls, value: Any) -> Any:
        """`640MB`, `1.5G` or plain bytes."""
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMG]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
        return int(float(found[1]) * UNITS[found[2].upper()]) if found else value

    @field_validator("max_duration", "lock_timeout", "stall_timeout", mode="before")
    @classmethod
    def parse_span(cls, value: Any) -> Any:
        return seconds(value)

    @field_validator("timezone")
    @classmethod
    def known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value} is no time zone of the IANA database, such as Asia/Kolkata")
        ZoneInfo(value)
        return value

    @field_validator("encrypt_to")
    @classmethod
    def known_keys(cls, value: str | None) -> str | None:
        from exporter.sink.archive import public_key  # loads the cipher, which few need

        try:
            for each in split_recipients(value):
                public_key(each)
        except ValueError:
            raise ValueError(f"must be {cls.model_fields['encrypt_to'].description}") from None
        return value

    @field_validator("tables")
    @classmethod
    def known_tables(cls, value: dict[str, str]) -> dict[str, str]:
        if faults := NameMapping(tables=value).faults():
            raise ValueError("; ".join(faults))
        return value

    @field_validator("columns")
    @classmethod
    def known_columns(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        if faults := NameMapping(columns=value).faults():
            raise ValueError("; ".join(faults))
        return value

    @property
    def recipients(self) -> list[str]:
        """The age public keys that an archive is encrypted to; none for a plain one."""
        return split_recipients(self.encrypt_to)

    @property
    def timeouts(self) -> dict[str, int]:
        """What a connection to the source waits for, in seconds."""
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
        """`load` puts file, environment and flags one above the other, so that all their faults are found at once."""
        return (init_settings,)


def split_recipients(keys: str | None) -> list[str]:
    return [] if keys is None else [key.strip() for key in keys.split(",")]


class RebuildSettings(BaseModel):
    """What the nightly rebuild needs besides, with the defaults. Spans are seconds, shares percents."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    neo4j_home: Path | None = Field(default=None, description="the directory of an installed Neo4j")
    neo4j_conf: Path | None = Field(default=None, description="the directory of its neo4j.conf")
    neo4j_timeout: int = Field(default=120, ge=1, description="a time such as 90s, 15m or 2h")
    database: str = Field(default="neo4j", pattern=r"^[a-z][a-z0-9.-]{2,62}$", description="a database's name")
    bolt: str = Field(
        default="bolt://127.0.0.1:7687",
        pattern=r"^(bolt|neo4j)(\+ssc|\+s)?://[^@]+$",
        description="an address like bolt://127.0.0.1:7687, without user and password",
    )
    user: str | None = Field(default=None, description="the name of a Neo4j user")
    stop: str | None = Field(default=None, min_length=1, description="a command that stops Neo4j")
    start: str | None = Field(default=None, min_length=1, description="a command that starts Neo4j")
    keep: int = Field(default=2, ge=1, description="a whole number, 1 or more")
    max_drop: float = Field(default=20, ge=0, le=100, description="a percentage such as 20%")
    max_rejects_rise: float = Field(default=1, ge=0, allow_inf_nan=False, description="a percentage such as 1%")
    metrics: Path | None = Field(default=None, description="a file's name")
    log_format: LogFormat = Field(default=LogFormat.PLAIN, description="plain or json")

    @field_validator("neo4j_timeout", mode="before")
    @classmethod
    def parse_span(cls, value: Any) -> Any:
        return seconds(value)

    @field_validator("max_drop", "max_rejects_rise", mode="before")
    @classmethod
    def parse_percentage(cls, value: Any) -> Any:
        """`20%`, `0.5 %` or a plain number of percents."""
        return value.strip().removesuffix("%").rstrip() if isinstance(value, str) else value


def load(config: Path | None, **flags: Any) -> Settings:
    """The settings of a run: flags that are not None, else the environment, else the file (`exporter.toml` in the
    working directory when there is one). Raises `UsageError` with every fault found."""
    from_file = {name: value for name, value in read_file(config).items() if name != REBUILD}
    return validated(Settings, from_file | environment() | given(flags))


def load_rebuild(config: Path | None, **flags: Any) -> RebuildSettings:
    """The settings of a rebuild by the same order: flags, else EXPORTER_REBUILD_…, else the file's table [rebuild].
    Raises `UsageError` with every fault found."""
    from_file = read_file(config).get(REBUILD, {})
    if not isinstance(from_file, dict):
        raise UsageError(f"{REBUILD}: must be a table of settings")
    variables = {name: os.environ.get(rebuild_variable(name)) or None for name in RebuildSettings.model_fields}
    return validated(RebuildSettings, from_file | given(variables) | given(flags), f"{REBUILD}.")


def rebuild_variable(name: str) -> str:
    """The environment variable of a rebuild's setting."""
    return NEO4J_VARIABLES.get(name) or f"EXPORTER_REBUILD_{name.upper()}"


def given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


Kind = TypeVar("Kind", bound=BaseModel)


def validated(kind: type[Kind], values: dict[str, Any], prefix: str = "") -> Kind:
    try:
        return kind(**values)
    except ValidationError as error:
        raise UsageError("; ".join(prefix + sentence(fault, kind) for fault in error.errors())) from None


def sentence(fault: ErrorDetails, kind: type[BaseModel]) -> str:
    """Which setting is wrong and how; never its value."""
    name = str(fault["loc"][0])
    if fault["type"] == "value_error":
        return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, kind.model_fields, n=1, cutoff=0.8)
        return f"{name}: no such setting" + (f", the nearest is {near[0]}" if near else "")
    return f"{name}: must be {kind.model_fields[name].description}"


def environment() -> dict[str, Any]:
    """The settings that the environment gives."""
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError:
        raise UsageError("EXPORTER_TABLES and EXPORTER_COLUMNS must be JSON objects of names to names") from None


def read_file(config: Path | None) -> dict[str, Any]:
    """The settings file's content; nothing where none was named and the default one does not exist."""
    path = config or DEFAULT_FILE
    if config is None and not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no valid TOML: {error}") from None

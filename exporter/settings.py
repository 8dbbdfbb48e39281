"""What a user can set: flags override the environment (EXPORTER_…), which overrides the settings file.

A setting is a field here and, if it has a flag, a line in cli/options.py and in each command that takes it.
"""

import logging
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from exporter.errors import UsageError
from exporter.origins import (
    Environment,
    Flags,
    Names,
    Variables,
    fault_sentences,
    flattened,
    place_of,
    read_settings_file,
    unknown_variables,
    without_absent,
)
from exporter.setting_types import FilePath, Number, Percentage, Size, Span, Text
from exporter.source.mapping import NameMapping

logger = logging.getLogger(__name__)

# Settings that Neo4j's own variables set, too.
NEO4J_VARIABLES = {"neo4j_home": "NEO4J_HOME", "neo4j_conf": "NEO4J_CONF", "user": "NEO4J_USERNAME"}
# What these hold is never repeated: passwords have been found in each of them.
SECRET = {("source",), ("rebuild", "bolt"), ("rebuild", "stop"), ("rebuild", "start")}


class LogFormat(StrEnum):
    PLAIN = "plain"
    JSON = "json"


class RebuildSettings(BaseModel):
    """The settings file's table [rebuild], for `exporter rebuild` only. Spans are in seconds, shares in percent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    neo4j_home: FilePath | None = Field(
        default=None, description="the directory of an installed Neo4j", examples=["/opt/neo4j"]
    )
    neo4j_conf: FilePath | None = Field(
        default=None, description="the directory of its neo4j.conf", examples=["/etc/neo4j"]
    )
    neo4j_timeout: Span = Field(default=120, description="a time such as 90s, 15m or 2h, at most 500h")
    database: str = Field(default="neo4j", pattern=r"^[a-z][a-z0-9.-]{2,62}$", description="a database's name")
    bolt: str = Field(
        default="bolt://127.0.0.1:7687",
        pattern=r"^(bolt|neo4j)(\+ssc|\+s)?://[^@]+$",
        description="an address like bolt://127.0.0.1:7687, without user and password",
    )
    user: Text | None = Field(default=None, description="the name of a Neo4j user", examples=["neo4j"])
    stop: Text | None = Field(
        default=None, description="a command that stops Neo4j", examples=["sudo systemctl stop neo4j"]
    )
    start: Text | None = Field(
        default=None, description="a command that starts Neo4j", examples=["sudo systemctl start neo4j"]
    )
    keep: Number = Field(default=2, ge=1, description="a whole number, 1 or more")
    max_drop: Percentage = Field(default=20, le=100, description="a percentage from 0% to 100%, such as 20%")
    max_rejects_rise: Percentage = Field(default=1, description="a percentage such as 1%")
    metrics: FilePath | None = Field(
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
    source: str | None = Field(default=None, pattern=r"^postgres(ql)?://", description="a postgresql:// URI")
    source_name: Text | None = Field(
        default=None, description="a name that tells this source from every other", examples=["production"]
    )
    output: FilePath = Field(default=Path("output"), description="a directory")
    group: Text | None = Field(default=None, description="the name of a local group", examples=["neo4j"])
    workers: Number = Field(default=2, ge=1, le=64, description="a whole number from 1 to 64")
    memory: Size = Field(
        default=640 << 20, ge=300 << 20, le=4096 << 30, description="a size from 300MB to 4096G, such as 640MB or 1.5G"
    )
    timezone: str = Field(default="UTC", description="a time zone of the IANA database, such as Asia/Kolkata")
    max_rejects: Number | None = Field(default=None, ge=0, description="a whole number, 0 or more", examples=[1000])
    max_duration: Span | None = Field(
        default=None, description="a time such as 90s, 15m or 2h, at most 500h", examples=["2h"]
    )
    lock_timeout: Span = Field(default=30, description="a time such as 90s, 15m or 2h, at most 500h")
    stall_timeout: Span = Field(default=60, ge=5, description="a time from 5s to 500h, such as 90s, 15m or 2h")
    archive: bool = Field(default=False, description="true or false")
    # Validated by the sink that encrypts, not here: settings know no cipher.
    encrypt_to: Text | None = Field(
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
            raise PydanticCustomError("timezone", "unknown")
        return name

    @field_validator("tables", "columns")
    @classmethod
    def known_names(cls, names: Any, info: ValidationInfo) -> Any:
        if faults := NameMapping(**{str(info.field_name): names}).faults():
            raise PydanticCustomError("names", "names", {"faults": faults})
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

    Raises `UsageError` with every fault found, each with the place it comes from, and never with a value that may be
    secret.
    """
    neo4j = {name: os.environ.get(variable) or None for name, variable in NEO4J_VARIABLES.items()}
    variables = Variables(Settings)
    origins = (
        Flags(without_absent({**flags, "rebuild": rebuild or {}})),
        Environment(variables()),
        Environment(
            without_absent({"rebuild": neo4j}),
            {("rebuild", name): variable for name, variable in NEO4J_VARIABLES.items()},
        ),
        read_settings_file(config),
    )
    descriptions = described_settings()
    faults = [*variables.faults, *origins[-1].faults, *unknown_variables(descriptions)]
    layers = tuple(InitSettingsSource(Settings, dict(origin.values)) for origin in origins)
    try:
        settings = Settings(_build_sources=(layers, {}))  # type: ignore[call-arg]  # BaseSettings's own, unknown to mypy
    except ValidationError as error:
        faults = [*fault_sentences(error.errors(), origins, descriptions, SECRET), *faults]
    if faults:
        several = len(faults) > 1
        raise UsageError("\n  ".join([f"{len(faults)} settings are wrong:", *faults] if several else faults))
    for names in sorted({names for origin in origins for names in flattened(origin.values)}):
        logger.debug("setting: %s", place_of(names, origins, hidden=names in SECRET))
    logger.debug("all other settings have their defaults")
    return settings


def described_settings() -> dict[Names, str]:
    """What each setting must be, by its names."""
    described = {(name,): str(field.description) for name, field in Settings.model_fields.items()}
    fields = RebuildSettings.model_fields.items()
    return described | {("rebuild", name): str(field.description) for name, field in fields}

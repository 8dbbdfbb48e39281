"""What a user can set: flags override the environment (EXPORTER_…), which overrides the settings file.

A setting is a field here and, if it has a flag, a line in cli/options.py and in each command that takes it.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from enum import StrEnum
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from exporter.copy_settings import (
    MOMENT,
    KeyFile,
    Labels,
    Moment,
    PropertyNames,
    Quasi,
    Roots,
    Share,
    conflicts,
    in_zone,
    unmasked,
)  # fmt: skip
from exporter.errors import UsageError
from exporter.model.redaction import RedactionRequest
from exporter.model.window import WindowRequest
from exporter.origins import (
    Environment,
    Flags,
    Names,
    Origin,
    Variables,
    fault_sentences,
    flattened,
    place_of,
    read_settings_file,
    unknown_variables,
    without_absent,
)
from exporter.rebuild_settings import LogFormat as LogFormat
from exporter.rebuild_settings import RebuildSettings as RebuildSettings
from exporter.setting_types import FilePath, Number, Percentage, Scheduler, Size, Span, Text
from exporter.source.mapping import NameMapping
from exporter.storage_url import FORM, StorageText

logger = logging.getLogger(__name__)

# Settings that Neo4j's own variables set, too.
NEO4J_VARIABLES = {"neo4j_home": "NEO4J_HOME", "neo4j_conf": "NEO4J_CONF", "user": "NEO4J_USERNAME"}
# Flags that have not the names of their settings.
FLAGS: dict[Names, str] = {("roots",): "--root", ("redact_key_file",): "--redact-key"}
# What these hold is never repeated: passwords have been found in each of them, or they name persons, or hold a key.
SECRET = {
    ("source",), ("push",), ("rebuild", "bolt"), ("rebuild", "stop"), ("rebuild", "start"), ("roots",),
    ("redact_key_file",),
}  # fmt: skip


class Profile(StrEnum):
    ANALYST = "analyst"


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
    cluster: Scheduler | None = Field(
        default=None, description="the address of a Dask scheduler", examples=["tls://scheduler:8786"]
    )
    archive: bool = Field(default=False, description="true or false")
    # Validated by the sink that encrypts, not here: settings know no cipher.
    encrypt_to: Text | None = Field(
        default=None,
        description="age public keys (age1…), with commas between them",
        examples=["age13p8np43evy4gulezw5z8n3rywydl3nsqxuwa2d2srp460m9gzdasnvpnzn"],
    )
    push: StorageText | None = Field(default=None, description=FORM, examples=["s3://backups/graph"])
    since: Moment | None = Field(default=None, description=MOMENT, examples=["7d"])
    until: Moment | None = Field(default=None, description=MOMENT, examples=["1d"])
    sample: Share | None = Field(
        default=None, gt=0, le=Fraction(1, 2), description="a percentage above 0% and at most 50%, such as 1%",
        examples=["1%"],
    )  # fmt: skip
    sample_seed: Number = Field(default=0, ge=0, lt=1 << 63, description="a whole number, 0 or more")
    roots: Roots = Field(default=(), description="nodes to start from, such as Customer:customer_id=7")
    without: Labels = Field(default=(), description="labels that no row refers to, with commas between them")
    redact: Profile | None = Field(default=None, description="analyst", examples=["analyst"])
    redact_key_file: KeyFile | None = Field(
        default=None, description="the name of a key's file", examples=["/etc/exporter/redact.key"]
    )
    redact_k: Number = Field(default=5, ge=2, description="a whole number, 2 or more")
    redact_max_small: Percentage | None = Field(
        default=None, le=100, description="a percentage from 0% to 100%, such as 5%", examples=["5%"]
    )
    redact_accept: PropertyNames = Field(
        default=(), description="properties such as Guide.full_name, with commas between them"
    )
    redact_changes: dict[str, str] = Field(default={}, description="properties with the treatments of their values")
    redact_quasi: Quasi = Field(default=(), description="tables, each with a label and a list of its properties")
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

    @property
    def window(self) -> WindowRequest | None:
        """The window that is asked for; None for the whole source."""
        if not (self.since or self.until or self.sample or self.roots or self.without):
            return None
        since, until = in_zone(self.since, self.timezone), in_zone(self.until, self.timezone)
        return WindowRequest(since, until, self.sample, self.sample_seed, self.roots, frozenset(self.without))

    @property
    def redaction(self) -> RedactionRequest | None:
        """The masking that is asked for; None for none."""
        if self.redact is None:
            return None
        largest = None if self.redact_max_small is None else self.redact_max_small / 100
        return RedactionRequest(
            self.redact, self.redact_key_file, dict(self.redact_changes), frozenset(self.redact_accept),
            self.redact_k, largest, self.redact_quasi,
        )  # fmt: skip

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
        Flags(without_absent({**flags, "rebuild": rebuild or {}}), FLAGS),
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
    else:
        passed, place = [name for name, value in flags.items() if value], partial(place_of_setting, origins)
        found = chosen(settings)
        faults = [*conflicts(found, passed, settings.timezone, place), *faults]
        # A command without this flag masks nothing; its user could not add it.
        if "redact" in flags:
            faults = [*unmasked(found, passed, place), *faults]
    if faults:
        several = len(faults) > 1
        raise UsageError("\n  ".join([f"{len(faults)} settings are wrong:", *faults] if several else faults))
    for names in sorted({names for origin in origins for names in flattened(origin.values)}):
        logger.debug("setting: %s", place_of(names, origins, hidden=names in SECRET))
    logger.debug("all other settings have their defaults")
    return settings


def place_of_setting(origins: Iterable[Origin], name: str) -> str:
    """Where a setting that is not in a table was given."""
    return place_of((name,), origins, hidden=(name,) in SECRET)


def chosen(settings: Settings) -> dict[str, Any]:
    """The settings that differ from their defaults, by their names."""
    defaults = Settings()
    return {name: value for name, value in settings if value != getattr(defaults, name)}


def described_settings() -> dict[Names, str]:
    """What each setting must be, by its names."""
    described = {(name,): str(field.description) for name, field in Settings.model_fields.items()}
    fields = RebuildSettings.model_fields.items()
    return described | {("rebuild", name): str(field.description) for name, field in fields}

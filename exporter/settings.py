"""What a user can set: flags beat the environment (EXPORTER_…), the environment beats the settings file."""

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from exporter.errors import UsageError
from exporter.source.mapping import Mapping

DEFAULT_FILE = Path("exporter.toml")
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SPANS = {"": 1, "s": 1, "m": 60, "h": 3600}


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
        """`90s`, `15m`, `2h` or plain seconds."""
        if isinstance(value, str) and (found := re.fullmatch(r"([0-9]+)\s*([smh]?)", value.strip())):
            return int(found[1]) * SPANS[found[2]]
        return value

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
        from exporter.target.archive import public_key  # loads the cipher, which few need

        try:
            for each in split_recipients(value):
                public_key(each)
        except ValueError:
            raise ValueError(f"must be {cls.model_fields['encrypt_to'].description}") from None
        return value

    @field_validator("tables")
    @classmethod
    def known_tables(cls, value: dict[str, str]) -> dict[str, str]:
        if faults := Mapping(tables=value).faults():
            raise ValueError("; ".join(faults))
        return value

    @field_validator("columns")
    @classmethod
    def known_columns(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        if faults := Mapping(columns=value).faults():
            raise ValueError("; ".join(faults))
        return value

    @property
    def recipients(self) -> list[str]:
        """The age public keys that an archive is encrypted to; none for a plain one."""
        return split_recipients(self.encrypt_to)

    @property
    def mapping(self) -> Mapping:
        return Mapping(dict(self.tables), dict(self.columns))

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


def load(config: Path | None, **flags: Any) -> Settings:
    """The settings of a run: flags that are not None, else the environment, else the file (`exporter.toml` in the
    working directory when there is one). Raises `UsageError` with every fault found."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**(read_file(config) | environment() | given))
    except ValidationError as error:
        raise UsageError("; ".join(sentence(fault) for fault in error.errors())) from None


def sentence(fault: ErrorDetails) -> str:
    """Which setting is wrong and how; never its value."""
    name = str(fault["loc"][0])
    if fault["type"] == "value_error":
        return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1, cutoff=0.8)
        return f"{name}: no such setting" + (f", the nearest is {near[0]}" if near else "")
    return f"{name}: must be {Settings.model_fields[name].description}"


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

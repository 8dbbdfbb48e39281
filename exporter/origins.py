"""Where settings come from: flags, the environment, the settings file; and how a message names the place of each."""

import json
import logging
import os
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode

from exporter.text import nearest as nearest_name
from exporter.text import visible

logger = logging.getLogger(__name__)

DEFAULT_FILE = Path("exporter.toml")
PREFIX = "EXPORTER_"
# Longer values are not repeated, nor are those that look like an address or a key: they may hold a password.
LONGEST_VALUE = 40
SECRET_SIGNS = re.compile(r"://|@|SECRET|password", re.IGNORECASE)
# What Kubernetes sets for a service of the name `exporter`.
SERVICE_LINK = re.compile(r"EXPORTER_(SERVICE_(HOST|PORT.*)|PORT(_\d+_.+)?)")
# Settings are seen by logs, backups and other users.
NO_KEYS = "a key stands in a file of its own, which redact_key_file names"
UTF8_MARK, UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")

# The names that lead to a value: ("rebuild", "keep").
Names = tuple[str, ...]


class Origin(Protocol):
    """One of the places settings come from. `values` are nested as the settings are; `faults` are sentences about
    what could not be read."""

    values: Mapping[str, Any]
    faults: list[str]

    def place(self, names: Names, shown: str | None) -> str:
        """Where the setting of these names stands, with its value if that may be shown."""


@dataclass
class Flags:
    """The flags of a command that were given; `--workers 3`. `others` are flags with names of their own."""

    values: Mapping[str, Any]
    others: Mapping[Names, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def place(self, names: Names, shown: str | None) -> str:
        flag = self.others.get(names) or f"--{names[-1].replace('_', '-')}"
        return flag + ("" if shown is None else f" {shlex.quote(shown)}")


@dataclass
class Environment:
    """Variables: `EXPORTER_WORKERS=3`, `EXPORTER_REBUILD_KEEP=3`, and those that hold an object, `EXPORTER_TABLES`.
    `others` are variables with names of their own."""

    values: Mapping[str, Any]
    others: Mapping[Names, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def place(self, names: Names, shown: str | None) -> str:
        single = self.others.get(names) or PREFIX + "_".join(names).upper()
        if single in os.environ or len(names) == 1:
            return visible(single) + ("" if shown is None else f"={shlex.quote(shown)}")
        return f"{PREFIX}{names[0].upper()}, {visible('.'.join(names[1:]))}" + ("" if shown is None else f" = {shown}")


@dataclass
class SettingsFile:
    """The settings file: `exporter.toml line 4, workers = 3`; of mapped names, only the file."""

    path: Path
    text: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def place(self, names: Names, shown: str | None) -> str:
        if names in (("tables",), ("columns",)):  # whose faults name the table in the file
            return str(self.path)
        line = line_of(self.text, names)
        name = visible(".".join(names))
        return f"{self.path}{f' line {line}' if line else ''}, {name}" + ("" if shown is None else f" = {shown}")


class Variables(EnvSettingsSource):
    """The values of the variables EXPORTER_…; one that should hold a JSON object and does not is a fault, and counts as
    unset. Lists stay texts, which their settings take apart."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        self.faults: list[str] = []
        super().__init__(settings)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        if NoDecode in field.metadata:
            return value
        try:
            decoded = json.loads(value)
        except ValueError:
            decoded = None
        if not isinstance(decoded, dict):
            self.faults.append(f"{PREFIX}{field_name.upper()}: must be a JSON object")
            return {}
        return decoded


def without_absent(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not None, in nested tables too; without tables that are then empty."""
    kept = {name: without_absent(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    return {name: value for name, value in kept.items() if value is not None and value != {}}


def flattened(values: Mapping[str, Any], names: Names = ()) -> Iterator[Names]:
    """The names of all values, those in tables too."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, (*names, name))
        else:
            yield (*names, name)


def read_settings_file(config: Path | None) -> SettingsFile:
    """The settings file that was named, or exporter.toml in the working directory if there is one. What is wrong with
    it is among its faults."""
    file = SettingsFile(config or DEFAULT_FILE)
    try:
        content = file.path.read_bytes()
        if content.startswith((UTF8_MARK, *UTF16_MARKS)):
            file.faults = [f"{file.path} begins with a byte order mark (BOM): save it as UTF-8 without one"]
        else:
            file.text = content.decode()
            file.values = tomllib.loads(file.text)
    except FileNotFoundError as error:
        if config:
            file.faults = [f"cannot read {file.path}: {error.strerror}"]
    except OSError as error:
        remedy = "" if config else "; remove it, run this in another directory, or name a settings file with --config"
        file.faults = [f"cannot read {file.path}: {error.strerror}{remedy}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        file.faults = [f"{file.path} is not valid TOML: {error}"]
    return file


def line_of(text: str, names: Names) -> int | None:
    """The line of a TOML text on which the value of these names begins: the first after the longest beginning of the
    text that is complete without it."""
    lines = text.splitlines(keepends=True)
    begins = 1
    for number in range(1, len(lines) + 1):
        try:
            content = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:  # within a value of several lines
            continue
        if has(content, names):
            return begins
        begins = number + 1
    return None


def fault_sentences(
    faults: Iterable[ErrorDetails], origins: Sequence[Origin], descriptions: Mapping[Names, str], secret: Set[Names]
) -> Iterator[str]:
    """Which settings are wrong, where each was given, and how it must be. `descriptions` are of all settings, `secret`
    those whose values are never repeated."""
    for fault in faults:
        names = tuple(map(str, fault["loc"]))
        place = place_of(names, origins, hidden=names in secret or fault["type"] == "extra_forbidden")
        setting = names if names in descriptions else names[:1]
        if fault["type"] == "names":
            yield from (f"{place}: {sentence}" for sentence in fault["ctx"]["faults"])
        elif fault["type"] == "extra_forbidden":
            yield f"{place}: no such setting{nearest(names, descriptions)}"
        else:
            yield f"{place}: must be {descriptions[setting]}"


def place_of(names: Names, origins: Iterable[Origin], *, hidden: bool) -> str:
    """Where a setting was given, in the first origin that has it; its value unless that is to be hidden."""
    for origin in origins:
        if has(origin.values, names):
            quotes = isinstance(origin, SettingsFile)
            return origin.place(names, None if hidden else shown_value(value_of(origin.values, names), quotes=quotes))
    return ".".join(names)


def nearest(names: Names, known: Iterable[Names]) -> str:
    """The end of a sentence about an unknown setting: the nearest name, if there is one, or what a key's place is."""
    if names == ("redact_key",):
        return "; " + NO_KEYS
    beside = [other[-1] for other in known if other[:-1] == names[:-1]]
    return nearest_name(names[-1], beside)


def unknown_variables(known: Iterable[Names]) -> Iterator[str]:
    """Faults: variables EXPORTER_… that are almost those of settings. Warns about others, which have no effect."""
    variables = {PREFIX + "_".join(names).upper() for names in known}
    # Refused by what they hold.
    holders = tuple(f"{PREFIX}{name}_" for name in ("REBUILD", "TABLES", "COLUMNS", "REDACT_CHANGES"))
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or name in variables or name.startswith(holders) or not os.environ[name]:
            continue
        if name == f"{PREFIX}REDACT_KEY":
            yield f"{name}: no such setting; {NO_KEYS}"
        elif found := get_close_matches(name, variables, n=1, cutoff=0.9):
            yield f"{visible(name)}: no such setting; the nearest is {found[0]}"
        elif not SERVICE_LINK.fullmatch(name):
            logger.warning("%s is not a variable of this program, and has no effect", visible(name))


def has(values: Any, names: Names) -> bool:
    """Whether nested values have a value of these names."""
    return not names or (isinstance(values, Mapping) and names[0] in values and has(values[names[0]], names[1:]))


def value_of(values: Any, names: Names) -> Any:
    """The nested value of these names, which there is."""
    return value_of(values[names[0]], names[1:]) if names else values


def shown_value(value: Any, *, quotes: bool) -> str | None:
    """A value as a message repeats it, a text in quotes if asked; None if it is long, or might hold a password."""
    if not isinstance(value, str | bool | int | float):
        return None
    text = visible(value) if isinstance(value, str) else json.dumps(value)
    if len(text) > LONGEST_VALUE or SECRET_SIGNS.search(text):
        return None
    return f'"{text}"' if quotes and isinstance(value, str) else text

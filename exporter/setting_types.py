"""The kinds of values that settings have: how each is read, what it may be, and how it is written."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from exporter.text import parse_percentage, parse_size, parse_span, write_percentage, write_size, write_span


def plain_number(value: Any) -> Any:
    """A number as it is; true and false as texts, which are no numbers."""
    return str(value) if isinstance(value, bool) else value


def not_blank(value: Any) -> Any:
    """A text with something in it. Raises for one without, and for one that could not be a file's name everywhere: with
    a NUL, or not UTF-8, which Polars asks for."""
    if isinstance(value, str) and (not value.strip() or "\0" in value or not is_utf8(value)):
        raise PydanticCustomError("blank", "blank")
    return value


def one_line(value: Any) -> Any:
    """A path without line ends, at which scripts would cut it."""
    if isinstance(value, str) and set("\n\r") & set(value):
        raise PydanticCustomError("lines", "lines")
    return not_blank(value)


def is_utf8(text: str) -> bool:
    """Whether a text has no bytes that Python could not decode."""
    return all(not "\ud800" <= letter <= "\udfff" for letter in text)


# `Settings().model_dump(mode="json")` writes these as a settings file does.
Number = Annotated[int, BeforeValidator(plain_number)]
Size = Annotated[int, BeforeValidator(parse_size), PlainSerializer(write_size, when_used="json")]
# At most what PostgreSQL's timeouts hold: 32 bits of milliseconds.
Span = Annotated[
    int,
    Field(ge=1, le=500 * 3600),
    BeforeValidator(parse_span),
    BeforeValidator(plain_number),
    PlainSerializer(write_span, when_used="json"),
]
Percentage = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False),
    BeforeValidator(parse_percentage),
    BeforeValidator(plain_number),
    PlainSerializer(write_percentage, when_used="json"),
]
Text = Annotated[str, BeforeValidator(not_blank)]
FilePath = Annotated[Path, BeforeValidator(one_line)]
# As Dask writes them; a name and password have no place in it.
Scheduler = Annotated[str, Field(pattern=r"^(tcp|tls)://[^@/\s]+:[0-9]{1,5}$")]
LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?", re.IGNORECASE)


def is_loopback(place: str) -> bool:
    """Whether HOST or HOST:PORT is this machine itself. A name may be another machine's whatever it looks like, but for
    localhost."""
    return LOOPBACK.fullmatch(place) is not None

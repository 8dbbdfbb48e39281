"""What a masked export must hold, computed from an unmasked one of the same source without the program's SQL."""

import hashlib
import hmac
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.reading import read_fields, read_header

REDACTED = "[redacted]"
WHITE_SPACE = " \t\n\x0b\x0c\r"
Row = tuple[str | None, ...]


def token(secret: bytes, domain: str, text: str) -> str:
    """The token of a text that has its normal form."""
    key = hmac.new(secret, b"astrokiran-graph-exporter/1/" + domain.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def normal(domain: str, value: str) -> str | None:
    """The form of a value that is hashed; None if it has none."""
    if domain == "phone":
        return "".join(letter for letter in value if letter in "0123456789")[-10:] or None
    if domain == "code":
        return value.strip(WHITE_SPACE) or None
    if domain == "document":
        return value.strip(WHITE_SPACE)
    if domain == "ip":
        return value.partition("/")[0]
    return value.lower() if domain == "session" else value


def is_category(value: str) -> bool:
    """Whether a text looks like one of a few words."""
    digits = len(re.findall(r"\d", value))
    return len(value.encode()) <= 40 and digits < 10 and not re.search(r"\d{6}|[@\x01-\x03]", value)


def masked(treatment: str, value: str | None, *, secret: bytes, label: str, key: str | None) -> str | None:
    """What must become of a property's value, but for `common`, which depends on the other rows."""
    if value is None or treatment in ("keep", "drop"):
        return value if treatment == "keep" else None
    if treatment == "category":
        return value if is_category(value) else None
    if treatment == "presence":
        return REDACTED if value else value
    if treatment == "label":
        return f"{label} {key}"
    if treatment in ("year", "month", "day"):
        parts = re.fullmatch(r"(-?\d{4})-(\d\d)-(\d\d)(T.*)?", value)
        assert parts is not None
        year, month, day, time = parts.groups()
        return cut_date(treatment, year, month, day) + ("" if time is None else "T00:00:00.000000Z")
    domain = treatment.removeprefix("token:")
    form = normal(domain, value)
    if form is None:
        return None
    made = token(secret, domain, form)
    return str(uuid.UUID(hex=made)) if domain == "session" else made


def cut_date(treatment: str, year: str, month: str, day: str) -> str:
    """The date on which a year, month or day begins; PostgreSQL's first days are in no year that begins within its
    range."""
    if year == "-4713" and treatment != "day":
        return "-4712-01-01"
    return f"{year}-{'01' if treatment == 'year' else month}-{day if treatment == 'day' else '01'}"


def masked_key(label: str, key: str | None, secret: bytes) -> str | None:
    """What must become of the key of a node."""
    if key is None or label not in ("Session", "Device"):
        return key
    if label == "Session":
        return str(uuid.UUID(hex=token(secret, "session", key)))
    number, _, device = key.partition(":")
    return f"{number}:{token(secret, 'device', device)}"


def columns_of(export: Path, entity: str) -> list[str]:
    """The names of an entity's columns; a key that is no property is its role."""
    return [column.name or column.type for column in read_header(export / "headers" / f"{entity}.csv")]


def rows_of(directory: Path) -> Iterator[Row]:
    """The rows of all data files of a directory, in order."""
    for path in sorted(directory.glob("*.csv")):
        for row in read_fields(path):
            yield tuple(value if quoted or value is not None else None for value, quoted in row)


def rejects_of(directory: Path) -> list[dict[str, str | None]]:
    """The reject lines of an entity, in order."""
    found = []
    for path in sorted(directory.glob("*.csv")):
        header, *lines = [[value for value, _ in row] for row in read_fields(path)]
        found += [dict(zip((str(name) for name in header), line, strict=True)) for line in lines]
    return found

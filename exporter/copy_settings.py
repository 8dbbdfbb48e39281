"""The settings of copies: how a window and a redaction are written, and which settings exclude each other.

A copy is an export that is a window of the source, or masked, or both (docs/copies.md).
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from exporter.errors import UsageError
from exporter.model.graph import NODES
from exporter.model.redaction import effective_rules, named_properties
from exporter.model.vocabulary import IdRule, Node
from exporter.model.window import REMOVABLE, ROOT_LABELS, Root, root_properties
from exporter.setting_types import FilePath
from exporter.text import nearest, parse_moment, parse_share, write_moment, write_share

# What a `Moment` must be.
MOMENT = "a time before the snapshot such as 36h, 7d or 2w, or a date or timestamp such as 2026-11-01"
MOST_ROOTS = 100_000
# A file of something else has as many wrong roots as lines.
FAULTS_SHOWN = 10
# Nobody names a file so; it is a key itself.
KEY = re.compile(r"\s*(0x)?[0-9a-fA-F]{32,}\s*")
# All that has an effect only in a masked export.
OF_REDACTION = (
    "redact_key_file", "redact_accept", "redact_k", "redact_max_small", "redact_changes", "redact_quasi"
)  # fmt: skip


def must_be(kind: type | tuple[type, ...]) -> Callable[[Any], Any]:
    """A validator that refuses what the one before it could not read."""

    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise PydanticCustomError("kind", "kind")
        return value

    return read


def sentences(faults: list[str]) -> None:
    """Raises the faults of a setting in words of their own, if there are any."""
    if faults:
        raise PydanticCustomError("names", "names", {"faults": faults})


def listed(value: Any) -> tuple[str, ...]:
    """Names in a list, or in a text with commas between them; each once. Raises for anything else."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name.strip() for name in names):
        raise PydanticCustomError("kind", "kind")
    return tuple(dict.fromkeys(name.strip() for name in names))


def removable(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Labels that a window may leave out. Raises with those that it may not."""
    known = [node.label for node in NODES]
    sentences([f"there is no label {label}{nearest(label, known)}" for label in labels if label not in known])
    if referenced := [label for label in labels if label not in REMOVABLE]:
        removable = ", ".join(sorted(REMOVABLE))
        sentences([f"other rows refer to {' and '.join(referenced)}; what can be left out is {removable}"])
    return labels


def read_roots(value: Any) -> tuple[Root, ...]:
    """The roots in a list of texts, or in a text with a line for each; each once. Raises with what is wrong with them,
    which repeats no value: it may be a phone."""
    texts = [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str | Root) for text in texts):
        raise PydanticCustomError("kind", "kind")
    if len(texts) > MOST_ROOTS:
        sentences([f"at most {MOST_ROOTS:,} roots; these are {len(texts):,}"])
    roots: list[Root] = []
    faults = []
    for number, text in enumerate(texts, 1):
        root = text if isinstance(text, Root) else parse_root(text)
        if isinstance(root, Root):
            roots.append(root)
        else:
            faults.append(f"root {number} {root}")
    sentences(first(faults, "roots"))
    return tuple(dict.fromkeys(roots))


def first(faults: list[str], what: str) -> list[str]:
    """As many faults as a person may want to read, and how many more there are."""
    more = len(faults) - FAULTS_SHOWN
    return [*faults[:FAULTS_SHOWN], *([f"{more:,} more {what} are wrong"] if more > 0 else [])]


def parse_root(text: str) -> Root | str:
    """The root in `Label:property=value`; or what is wrong with it, without its value."""
    match = re.fullmatch(r"\s*([A-Za-z]+)\s*:\s*([a-z_]+)\s*=(.*)", text, re.DOTALL)
    if not match:
        file = "; only the flag --root takes @FILE" if text.strip().startswith("@") else ""
        return f"must be LABEL:PROPERTY=VALUE, such as Customer:customer_id=7{file}"
    label, prop, value = match[1], match[2], match[3].strip()
    if label not in ROOT_LABELS:
        return f"names {label}; a root is one of {', '.join(ROOT_LABELS)}"
    rules = root_properties(label)
    if prop not in rules:
        *names, last = rules
        found_by = f"{', '.join(names)} or {last}" if names else last
        return f"names {label}.{prop}; a root {label} is found by {found_by}"
    if not could_be(value, rules[prop]):
        return f"has a value that {label}.{prop} cannot have"
    return Root(label, prop, value)


def could_be(text: str, rule: IdRule) -> bool:
    """Whether a root may be found by this text: a phone by its digits, a code unless it is blank, a key by a whole
    number of 64 bits."""
    if rule is IdRule.PHONE:
        return bool(re.search("[0-9]", text))
    if rule is IdRule.CODE:
        return bool(text)
    return bool(re.fullmatch("-?[0-9]{1,19}", text)) and -(2**63) <= int(text) < 2**63


def read_quasi(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Labels, each with the properties that together may tell a person: from tables with `label` and `properties`, or
    their JSON. Raises for anything else."""
    try:
        tables = json.loads(value) if isinstance(value, str) else value
        found = tuple(table if isinstance(table, tuple) else quasi_of(table) for table in tables)
    except (TypeError, ValueError, KeyError):
        found = None
    if found is None or not isinstance(tables, list | tuple):
        raise PydanticCustomError("kind", "kind")
    known = [name for name, (entity, _) in named_properties().items() if isinstance(entity, Node)]
    names = [f"{label}.{prop}" for label, properties in found for prop in properties]
    sentences([f"no label has the property {name}{nearest(name, known)}" for name in names if name not in known])
    return found


def quasi_of(table: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The label and properties of one table. Raises `ValueError` or `KeyError` for anything else."""
    label, properties = table["label"], table["properties"]
    if len(table) != 2 or not isinstance(label, str) or not isinstance(properties, list) or not properties:
        raise ValueError(table.keys())
    return label, listed(properties)


def written_quasi(quasi: Iterable[tuple[str, tuple[str, ...]]]) -> list[dict[str, Any]]:
    """The tables of labels and their properties."""
    return [{"label": label, "properties": list(properties)} for label, properties in quasi]


def not_a_key(value: Any) -> Any:
    """The name of a key's file. Raises for a key: other users, logs and backups see what settings hold."""
    if isinstance(value, str) and KEY.fullmatch(value):
        sentences(["must be the name of a file, and is a key: write the key into a file that only you can read"])
    return value


Moment = Annotated[
    timedelta | datetime,
    BeforeValidator(must_be((timedelta, datetime))),
    BeforeValidator(parse_moment),
    PlainSerializer(write_moment, when_used="json"),
]
Share = Annotated[
    Fraction,
    BeforeValidator(must_be(Fraction)),
    BeforeValidator(parse_share),
    PlainSerializer(write_share, when_used="json"),
]
Labels = Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed), AfterValidator(removable)]
PropertyNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)]
Roots = Annotated[
    tuple[Root, ...],
    NoDecode,
    BeforeValidator(read_roots),
    PlainSerializer(lambda roots: [f"{root.label}:{root.property}={root.value}" for root in roots], when_used="json"),
]
Quasi = Annotated[
    tuple[tuple[str, tuple[str, ...]], ...],
    NoDecode,
    BeforeValidator(read_quasi),
    PlainSerializer(written_quasi, when_used="json"),
]
KeyFile = Annotated[FilePath, BeforeValidator(not_a_key)]


def in_zone(moment: timedelta | datetime | None, timezone: str) -> timedelta | datetime | None:
    """A moment whose zone is known: a timestamp without one is taken to be in `timezone`."""
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=ZoneInfo(timezone))
    return moment


def conflicts(
    chosen: Mapping[str, Any], flags: Collection[str], timezone: str, place: Callable[[str], str]
) -> Iterator[str]:
    """Sentences about settings of copies that do not go together. `chosen` are those that differ from their defaults,
    `flags` the names of those on the command line; `place` tells where one was given."""
    if "sample" in chosen and "roots" in chosen:
        yield f"{place('sample')} and {place('roots')} exclude each other: one draws people, the other names them"
    if "sample_seed" in flags and "sample" not in chosen:
        yield f"{place('sample_seed')}: has an effect only with --sample"
    since, until = (in_zone(chosen.get(name), timezone) for name in ("since", "until"))
    if is_empty(since, until):
        yield f"{place('since')} and {place('until')}: nothing is since the one and before the other"
    if "redact" in chosen:
        try:
            effective_rules(chosen.get("redact_changes", {}), frozenset(chosen.get("redact_accept", ())))
        except UsageError as error:
            for fault in str(error).split("\n  ")[1:]:
                setting, colon, sentence = fault.partition(": ")
                yield f"{place(setting)}: {sentence}" if colon and setting in OF_REDACTION else fault


def unmasked(chosen: Mapping[str, Any], flags: Collection[str], place: Callable[[str], str]) -> Iterator[str]:
    """Sentences about settings of a masked export where none is asked for; the arguments are those of `conflicts`."""
    if "redact" not in chosen:
        for name in OF_REDACTION:
            if name in chosen or name in flags:
                yield f"{place(name)}: nothing is masked without redact; give --redact analyst, or leave this out"


def is_empty(since: timedelta | datetime | None, until: timedelta | datetime | None) -> bool:
    """Whether no moment is `>= since` and `< until`, as far as that is known before the snapshot."""
    if isinstance(since, datetime) and isinstance(until, datetime):
        return since >= until
    return isinstance(since, timedelta) and isinstance(until, timedelta) and since <= until

"""A value of a query's result, written for people (as Cypher, rounded, on one line) and for programs (exactly).

No value commands a terminal: for people, and in JSON, control characters are escaped.
"""

import json
import math
import re
from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point
from neo4j.time import Date, DateTime, Duration, Time

from exporter.text import visible, visible_json

TRAILING_ZEROS = re.compile(r"(?:(\.\d*[1-9])|\.)0+(?=$|[+-]\d\d:\d\d$)")
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# What the last word of a name says of whole numbers: that they are not quantities.
NO_QUANTITY = {"id", "ids", "key", "code", "number", "year", "epoch"}
# Beyond these digits, a float has only the noise of its binary form.
DIGITS = 15


def value_text(value: Any, name: str = "") -> str:
    """A value of the column `name` as people read it: text as it is, numbers rounded and with separators (but IDs and
    years), everything else as Cypher writes it."""
    match value:
        case str():
            return visible(value)
        case bool():
            return cypher_text(value)
        case int():
            words = WORDS.findall(name)
            return str(value) if words and words[-1].lower() in NO_QUANTITY else f"{value:,}"
        case float():
            return float_text(value)
        case _:
            return visible(cypher_text(value))


def float_text(value: float) -> str:
    """`23,807.02`, `0.50`, `0.00012`: two decimals, or three digits where those would say too little."""
    if not math.isfinite(value):
        return special_number(value)
    if abs(value) >= 10**DIGITS or 0 < abs(value) < 0.095:
        return f"{value:.3g}"
    return f"{value:,.2f}"


def cypher_text(value: Any) -> str:
    """A value as Cypher writes it; a float without the noise of its binary form."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return repr(float(f"{value:.{DIGITS}g}")) if math.isfinite(value) else special_number(value)
        case Node():
            return f"(:{':'.join(sorted(value.labels))} {cypher_text(dict(value))})"
        case Relationship():
            return f"[:{value.type}{' ' + cypher_text(dict(value)) if dict(value) else ''}]"
        case Path():
            hops = zip(value.relationships, value.nodes, value.nodes[1:], strict=False)
            return cypher_text(value.start_node) + "".join(hop_text(*hop) for hop in hops)
        case dict():
            return "{" + ", ".join(f"{name}: {cypher_text(member)}" for name, member in sorted(value.items())) + "}"
        case list():
            return "[" + ", ".join(map(cypher_text, value)) + "]"
        case Point():
            return f"point({cypher_text(dict(zip('xyz', value, strict=False)) | {'srid': value.srid})})"
        case bytes() | bytearray():
            return value.hex()
        case _:
            return time_text(value)


def hop_text(relationship: Relationship, before: Node, after: Node) -> str:
    """A hop of a path, in the direction of its relationship."""
    if relationship.start_node == before:
        return f"-{cypher_text(relationship)}->{cypher_text(after)}"
    return f"<-{cypher_text(relationship)}-{cypher_text(after)}"


def time_text(value: Any) -> str:
    """A date, time or duration as ISO 8601 has it, UTC as `Z`; whatever else a driver may return as it prints it."""
    match value:
        case DateTime() | Time():
            return TRAILING_ZEROS.sub(r"\1", value.iso_format()).replace("+00:00", "Z")
        case Date() | Duration():
            return value.iso_format()
        case _:
            return str(value)


def special_number(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def json_value(value: Any) -> Any:
    """What stands for a value in JSON, exactly: nodes, relationships and paths as objects, points as GeoJSON, times as
    ISO 8601, bytes in hexadecimal; numbers that JSON does not have as strings."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else special_number(value)
        case Node():
            return {
                "element_id": value.element_id, "labels": sorted(value.labels), "properties": json_value(dict(value))
            }  # fmt: skip
        case Relationship():
            start, end = (node.element_id if node else None for node in value.nodes)
            identity = {"element_id": value.element_id, "type": value.type, "start": start, "end": end}
            return identity | {"properties": json_value(dict(value))}
        case Path():
            return {"nodes": json_value(list(value.nodes)), "relationships": json_value(list(value.relationships))}
        case dict():
            return {name: json_value(member) for name, member in value.items()}
        case list():
            return [json_value(member) for member in value]
        case Point():
            return {"type": "Point", "coordinates": list(value), "srid": value.srid}
        case _:
            return cypher_text(value)


def json_text(value: Any) -> str:
    """A value as one line of JSON: letters stay letters, control characters are escaped."""
    return visible_json(json.dumps(json_value(value), ensure_ascii=False))


def csv_text(value: Any) -> str:
    """A value as the text of a CSV field: text and numbers exactly, what is nested as JSON, null as nothing."""
    match value:
        case None:
            return ""
        case str():
            return value
    exact = json_value(value)
    return exact if isinstance(exact, str) else json_text(value)

"""A small export written by hand: three labels, three patterns, rejects, and text that is hard to carry."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from exporter.sink.counts import counts_tsv
from exporter.sink.manifest import read_manifest

SCRIPTS = Path(__file__).parents[2] / "scripts"
SCRIPT = SCRIPTS / "import.sh"

# Each comes back from Neo4j byte for byte, or the CSV dialect is wrong.
HOSTILE = [
    "",
    " blanks at both ends ",
    'quotes " and "" and at the end "',
    "commas, tabs\tand semicolons;",
    "line\nfeed, carriage\rreturn, both\r\n",
    "trailing backslash \\",
    "\ufeffBOM, \u2028 and \u2029 and \u0085",
    "emoji \U0001f469\u200d\U0001f680 and नमस्ते",
    "NULL",
    "\\N",
]

# What sha256sum would take or pass over in a SHA256SUMS, and what is said of it.
DAMAGED_CHECKSUMS: list[tuple[Callable[[str], str], str]] = [
    (lambda text: text.replace("\n", "\r\n"), "line 1 of SHA256SUMS is malformed"),
    (lambda text: text[:64].upper() + text[64:], "line 1 of SHA256SUMS is malformed"),
    (lambda text: text.replace("  nodes/", " *nodes/"), r"line \d+ of SHA256SUMS is malformed"),
    (lambda text: text.replace("  nodes/", "  ../nodes/"), r"line \d+ of SHA256SUMS is malformed"),
    (lambda text: text.replace("  nodes/", "  /nodes/"), r"line \d+ of SHA256SUMS is malformed"),
    (lambda text: text.replace("  nodes/", "  nodes//"), r"line \d+ of SHA256SUMS is malformed"),
    (lambda text: text + "# comment\n", r"line \d+ of SHA256SUMS is malformed"),
    (lambda text: text + "\n", r"line \d+ of SHA256SUMS is malformed"),
    (lambda text: text[:-20], r"(line \d+ of )?SHA256SUMS is (malformed|cut off)"),
    (lambda text: text[:-1], "SHA256SUMS is cut off"),
    (lambda _: "", "SHA256SUMS is cut off"),
    (lambda text: text + text[: text.index("\n") + 1], "SHA256SUMS lists a file twice, or is not sorted"),
    (lambda text: text[: text.index("\n") + 1] * 2, "SHA256SUMS lists a file twice, or is not sorted"),
]

_HEADERS = {
    "headers/AuthUser.csv": "id:ID(AuthUser){id-type:long},phone_number:string,is_active:boolean\n",
    "headers/Session.csv": "id:ID(Session){id-type:string},user_type:string\n",
    "headers/Device.csv": ":ID(Device){id-type:string},device_id:string\n",
    "headers/AuthUser-HAS_SESSION-Session.csv": ":START_ID(AuthUser),:END_ID(Session)\n",
    "headers/AuthUser-HAS_DEVICE-Device.csv": ":START_ID(AuthUser),:END_ID(Device)\n",
    "headers/Customer-HAS_AUTH-AuthUser.csv": ":START_ID(Customer),:END_ID(AuthUser),via:string\n",
    "headers/Customer.csv": "customer_id:ID(Customer){id-type:long},country_code:string\n",
}

_ARGUMENTS = """\
--id-type=string
--bad-tolerance=0
--strict=true
--multiline-fields=true
--nodes=AuthUser=headers/AuthUser.csv,nodes/AuthUser/part-0001.csv,nodes/AuthUser/part-0002.csv
--nodes=Customer=headers/Customer.csv,nodes/Customer/part-0001.csv
--nodes=Session=headers/Session.csv,nodes/Session/part-0001.csv
--nodes=Device=headers/Device.csv,nodes/Device/part-0001.csv
--relationships=HAS_AUTH=headers/Customer-HAS_AUTH-AuthUser.csv,relationships/Customer-HAS_AUTH-AuthUser/part-0001.csv
--relationships=HAS_SESSION=headers/AuthUser-HAS_SESSION-Session.csv,relationships/AuthUser-HAS_SESSION-Session/part-0001.csv
--relationships=HAS_DEVICE=headers/AuthUser-HAS_DEVICE-Device.csv,relationships/AuthUser-HAS_DEVICE-Device/part-0001.csv
"""

_SCHEMA = """\
CREATE CONSTRAINT AuthUser_id IF NOT EXISTS FOR (n:AuthUser) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT Customer_customer_id IF NOT EXISTS FOR (n:Customer) REQUIRE n.customer_id IS UNIQUE;
CREATE INDEX AuthUser_phone_number IF NOT EXISTS FOR (n:AuthUser) ON (n.phone_number);
"""


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _data() -> dict[str, tuple[int, str]]:
    """Path -> rows and content."""
    first = "".join(f"{9007199254740993 + number},{_text(text)},true\n" for number, text in enumerate(HOSTILE))
    sessions = "".join(f'"00000000-0000-0000-0000-{number:012d}","CUSTOMER"\n' for number in range(3))
    session_ends = "".join(f'{number},"00000000-0000-0000-0000-{number:012d}"\n' for number in range(3))
    return {
        "nodes/AuthUser/part-0001.csv": (len(HOSTILE), first),
        "nodes/AuthUser/part-0002.csv": (3, "0,,\n1,,false\n2,,\n"),
        "nodes/Customer/part-0001.csv": (2, '7,"+91"\n8,\n'),
        "nodes/Session/part-0001.csv": (3, sessions),
        "nodes/Device/part-0001.csv": (0, ""),
        "relationships/Customer-HAS_AUTH-AuthUser/part-0001.csv": (2, '7,0,"x_auth_id"\n8,1,"x_auth_id"\n'),
        "relationships/AuthUser-HAS_SESSION-Session/part-0001.csv": (3, session_ends),
        "relationships/AuthUser-HAS_DEVICE-Device/part-0001.csv": (0, ""),
    }


def _node(label: str, rows: int, counts: dict[str, int], rejects: dict[str, int] | None = None) -> dict[str, object]:
    return {
        "label": label,
        "table": f"tiny.{label.lower()}",
        "rows": rows,
        "properties": sum(counts.values()),
        "property_counts": counts,
        "rejects": rejects or {},
    }


def _relationship(table: str, start: str, type_: str, end: str, rows: int, counts: dict[str, int]) -> dict[str, object]:
    return {
        "start": start,
        "type": type_,
        "end": end,
        "table": table,
        "rows": rows,
        "properties": sum(counts.values()),
        "property_counts": counts,
        "no_target": 0,
        "rejects": {},
    }


def _manifest(data: dict[str, tuple[int, str]]) -> dict[str, object]:
    texts = len(HOSTILE)
    nodes = [
        _node("AuthUser", texts + 3, {"id": texts + 3, "phone_number": texts, "is_active": texts + 1}, {"null_id": 2}),
        _node("Customer", 2, {"customer_id": 2, "country_code": 1}),
        _node("Session", 3, {"id": 3, "user_type": 3}),
        _node("Device", 0, {"device_id": 0}),
    ]
    relationships = [
        _relationship("tiny.customer", "Customer", "HAS_AUTH", "AuthUser", 2, {"via": 2}),
        _relationship("tiny.session", "AuthUser", "HAS_SESSION", "Session", 3, {}),
        _relationship("tiny.device", "AuthUser", "HAS_DEVICE", "Device", 0, {}),
    ]
    files = [
        {
            "path": path,
            "rows": rows,
            "bytes": len(content.encode()),
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
        }
        for path, (rows, content) in data.items()
    ]
    entities = [*nodes, *relationships]
    return {
        "format": 1,
        "source": {
            "database": "tiny",
            "server_version": "18.4",
            "host": "127.0.0.1",
            "identity": "postgresql:7301234567890123456/tiny",
            "snapshot_at": "2026-11-23T03:15:01.250000Z",
            "wal_lsn": "0/16B3748",
        },
        "started_at": "2026-11-23T03:15:00.000000Z",
        "finished_at": "2026-11-23T03:15:02.500000Z",
        "tool": {"name": "astrokiran-graph-exporter", "version": "1.0.0"},
        "model": {"sha256": "0" * 64},
        "options": {"timezone": "UTC", "tables": {}, "columns": {}},
        "nodes": nodes,
        "relationships": relationships,
        "files": files,
        "totals": {
            "nodes": sum(node["rows"] for node in nodes),
            "relationships": sum(relationship["rows"] for relationship in relationships),
            "properties": sum(entity["properties"] for entity in entities),
            "bytes": sum(file["bytes"] for file in files),
            "rejects": 2,
        },
    }


def write(export: Path) -> Path:
    """Makes the export in the new directory `export`; gives that."""
    data = _data()
    rejects = "reason,table,column,key,value,references\n" + 'null_id,tiny.authuser,id,,"two\nlines",\n' * 2
    contents = {
        **_HEADERS,
        **{path: content for path, (_, content) in data.items()},
        "rejects/nodes/AuthUser/part-0001.csv": rejects,
        "import.args": _ARGUMENTS,
        "schema.cypher": _SCHEMA,
    }
    for path, content in contents.items():
        (export / path).parent.mkdir(parents=True, exist_ok=True)
        (export / path).write_bytes(content.encode())
    for script in ("import.sh", "verify.sh"):
        shutil.copy(SCRIPTS / script, export / script)
    write_manifest(export, _manifest(data))
    write_counts(export, counts_tsv(read_manifest(export)))
    return export


WINDOW = {
    "since": "2026-11-16T03:15:01.250000Z", "until": None, "sample": None, "seed": 0, "roots": [],
    "without": ["Notification"], "rows": {"in": 40, "of": 100},
    "pulled": [{"by": "(Notification)-[TO_USER]->(AuthUser)", "rows": 7}],
}  # fmt: skip
REDACTION = {
    "profile": "analyst", "version": 1, "sha256": "0" * 64, "key": "once", "treatments": {}, "weakened": [],
    "suppressed": {}, "k_anonymity": [],
}  # fmt: skip


def make_copy(
    export: Path, window: dict[str, object] | None = WINDOW, redaction: dict[str, object] | None = REDACTION
) -> Path:
    """Makes it a copy, by what its manifest and counts.tsv say; gives its directory."""
    write_manifest(export, {**manifest(export), "format": 2, "window": window, "redaction": redaction})
    write_counts(export, counts_tsv(read_manifest(export)))
    return export


def manifest(export: Path) -> dict[str, object]:
    """The export's manifest, as it is."""
    content: dict[str, object] = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    return content


def change_source(export: Path, identity: str | None, **others: str) -> None:
    """Makes it an export of another source; without an identity, as version 1.0 wrote it."""
    content = manifest(export)
    source: dict[str, str | None] = content["source"]  # type: ignore[assignment]
    source |= {"identity": identity, **others}
    if identity is None:
        del source["identity"]
    write_manifest(export, content)


def write_manifest(export: Path, content: dict[str, object]) -> None:
    """Writes the manifest alone, and the checksums of all that is there; counts.tsv stays as it is."""
    (export / "manifest.json").write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
    write_checksums(export)


def write_counts(export: Path, content: str) -> None:
    """Writes counts.tsv, and the checksums of all that is there."""
    (export / "counts.tsv").write_text(content, encoding="utf-8")
    write_checksums(export)


def write_checksums(export: Path) -> None:
    """Writes SHA256SUMS over every other file that is there now."""
    paths = sorted(
        path.relative_to(export).as_posix()
        for path in export.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    )
    lines = [f"{hashlib.sha256((export / path).read_bytes()).hexdigest()}  {path}\n" for path in paths]
    (export / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")

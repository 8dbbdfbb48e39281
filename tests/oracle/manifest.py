"""Checks what surrounds the data: manifest.json, SHA256SUMS, import.args, names and modes, as contract.md says."""

import hashlib
import json
import re
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .declaration import NODES, RELATIONSHIPS
from .expected import Entity, property_types
from .reading import read_fields, read_import_args

KEYS = {"format", "tool", "model", "source", "options", "started_at", "finished_at"}
KEYS |= {"nodes", "relationships", "files", "totals"}
NODE_KEYS = {"label", "table", "rows", "properties", "property_counts", "rejects"}
RELATIONSHIP_KEYS = {"start", "type", "end", "table", "rows", "properties", "property_counts", "no_target", "rejects"}
UNCOUNTED = "unrepresentable_value"


def sha256(path: Path) -> str:
    """The digest of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unequal(subject: str, expected: object, got: object) -> list[str]:
    """One difference, or none."""
    return [] if expected == got else [f"{subject}: expected {expected!r}, got {got!r}"]


def files_under(export: Path) -> list[str]:
    """Every file of the export, relative to it."""
    return sorted(str(path.relative_to(export)) for path in export.rglob("*") if path.is_file())


def entity_differences(name: str, entity: Entity, entry: dict[str, Any]) -> list[str]:
    """An entry of `nodes` or `relationships` against the expectations, and the sums it must satisfy."""
    counts = {key: count for key, count in entry["property_counts"].items() if count}
    expected_keys = NODE_KEYS if entity.kind == "node" else RELATIONSHIP_KEYS
    rejects = {reason: count for reason, count in entry["rejects"].items() if count}
    left_out = sum(count for reason, count in rejects.items() if reason != UNCOUNTED)
    named = set(entry["property_counts"])
    all_rows = entry["rows"] + entry.get("no_target", 0) + left_out
    return [
        *unequal(f"manifest {name}, its keys", set(), expected_keys - entry.keys()),
        *unequal(f"manifest {name}, table", entity.table, entry["table"]),
        *unequal(f"manifest {name}, rows", entity.exported, entry["rows"]),
        *unequal(f"manifest {name}, no_target", entity.no_target, entry.get("no_target", 0)),
        *unequal(f"manifest {name}, rejects", entity.reasons(), rejects),
        *unequal(f"manifest {name}, property_counts", entity.property_counts(), counts),
        *unequal(f"manifest {name}, names of property_counts", set(property_types(name)), named),
        *unequal(f"manifest {name}, properties", sum(counts.values()), entry["properties"]),
        *unequal(f"manifest {name}, count(*)", entity.counted, all_rows),
    ]


def total_differences(manifest: dict[str, Any]) -> list[str]:
    """The totals are the sums of what stands above them."""
    nodes, relationships = manifest["nodes"], manifest["relationships"]
    expected = {
        "nodes": sum(entry["rows"] for entry in nodes),
        "relationships": sum(entry["rows"] for entry in relationships),
        "properties": sum(entry["properties"] for entry in (*nodes, *relationships)),
        "bytes": sum(entry["bytes"] for entry in manifest["files"]),
        "rejects": sum(sum(entry["rejects"].values()) for entry in (*nodes, *relationships)),
    }
    return unequal("manifest totals", expected, {key: manifest["totals"].get(key) for key in expected})


def file_differences(export: Path, manifest: dict[str, Any]) -> list[str]:
    """`files` lists every data file with its rows, bytes and digest; SHA256SUMS lists every file but itself."""
    data = [path for path in files_under(export) if path.startswith(("nodes/", "relationships/"))]
    listed = {entry["path"]: entry for entry in manifest["files"]}
    differences = unequal("manifest files", data, sorted(listed))
    for name, entry in listed.items():
        path = export / name
        rows = sum(1 for _ in read_fields(path))
        got = (entry["rows"], entry["bytes"], entry["sha256"])
        differences += unequal(f"manifest file {name}", (rows, path.stat().st_size, sha256(path)), got)
    sums = (line.split(maxsplit=1) for line in (export / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    digests = {name.lstrip("*").removeprefix("./"): digest for digest, name in sums}
    expected = {name: sha256(export / name) for name in files_under(export) if name != "SHA256SUMS"}
    return differences + unequal("SHA256SUMS", expected, digests)


def directory_differences(export: Path) -> list[str]:
    """The directory's name, the entities' folders, 0600 and 0700 (scripts may be executable), and `latest`."""
    patterns = {relationship.pattern for relationship in RELATIONSHIPS}
    differences = [] if re.fullmatch(r"\d{8}T\d{6}Z", export.name) else [f"the directory is called {export.name}"]
    for folder, names in (("nodes", set(NODES)), ("relationships", patterns)):
        differences += unequal(f"folders of {folder}", names, {path.name for path in (export / folder).iterdir()})
    for path in (export, *export.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        allowed = {0o700} if path.is_dir() else {0o600, 0o700} if path.suffix == ".sh" else {0o600}
        if mode not in allowed:
            differences.append(f"{path.relative_to(export.parent)} has mode {mode:o}")
    latest = export.parent / "latest"
    return differences + unequal("latest", export.name, str(latest.readlink()) if latest.is_symlink() else None)


def argument_differences(export: Path, expected: dict[str, Entity]) -> list[str]:
    """What import.args must hold besides the files: the multiline option only when some value holds a line break, and
    a read buffer that holds the longest value twice."""
    options = read_import_args(export).options
    wanted = ["--bad-tolerance=0", "--strict=true", "--id-type=string"]
    differences = [f"import.args lacks {option}" for option in wanted if option not in options]
    rows = (row for entity in expected.values() for row in entity.rows.items())
    texts = [text for identity, values in rows for text in (identity, *(value.text for value in values.values()))]
    buffer = next((option for option in options if option.startswith("--read-buffer-size=")), "=0k")
    if int(buffer.split("=")[1].removesuffix("k")) << 10 < 2 * max((len(text.encode()) for text in texts), default=1):
        differences.append(f"the buffer of {buffer} does not hold the longest value twice")
    multiline = ["--multiline-fields=true"] if any("\n" in text or "\r" in text for text in texts) else []
    return differences + unequal("multiline", multiline, [o for o in options if o.startswith("--multiline")])


def head_differences(manifest: dict[str, Any], database: str, model_json: str) -> list[str]:
    """The keys of the manifest, the source it names, the model's digest, and times that are UTC."""
    differences = unequal("manifest keys", set(), KEYS - manifest.keys()) + unequal("format", 1, manifest["format"])
    digests = {hashlib.sha256(text.encode()).hexdigest() for text in (model_json, model_json.rstrip("\n"))}
    if manifest["model"]["sha256"] not in digests:
        differences.append("model.sha256 is not the digest of what `exporter model --format json` prints")
    source = manifest["source"]
    differences += [f"source has no {key}" for key in ("snapshot_at", "wal_lsn") if key not in source]
    if database not in source.values():
        differences.append(f"source does not name the database {database}")
    moments = [manifest["started_at"], source["snapshot_at"], manifest["finished_at"]]
    times = {text: datetime.fromisoformat(text) for text in moments}
    differences += [f"{key} is not UTC" for key, time in times.items() if time.utcoffset() != UTC.utcoffset(None)]
    if sorted(times.values()) != list(times.values()):
        differences.append(f"not in their order: {moments}")
    return differences


def manifest_differences(export: Path, expected: dict[str, Entity], database: str, model_json: str) -> list[str]:
    """Everything around the data that is not as the contract says, one sentence each."""
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    entries: Iterable[tuple[str, dict[str, Any]]] = [
        *((entry["label"], entry) for entry in manifest["nodes"]),
        *(("{start}-{type}-{end}".format(**entry), entry) for entry in manifest["relationships"]),
    ]
    named = dict(entries)
    differences = unequal("entities of the manifest", set(expected), set(named))
    for name in expected.keys() & named.keys():
        differences += entity_differences(name, expected[name], named[name])
    return [
        *differences,
        *head_differences(manifest, database, model_json),
        *total_differences(manifest),
        *file_differences(export, manifest),
        *directory_differences(export),
        *argument_differences(export, expected),
    ]

"""Compares an export directory with the expectations, entity by entity, and names every difference."""

from collections import Counter
from pathlib import Path

from .declaration import NODES, RELATIONSHIPS
from .expected import Entity, Value, property_types
from .reading import Column, read_entity, read_import_args, read_rejects

SHOWN = 200


def shown(value: object) -> str:
    """A value as a difference names it; long ones are cut."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def same(expected: Value | None, got: Value | None) -> bool:
    """Equal type and text; for a double whose text is not prescribed, the same number with the same sign."""
    if expected is None or got is None or expected.type != got.type:
        return expected is got
    if expected.type != "double" or expected.exact:
        return expected.text == got.text
    return float(expected.text).hex() == float(got.text).hex()


def property_differences(where: str, expected: dict[str, Value], got: dict[str, Value]) -> list[str]:
    """The properties that one row has and the other has not, or has with another type or value."""
    return [
        f"{where} {name}: expected {shown(expected.get(name))}, got {shown(got.get(name))}"
        for name in sorted(expected.keys() | got.keys())
        if not same(expected.get(name), got.get(name))
    ]


def row_differences(
    name: str, expected: dict[str, dict[str, Value]], got: list[tuple[str, dict[str, Value]]]
) -> list[str]:
    """Rows missing, rows too many, and the properties that differ."""
    counts = Counter(identity for identity, _ in got)
    differences = [f"{name} {shown(identity)}: there {times} times" for identity, times in counts.items() if times > 1]
    differences += [f"{name} {shown(identity)}: missing" for identity in expected.keys() - counts.keys()]
    for identity, properties in got:
        where = f"{name} {shown(identity)}"
        if identity in expected:
            differences += property_differences(where, expected[identity], properties)
        else:
            differences.append(f"{where}: should not be there")
    return differences


def header_differences(name: str, columns: list[Column]) -> list[str]:
    """A header must hold the model's properties with their types, and the ID columns of the right spaces."""
    got = {c.name: c.id_type if c.type.endswith("ID") else c.type for c in columns if c.name}
    got = {column: type_ or "string" for column, type_ in got.items()}
    roles = [(c.type, c.space) for c in columns if c.type.endswith("ID")]
    if name in NODES:
        expected_roles = [("ID", name)]
    else:
        start, _, end = name.split("-")
        expected_roles = [("START_ID", start), ("END_ID", end)]
    if (got, roles) == (property_types(name), expected_roles):
        return []
    return [f"header of {name}: expected {property_types(name)} {expected_roles}, got {got} {roles}"]


def entity_differences(name: str, entity: Entity, paths: list[Path], export: Path) -> list[str]:
    """The header, the rows and the rejects of one label or pattern."""
    folder = f"{entity.kind}s/{name}"
    misplaced = [path for path in paths[1:] if path.parent != export / folder]
    columns, rows = read_entity(paths)
    differences = [f"{path.relative_to(export)} belongs under {folder}" for path in misplaced]
    differences += header_differences(name, columns) + row_differences(name, entity.rows, rows)
    rejects = read_rejects(export / "rejects" / folder)
    differences += [f"reject missing, {name}: {shown(line)} x{n}" for line, n in (entity.rejects - rejects).items()]
    differences += [f"reject too many, {name}: {shown(line)} x{n}" for line, n in (rejects - entity.rejects).items()]
    return differences


def export_differences(export: Path, expected: dict[str, Entity]) -> list[str]:
    """Everything in the data and reject files that is not as the rules say, one sentence each."""
    files = read_import_args(export)
    named = dict(files.nodes)
    for type_, paths in files.relationships:
        pattern = paths[1].parent.name
        if pattern.split("-")[1] != type_:
            return [f"import.args: {pattern} is imported as {type_}"]
        named.setdefault(pattern, paths[:1]).extend(paths[1:])
    patterns = [relationship.pattern for relationship in RELATIONSHIPS]
    if list(named.keys() ^ expected.keys()):
        return [f"import.args: not on both sides: {sorted(named.keys() ^ expected.keys())}"]
    return [
        difference
        for name in (*NODES, *patterns)
        for difference in entity_differences(name, expected[name], named[name], export)
    ]

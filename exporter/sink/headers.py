"""The headers that neo4j-admin reads: one for each label and each pattern, derived from the model."""

from pathlib import Path

from exporter.errors import UsageError
from exporter.model.tables import node
from exporter.model.vocabulary import Entity, Node, Type
from exporter.sink.layout import entities


def columns(entity: Entity) -> list[tuple[str, Type]]:
    """The columns of an entity's data files with their types: first the key (`:ID` for a pair) or both ends."""
    if isinstance(entity, Node):
        key = [(prop.name, prop.type) for prop in entity.key_properties] or [(":ID", entity.key.type)]
        return key + [(prop.name, prop.type) for prop in entity.properties]
    ends = [(":START_ID", node(entity.start).key.type), (":END_ID", node(entity.end).key.type)]
    return ends + [(prop.name, prop.type) for prop in entity.properties]


def header(entity: Entity) -> str:
    """The header line, e.g. `id:ID(AuthUser){id-type:long},phone_number:string,…`."""
    if isinstance(entity, Node):
        key = entity.key_properties[0].name if entity.key_properties else ""
        # Each ID group of integers is declared as such: 5.26 rejects groups of strings under --id-type=integer.
        first = [f"{key}:ID({entity.label})" + ("{id-type:long}" if entity.key.type is Type.LONG else "")]
    else:
        first = [f":START_ID({entity.start})", f":END_ID({entity.end})"]
    rest = columns(entity)[len(first) :]
    return ",".join([*first, *(f"{prop}:{type}" for prop, type in rest)]) + "\n"


def headers() -> dict[str, str]:
    """The content of every header by its file name."""
    return {f"{entity.name}.csv": header(entity) for entity in entities()}


def write_headers(directory: Path) -> list[Path]:
    """Writes every header into a directory and returns their paths; removes headers of entities that are no longer in
    the model, and no other file. Raises `UsageError` if the directory cannot be written.
    """
    paths = [directory / file for file in headers()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for other in set(directory.glob("*.csv")) - set(paths):
            if is_header(other):
                other.unlink()
        for path, content in zip(paths, headers().values(), strict=True):
            path.write_bytes(content.encode())
    except OSError as error:
        raise UsageError(f"cannot write headers into {directory}: {error.strerror}") from None
    return paths


def compare_headers(directory: Path) -> list[str]:
    """How a directory's headers differ from the model's, one sentence each."""
    differences = []
    for file, content in headers().items():
        path = directory / file
        if not path.is_file():
            differences.append(f"{path}: missing")
        elif path.read_bytes() != content.encode():
            differences.append(f"{path}: differs from the model")
    extra = sorted(path for path in directory.glob("*.csv") if path.name not in headers())
    return differences + [
        f"{path}: {'not an entity of the model' if is_header(path) else 'not a header; move it elsewhere'}"
        for path in extra
    ]


def is_header(path: Path) -> bool:
    """Whether a file looks like a header of this program's, which it may remove."""
    with path.open("rb") as file:
        return b"ID(" in file.read(1000)

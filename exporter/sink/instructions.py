"""The instructions for Neo4j: `import.args` for the importer, `schema.cypher` for the server."""

from exporter.model.graph import INDEXES, NODES
from exporter.model.tables import ordered_relationships
from exporter.model.vocabulary import Entity
from exporter.sink.layout import header_file

# Measured (docs/import-tuning.md): Neo4j allocates several buffers for each file, which takes seconds at its default of
# 4 MB. A buffer too small for a line ends the import with exit code 70.
SMALLEST_BUFFER = 256 << 10


def import_arguments(files: dict[str, list[str]], *, multiline: bool, longest: int) -> str:
    """The content of `import.args`: one argument per line, paths relative to the export.

    `files` has the data files of each entity by its name. Measured: multiline fields make the import a quarter slower,
    so they are on only if some value holds a line break (`multiline`). `longest`, the bytes of the longest
    line, sizes the buffer.
    """
    buffer = SMALLEST_BUFFER
    while buffer < 2 * longest:
        buffer *= 2
    lines = ["--id-type=string", "--bad-tolerance=0", "--strict=true", f"--read-buffer-size={buffer >> 10}k"]
    if multiline:
        lines.append("--multiline-fields=true")
    lines += [f"--nodes={node.label}={input_files(node, files)}" for node in NODES]
    lines += [
        f"--relationships={relationship.type}={input_files(relationship, files)}"
        for relationship in ordered_relationships()
    ]
    return "\n".join(lines) + "\n"


def input_files(entity: Entity, files: dict[str, list[str]]) -> str:
    """An entity's header and data files, separated by commas as the importer takes them."""
    return ",".join([header_file(entity).as_posix(), *files[entity.name]])


def schema_cypher() -> str:
    """The content of `schema.cypher`: a uniqueness constraint on each label's key, and the indexes; safe to repeat."""
    lines = [
        f"CREATE CONSTRAINT {node.label}_{prop.name} IF NOT EXISTS"
        f" FOR (n:{node.label}) REQUIRE n.{prop.name} IS UNIQUE;"
        for node in NODES
        for prop in node.key_properties
    ]
    lines += [f"CREATE INDEX {label}_{prop} IF NOT EXISTS FOR (n:{label}) ON (n.{prop});" for label, prop in INDEXES]
    return "\n".join([*lines, "CALL db.awaitIndexes(3600);"]) + "\n"

"""The instructions for Neo4j: `import.args` for the importer, `schema.cypher` for the server."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from exporter.errors import SourceError
from exporter.model.graph import INDEXES, NODES
from exporter.model.tables import ordered_relationships
from exporter.model.vocabulary import Entity
from exporter.sink.layout import header_file
from exporter.sink.tally import Oversized, Tally

# Measured (docs/import-tuning.md): Neo4j allocates several buffers for each file, which takes seconds at its default of
# 4 MB. A buffer too small for a line ends the import with exit code 70. Beyond the largest, Java has no array for it.
SMALLEST_BUFFER, LARGE_BUFFER, LARGEST_BUFFER = 256 << 10, 4 << 20, 1023 << 20
NOTHING: Mapping[str, Mapping[str, Oversized]] = MappingProxyType({})


def import_arguments(files: dict[str, list[str]], *, multiline: bool, longest: int) -> str:
    """The content of `import.args`: one argument per line, paths relative to the export.

    `files` has the data files of each entity by its name. Measured: multiline fields make the import a quarter slower,
    so they are on only if some value holds a line break (`multiline`). `longest`, the bytes of the longest
    line, sizes the buffer.
    """
    buffer = read_buffer(longest) >> 10
    lines = ["--id-type=string", "--bad-tolerance=0", "--strict=true", f"--read-buffer-size={buffer}k"]
    if multiline:
        lines.append("--multiline-fields=true")
    lines += [f"--nodes={node.label}={input_files(node, files)}" for node in NODES]
    lines += [
        f"--relationships={relationship.type}={input_files(relationship, files)}"
        for relationship in ordered_relationships()
    ]
    return "\n".join(lines) + "\n"


def read_buffer(longest: int) -> int:
    """The bytes of a buffer for lines of up to `longest` bytes: it holds them twice, a large one only once, since an
    import needs memory for many of them."""
    buffer = SMALLEST_BUFFER
    while buffer < 2 * longest:
        buffer *= 2
    return buffer if buffer <= LARGE_BUFFER else ((longest >> 20) + 2) << 20


def longest_line(tallies: Mapping[str, Tally]) -> int:
    """The bytes of the longest line of all data files. Raises `SourceError` if it is too long for Neo4j's importer."""
    name = max(tallies, key=lambda entity: tallies[entity].longest)
    longest = tallies[name].longest
    if read_buffer(longest) > LARGEST_BUFFER:
        raise SourceError(
            f"a row of {name} is {longest >> 20:,} MB long, with its quotes doubled; Neo4j's importer takes "
            f"{(LARGEST_BUFFER >> 20) - 2:,} MB: shorten its texts, or map a view that does"
        )
    return longest


def input_files(entity: Entity, files: dict[str, list[str]]) -> str:
    """An entity's header and data files, separated by commas as the importer takes them."""
    return ",".join([header_file(entity).as_posix(), *files[entity.name]])


def schema_cypher(oversized: Mapping[str, Mapping[str, Oversized]] = NOTHING) -> str:
    """The content of `schema.cypher`: a uniqueness constraint on each label's key, and the indexes; safe to repeat.

    `oversized` has, by label and property, the texts that an index cannot hold: a comment line takes the place of the
    statement, which would fail.
    """
    lines = [
        without_oversized(statement, label, prop, oversized.get(label, {}).get(prop))
        for label, prop, statement in schema_statements()
    ]
    return "\n".join([*lines, "CALL db.awaitIndexes(3600);"]) + "\n"


def schema_statements() -> Iterator[tuple[str, str, str]]:
    """Label, property and statement of each constraint and index."""
    for node in NODES:
        for prop in node.key_properties:
            name, what = f"{node.label}_{prop.name}", f"FOR (n:{node.label}) REQUIRE n.{prop.name} IS UNIQUE"
            yield node.label, prop.name, f"CREATE CONSTRAINT {name} IF NOT EXISTS {what};"
    for label, name in INDEXES:
        yield label, name, f"CREATE INDEX {label}_{name} IF NOT EXISTS FOR (n:{label}) ON (n.{name});"


def without_oversized(statement: str, label: str, prop: str, found: Oversized | None) -> str:
    """A statement, or in its place the comment that says why it is left out."""
    return f"// No index on {label}.{prop}: {found.reason(label)}" if found else statement

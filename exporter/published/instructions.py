"""Whether what an export tells Neo4j is what its manifest and the model say: import.args, headers, schema.cypher.

SHA256SUMS alone does not tell: whoever changes a header can correct that, too.
"""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from exporter import DISTRIBUTION
from exporter.model.render import model_sha256
from exporter.sink.entries import EntityEntry, NodeEntry
from exporter.sink.headers import headers
from exporter.sink.instructions import schema_statements
from exporter.sink.layout import ARGUMENTS, HEADERS, MANIFEST, SCHEMA
from exporter.sink.manifest import Manifest

INPUTS = ("--nodes=", "--relationships=")
STRICT = {"--bad-tolerance=0", "--strict=true"}


def instruction_differences(export: Path, manifest: Manifest) -> Iterator[str]:
    """The differences, one sentence each. Headers and schema are only compared with what this version writes for this
    model."""
    yield from argument_differences(export, manifest)
    if (manifest.tool.version, manifest.model.sha256) == (version(DISTRIBUTION), model_sha256()):
        for file, content in headers().items():
            path = export / HEADERS / file
            if not path.is_file() or path.read_bytes() != content.encode():
                yield f"{HEADERS}/{file}: not the header that the model has"
        if schema_lines(export) != expected_schema(manifest):
            yield f"{SCHEMA}: not the constraints and indexes that the model has"


def argument_differences(export: Path, manifest: Manifest) -> Iterator[str]:
    """Whether an import reads each data file of the manifest, by the header of its entity, and skips nothing."""
    lines = (export / ARGUMENTS).read_text(encoding="utf-8", errors="replace").split("\n")
    inputs = sorted(line for line in lines if line.startswith(INPUTS))
    if inputs != sorted(input_argument(manifest, entry) for entry in manifest.entities):
        yield f"{ARGUMENTS}: its headers and data files are not those of {MANIFEST}"
    if not STRICT.issubset(lines):
        yield f"{ARGUMENTS}: without {' and '.join(sorted(STRICT.difference(lines)))}, an import would skip rows"


def input_argument(manifest: Manifest, entry: EntityEntry) -> str:
    """The argument that gives an entity's header and data files to the importer."""
    option = f"--nodes={entry.label}" if isinstance(entry, NodeEntry) else f"--relationships={entry.type}"
    files = [file.path for file in manifest.files if file.path.rpartition("/")[0] == entry.folder]
    return f"{option}={','.join([f'{HEADERS}/{entry.name}.csv', *files])}"


def schema_lines(export: Path) -> list[str]:
    """The statements of schema.cypher."""
    text = (export / SCHEMA).read_text(encoding="utf-8", errors="replace")
    return [line for line in text.split("\n") if line and not line.startswith("//")]


def expected_schema(manifest: Manifest) -> list[str]:
    """The statements that schema.cypher has, without those of the indexes that the manifest says are left out."""
    skipped = {(index.label, index.property) for index in manifest.skipped_indexes}
    statements = [statement for label, prop, statement in schema_statements() if (label, prop) not in skipped]
    return [*statements, "CALL db.awaitIndexes(3600);"]

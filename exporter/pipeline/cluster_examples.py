"""A few rejects for the report, which have cells of the source: in a cluster they stay in files of the census."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from exporter.pipeline.messages import Chunk, ChunkDone, EntityPart
from exporter.shape.examples import Example
from exporter.sink.layout import KEY_INDEX

EXAMPLES = Path(KEY_INDEX, "examples")


def put_away(directory: Path, chunk: Chunk, parts: Iterable[EntityPart]) -> tuple[EntityPart, ...]:
    """The parts of a chunk without their examples, which a file below a directory gets if there are some."""
    found = {part.name: [asdict(example) for example in part.examples] for part in parts if part.examples}
    if found:
        path = directory / file_of(chunk)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(found), encoding="utf-8")
    return tuple(replace(part, examples=()) for part in parts)


def with_examples(directory: Path, done: ChunkDone) -> ChunkDone:
    """The result of a chunk with its examples again."""
    path = directory / file_of(done.chunk)
    if not path.exists():
        return done
    found = json.loads(path.read_text(encoding="utf-8"))
    parts = (
        replace(part, examples=tuple(Example(**example) for example in found.get(part.name, ())))
        if part.tally.rejects
        else part
        for part in done.parts
    )
    return replace(done, parts=tuple(parts))


def file_of(chunk: Chunk) -> Path:
    """The file of a chunk's examples."""
    return EXAMPLES / f"{chunk.table}-{chunk.number}.json"

"""A program that publishes a small export again and again, each time in a process forked from it: the leader's part of
an export, without a source and workers, in some hundredths of a second.

`python -m tests.faults.publishing` reads lines on stdin, each an output directory and options, and answers each with a
line: a JSON list of the exit code (negative for a signal) and the sentence of an error.
"""

import json
import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from exporter import DISTRIBUTION
from exporter.errors import ExporterError
from exporter.model.render import model_sha256
from exporter.model.tables import node
from exporter.pipeline.attempts import Attempted
from exporter.sink import attempts
from exporter.sink.files import write_file
from exporter.sink.layout import entities
from exporter.sink.manifest import Model, Tool
from exporter.sink.publish import partial_export
from exporter.sink.tally import Tally, new_tallies
from tests.support.manifests import METADATA

UNEXPECTED = 99
LONGEST_SECONDS = 60
SKILLS = b'1,"Tarot",\n'


def publish(output: Path, *, archive: bool = False, keep_rejects: bool = False) -> None:
    """An export of a skill and a reject, which a worker wrote, as the leader makes it."""
    with partial_export(output) as partial:
        attempt = attempts.begin(partial.directory)
        data = write_file(attempt, Path(attempts.flat("nodes/Skill/part-0001.csv")), SKILLS, 1)
        rejects = write_file(attempt, Path(attempts.flat("rejects/nodes/Skill/part-0001.csv")), b"reason\nnull_id\n", 1)
        write_file(attempt, Path("key-index/keys"), b"secret")
        records = [attempts.unflat(record) for record in (data, rejects)]
        Attempted(None, attempt.name, attempts.written(attempt)).adopted(partial.directory)
        partial.flusher.add(records)
        files, rejected = records[:1], records[1:]
        skill = Tally(
            1, Counter(id=1, name=1), rejects=Counter(null_id=1), files=tuple(files), reject_files=tuple(rejected)
        )
        tallies = new_tallies() | {
            pattern.name: Tally(no_target=2) for pattern in entities() if pattern.table == node("Skill").table
        }
        if keep_rejects:
            partial.keep_rejects()
            return
        now = datetime.now(UTC)
        tool, model = Tool(DISTRIBUTION, version(DISTRIBUTION)), Model(model_sha256())
        metadata = replace(METADATA, tool=tool, model=model, started_at=now, finished_at=now)
        partial.complete(tallies | {"Skill": skill}, metadata, lambda manifest: f"{manifest.totals.nodes} nodes")
        if archive:
            partial.pack((), lambda: None)
        partial.publish()


def outcome(output: Path, options: dict[str, bool], answer: int) -> int:
    """The exit code of publishing; the sentence of its error goes to the descriptor `answer`."""
    try:
        publish(output, **options)
    except ExporterError as error:
        os.write(answer, str(error).encode())
        return error.exit_code
    except BaseException as error:
        os.write(answer, f"{type(error).__name__}: {error}".encode())
        return UNEXPECTED
    return 0


def forked(output: Path, options: dict[str, bool]) -> tuple[int, str]:
    """The exit code, or the negative number of a signal, and the sentence of an error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        signal.alarm(LONGEST_SECONDS)
        os._exit(outcome(output, options, writing))
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def main() -> None:
    """Answers line by line."""
    for line in sys.stdin:
        output, options = json.loads(line)
        print(json.dumps(forked(Path(output), options)), flush=True)


if __name__ == "__main__":
    main()

"""One run of a task in a worker: it writes to its own attempt, whose files the leader renames (sink/attempts.py)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, TypeVar

from exporter.pipeline.messages import Context
from exporter.pipeline.worker_errors import sanitized_errors
from exporter.sink import attempts
from exporter.sink.files import sync

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Attempted(Generic[Result]):
    """The result of a task, and the files that this run of it wrote: by the name of its attempt, and their paths in
    the export."""

    result: Result
    name: str
    paths: tuple[str, ...]

    def adopted(self, export: Path) -> Result:
        """The result, its files renamed into the partial export. Raises `OSError`."""
        attempts.adopt(export, self.name, self.paths)
        return self.result


def attempted(
    context: Context,
    task: Callable[Concatenate[Context, Path, Arguments], Result],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Attempted[Result]:
    """Runs a task, which writes below the directory that it is given. Its files are durable if the context asks for
    that. Raises as the task does, and `RunError` if the export is there no more."""
    with sanitized_errors("a task's files"):
        attempt = attempts.begin(context.directory)
    result = task(context, attempt, *args, **kwargs)
    with sanitized_errors("a task's files"):
        paths = attempts.written(attempt)
        for path in paths if context.flushes else ():
            sync(attempt / attempts.flat(path))
    return Attempted(result, attempt.name, paths)

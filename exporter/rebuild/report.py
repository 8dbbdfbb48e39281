"""What a rebuild reports: a log on stderr while it runs, and the result as one JSON object at the end."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from exporter.errors import DownError, ExporterError, GuardError, Interrupted, Stop, SwapError
from exporter.pipeline.timing import timed
from exporter.progress.log import log_dated, log_error, log_stderr, print_if_possible
from exporter.rebuild.store import Store
from exporter.settings import LogFormat
from exporter.sink.manifest import Manifest
from exporter.text import visible_json


class Action(StrEnum):
    """What the command does."""

    REBUILD = "rebuild"
    ROLLBACK = "rollback"
    REPAIR = "repair"


DONE = {Action.REBUILD: "swapped", Action.ROLLBACK: "rolled back", Action.REPAIR: "repaired"}
# What a repair with nothing to do ends with.
NOTHING = "nothing to repair"
FAILED = {GuardError: "refused", SwapError: "put back", DownError: "down", Interrupted: "stopped"}


def counts(manifest: Manifest) -> dict[str, int]:
    """What an export holds, by the names that the JSON object and the metrics have for it."""
    return {name: getattr(manifest.totals, name) for name in ("nodes", "relationships", "properties", "rejects")}


@dataclass(frozen=True, slots=True)
class Log:
    """Dated lines on stderr, as plain text or JSON objects."""

    format: LogFormat = LogFormat.PLAIN

    def write(self, text: str, level: str = "info") -> None:
        """Writes a line. `-q` leaves those of the level `error`."""
        plain = self.format is LogFormat.PLAIN
        if level == "error":
            log_error(text) if plain else print_if_possible(json_line(text, level), sys.stderr)
        elif plain:
            log_dated(text)
        else:
            log_stderr(json_line(text, level))

    def fail(self, text: str) -> None:
        """Writes why the rebuild failed; as plain text, like every command's error."""
        if self.format is LogFormat.PLAIN:
            log_error(f"exporter: {text}")
        else:
            print_if_possible(json_line(text, "error"), sys.stderr)


def json_line(text: str, level: str) -> str:
    """A line of the log as a JSON object."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return visible_json(json.dumps({"time": now, "level": level, "message": text}, ensure_ascii=False))


@dataclass(slots=True)
class RebuildReport:
    """What has happened so far. `seconds` are by step; `downtime`, in seconds, is from before the stop command to the
    first answer. `directory` is that of the export; `pushed` is where it was pushed to. `repaired` is set once
    something that a dead run left was put right."""

    action: Action
    log: Log = field(default_factory=Log)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: dict[str, float] = field(default_factory=dict)
    step_name: str | None = None
    export: str | None = None
    directory: Path | None = None
    counts: dict[str, int] = field(default_factory=dict)
    downtime: float | None = None
    live: Store | None = None
    previous: Store | None = None
    removed_stores: list[str] = field(default_factory=list)
    removed_exports: list[str] = field(default_factory=list)
    repaired: bool = False
    pushed: str | None = None
    result: str = ""
    exit_code: int = 0
    message: str | None = None

    def use(self, directory: Path, manifest: Manifest) -> None:
        """Records which export is used and what it holds."""
        self.directory, self.export, self.counts = directory, directory.name, counts(manifest)

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Logs the title of a step, and adds its seconds, even if it fails."""
        self.log.write(title)
        self.step_name = name
        with timed(self.seconds, name):
            yield
        self.step_name = None

    def succeed(self) -> None:
        self.result = NOTHING if self.action is Action.REPAIR and not self.repaired else DONE[self.action]

    def fail(self, error: BaseException) -> None:
        """Records why it failed; of an error that is not ours, only the type."""
        self.result = next((word for kind, word in FAILED.items() if isinstance(error, kind)), "failed")
        self.exit_code = error.exit_code if isinstance(error, ExporterError) else 1
        self.message = str(error) if isinstance(error, ExporterError) else f"unexpected {type(error).__name__}"

    def as_object(self) -> dict[str, Any]:
        """The object to print as one line of JSON."""
        return {
            "action": self.action,
            "result": self.result,
            "exit_code": self.exit_code,
            "message": self.message,
            "failed_step": self.step_name,
            "export": self.export,
            "counts": self.counts,
            "live_export": self.live.export if self.live else None,
            "previous_export": self.previous.export if self.previous else None,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "downtime_seconds": None if self.downtime is None else round(self.downtime, 3),
            "removed_stores": self.removed_stores,
            "removed_exports": self.removed_exports,
            "pushed": self.pushed,
        }


def one_line(error: BaseException) -> str:
    """An error's message on one line; of an error that is not ours, only the type."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return " ".join(str(error).split()) if isinstance(error, ExporterError | Stop) else type(error).__name__

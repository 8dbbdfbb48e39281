"""A run of the exporter that meets a fault."""

import os
import resource
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.ground import Ground
from tests.faults.leaks import Watch, watched
from tests.support.export_process import EXPORTER

EARLIER = "20260101T000000Z"


@dataclass(slots=True)
class Attempt:
    """A run of `exporter export` under a fault. Before it starts, an injection may change its URI, options, environment
    and `command`, the program that starts it; afterwards there is a `process`, of a session of its own. Whoever
    injects says by `injected` that the fault has happened; `at_end` is called when the process has ended, before what
    it left is looked for. `watch` has what others saw of it meanwhile, `log_size` the bytes that the server had logged
    before."""

    ground: Ground
    directory: Path
    uri: str
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    injected: threading.Event = field(default_factory=threading.Event)
    process: "subprocess.Popen[bytes] | None" = None
    watch: Watch = field(default_factory=Watch)
    log_size: int = 0
    at_end: list[Callable[[], object]] = field(default_factory=list)

    @property
    def output(self) -> Path:
        return self.directory / self.ground.output_name

    def prepare(self) -> None:
        """Makes the directories of the run: the output with an earlier export, an empty one to work in, and one for
        temporary files."""
        (self.output / EARLIER).mkdir(parents=True)
        (self.output / "latest").symlink_to(EARLIER)
        (self.directory / "work").mkdir()
        (self.directory / "tmp").mkdir()

    def run(self, deadline: float) -> int | None:
        """Runs the exporter to its end; returns its exit code, None if it had to be killed after `deadline` seconds.
        What it says is in `stdout` and `stderr` in the attempt's directory."""
        environment = {"TMPDIR": str(self.directory / "tmp"), "EXPORTER_SOURCE": self.uri}
        command = [*self.command, EXPORTER, "export", "--output", self.output, *self.ground.options, *self.options]
        self.log_size = log.stat().st_size if (log := self.ground.log) and log.is_file() else 0
        allow_core_files()
        with (self.directory / "stdout").open("wb") as out, (self.directory / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.directory / "work",
                env=os.environ | environment | self.ground.environment | self.environment,
                start_new_session=True,
            )
            self.started.set()
            with watched(self):
                try:
                    return self.process.wait(deadline)
                except subprocess.TimeoutExpired:
                    return None
                finally:
                    for end in self.at_end:
                        end()

    def text(self, name: str) -> str:
        """What the run wrote to `stdout` or `stderr`."""
        return (self.directory / name).read_text("utf-8", "replace")

    def last_line(self) -> bytes:
        """The last line of stdout."""
        return (self.directory / "stdout").read_bytes().rstrip(b"\n").rpartition(b"\n")[2]


def allow_core_files() -> None:
    """From now on, what is started here may leave core files, unless it sees to it that it does not."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

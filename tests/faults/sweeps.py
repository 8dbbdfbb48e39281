"""Sweeps: the n-th call of a kind fails while an export is published, for n from 1 until none is reached; and what each
left behind."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from exporter.published.verify import verify_files
from exporter.sink import layout
from exporter.sink.manifest import read_manifest
from tests.faults.nth_failure import KILL, Failure, Preloaded
from tests.support.export_process import contents

EARLIER = "20260101T000000Z"
# What a publication may end with: done, a directory that cannot be used, a failure on the way.
CODES = (0, 2, 4)


@dataclass
class Publisher:
    """The program of publishing.py, with the library preloaded, and the output directory that it publishes into."""

    process: subprocess.Popen[str]
    library: Preloaded
    output: Path
    options: dict[str, bool] = field(default_factory=dict)

    def publish(self, failure: Failure | None = None) -> tuple[int, str]:
        """The exit code and the sentence of one publication, in which a call fails."""
        assert self.process.stdin is not None and self.process.stdout is not None
        if failure:
            self.library.arm(self.output, failure)
        else:
            self.library.disarm()
        self.process.stdin.write(json.dumps([str(self.output), self.options]) + "\n")
        self.process.stdin.flush()
        code, text = json.loads(self.process.stdout.readline())
        return code, text

    def prepare(self) -> None:
        """Makes the output directory anew, with an earlier export."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.output)
        (self.output / EARLIER).mkdir(parents=True)
        (self.output / layout.LATEST).symlink_to(EARLIER)

    def complaint(self, failure: Failure) -> str:
        """What is wrong after a publication in which a call failed, and after the next one; empty if nothing is."""
        self.prepare()
        code, text = self.publish(failure)
        if not self.library.reached:
            return "" if code == 0 else f"ended with {code} without a fault: {text}"
        expected = (-9, *CODES) if failure.action == KILL else CODES
        if code not in expected or (code and code > 0 and (not text or "\n" in text)):
            return f"ended with {code}: {text}"
        if wrong := self.wrong(code, text=text):
            return f"{wrong} (it ended with {code}: {text})"
        if code == 0 and not self.partial():
            return ""
        again = self.publish()
        wrong = "" if again[0] == 0 else f"the next run ended with {again}"
        if wrong := wrong or self.wrong(0, 2 if code == 0 or failure.action == KILL else 1):
            return f"after the next run: {wrong} (the first ended with {code}: {text})"
        return f"the next run left {self.partial()}" if self.partial() else ""

    def partial(self) -> list[str]:
        """What is left of runs that did not remove it."""
        return [name for name in contents(self.output) if name.startswith(layout.PARTIAL)]

    def wrong(self, code: int, most: int = 1, text: str = "") -> str:
        """What is wrong in the output directory after an exit code, with at most so many new exports; empty if nothing
        is. After a process was killed, `latest` is old or new."""
        found = contents(self.output)
        new = [name for name in found if name[0] == "2" and name != EARLIER]
        exports = [name for name in new if (self.output / name).is_dir()]
        if self.options.get("keep_rejects"):
            kept = [name for name in found if name.startswith(layout.REJECTED)]
            return "" if (len(kept) >= 1 if code == 0 else not kept or code == -9) else f"there is {found}"
        if code == 4 and "cannot be taken back" in text:
            new = []
        if code > 0 and (new or found[layout.LATEST] != EARLIER):
            return f"there is {found}"
        if code == 0 and not (1 <= len(exports) <= most and found[layout.LATEST] in exports):
            return f"there is {found}"
        if len(exports) > most or found[layout.LATEST] not in (EARLIER, *exports):
            return f"there is {found}"
        for name in exports:
            if differences := verify_files(self.output / name):
                return f"{name} is not whole: {differences}"
            if read_manifest(self.output / name).totals.nodes != 1:
                return f"{name} is another export"
        return ""


@contextmanager
def publisher(library: Preloaded, output: Path, **options: bool) -> Iterator[Publisher]:
    """A running program that publishes."""
    import os

    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.publishing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | library.environment,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield Publisher(process, library, output, options)
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Swept:
    """What a sweep found: the calls that failed, and what was wrong after which."""

    faults: int = 0
    complaints: list[str] = field(default_factory=list)


def sweep(publisher: Publisher, kind: str, action: int, *, numbers: Iterable[int], sticky: bool = False) -> Swept:
    """Lets calls of these numbers fail, one in each publication, until one is not reached."""
    swept = Swept()
    for number in numbers:
        failure = Failure(kind, number, action, sticky)
        complaint = publisher.complaint(failure)
        where = publisher.library.where
        if complaint:
            swept.complaints.append(f"{failure} ({where}): {complaint}")
        if not where:
            break
        swept.faults += 1
    return swept

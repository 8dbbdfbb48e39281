"""`scripts/mutation.sh`: changes the exporter's code in one place after the other, and counts what the tests find."""

import argparse
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutation.mutants import TESTS, Mutant, chosen

ROOT = Path(__file__).resolve().parents[2]
# A change may make the code wait for ever; the tests of a module alone take less than a minute.
TIMEOUT_SECONDS = 600
KILLED, KILLED_BY_WHOLE, SURVIVED = "killed", "killed by whole exports", "survived"

_times = count(1)


class Tree:
    """A copy of the tree, in which modules are changed and tests run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in names.rstrip("\0").split("\0"):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name, follow_symlinks=False)
        # Tests start programs by their path in here.
        (directory / ".venv").symlink_to(ROOT / ".venv")

    def write(self, path: str, code: str) -> None:
        """Changes a module. Python knows its compiled one by the seconds of its time and its size."""
        file = self.directory / path
        file.write_text(code)
        moment = time.time() + next(_times)
        os.utime(file, (moment, moment))

    def passes(self, files: tuple[str, ...]) -> bool:
        """Whether these tests pass."""
        plugins = ["-p", "no:cacheprovider", "-p", "tests.mutation.judging"]
        command = [ROOT / ".venv/bin/python", "-m", "pytest", "-x", "-q", *plugins, *files]
        killers = self.directory.with_name("killers")  # of all trees
        environment = os.environ | {"PYTHONPATH": str(self.directory), "MUTATION_KILLERS": str(killers)}
        with subprocess.Popen(
            command,
            cwd=self.directory,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(TIMEOUT_SECONDS) == 0
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return False

    def judge(self, mutant: Mutant) -> str:
        """What becomes of a mutant."""
        try:
            self.write(mutant.path, mutant.code)
            own, whole = TESTS[mutant.path]
            if not self.passes(own):
                return KILLED
            return SURVIVED if self.passes(whole) else KILLED_BY_WHOLE
        finally:
            self.write(mutant.path, (ROOT / mutant.path).read_text())


def main() -> int:
    """Returns 0 if at least the asked share of the mutants is killed, else 1."""
    parser = argparse.ArgumentParser(prog="scripts/mutation.sh")
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side-by-side", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--share", type=int, default=85)
    parser.add_argument("--results", type=Path, default=Path("output/mutation.jsonl"))
    options = parser.parse_args()
    mutants = chosen(ROOT, options.n, options.seed)
    free: queue.SimpleQueue[Tree] = queue.SimpleQueue()
    writing = threading.Lock()
    counts: Counter[str] = Counter()

    def run(mutant: Mutant) -> None:
        tree = free.get()
        try:
            outcome = tree.judge(mutant)
        finally:
            free.put(tree)
        where = f"{mutant.path}:{mutant.position[0]}"
        line = {
            "where": where,
            "operator": mutant.operator,
            "difference": mutant.difference(ROOT),
            "outcome": outcome,
        }
        with writing:
            counts[outcome] += 1
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            if outcome == SURVIVED:
                print(f"{where}: {line['difference']} ({mutant.operator})", flush=True)

    with TemporaryDirectory(prefix="mutation-") as name, ThreadPoolExecutor(options.side_by_side) as threads:
        Path(name).chmod(0o755)  # some tests run programs as another user
        for number in range(options.side_by_side):
            tree = Tree(Path(name, str(number)))
            free.put(tree)
        tests = sorted({file for mutant in mutants for stage in TESTS[mutant.path] for file in stage})
        if not tree.passes(tuple(tests)):
            parser.error("the tests fail on the code as it is")
        list(threads.map(run, mutants))
    killed = counts.total() - counts[SURVIVED]
    print(f"{killed} of {counts.total()} killed, {counts[KILLED_BY_WHOLE]} of them by whole exports alone")
    return int(killed * 100 < options.share * counts.total())


if __name__ == "__main__":
    sys.exit(main())

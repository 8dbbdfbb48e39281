"""import.sh and verify.sh, also those inside an export: what is no plain file is refused before it is opened, and
nothing that they started outlives them, however they end."""

import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support import tiny_export
from tests.support.export_process import command_of, eventually

SCRIPTS = {name: tiny_export.SCRIPTS / name for name in ("import.sh", "verify.sh")}
FILES = (
    "headers/Customer.csv", "schema.cypher", "nodes/Customer/part-0001.csv", "SHA256SUMS", "manifest.json",
    "counts.tsv", "import.args",
)  # fmt: skip
# Never read to its end while a test runs.
ENDLESS_BYTES = 1 << 40


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, chdir(path.parent):
        listening.bind(path.name)


SPECIAL: dict[str, Callable[[Path], object]] = {
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a file": lambda path: path.symlink_to(path.with_name("elsewhere")),
    "a link to an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a socket": bind,
}


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """An environment with a Neo4j, whose programs say that they ran."""
    home = tmp_path / "neo4j"
    for name in ("bin", "lib", "conf", "data"):
        (home / name).mkdir(parents=True)
    (home / "lib" / "neo4j-2026.09.0.jar").touch()
    for name in ("neo4j-admin", "cypher-shell"):
        (home / "bin" / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (home / "bin" / name).chmod(0o755)
    (tmp_path / "tmp").mkdir()
    return os.environ | {"NEO4J_HOME": str(home), "TMPDIR": str(tmp_path / "tmp")}


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_what_is_no_plain_file(variables: dict[str, str], tmp_path: Path, script: str) -> None:
    """A sentence, whichever file it is in the place of; and nothing is left."""
    for number, (file, what) in enumerate(itertools.product(FILES, SPECIAL)):
        export = tiny_export.write(tmp_path / str(number))
        own = export / script if number % 2 else SCRIPTS[script]
        (export / file).rename(export.with_suffix(".away"))
        (export / file).with_name("elsewhere").write_bytes(export.with_suffix(".away").read_bytes())
        SPECIAL[what](export / file)
        done = subprocess.run(
            ["bash", own, export], env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        assert done.returncode in (1, 2), (file, what, done)
        assert f"{script}: " in done.stderr, (file, what, done)
        assert not any((tmp_path / "tmp").iterdir()) and not (tmp_path / "ran").exists(), (file, what)


def test_a_script_that_is_no_plain_file(variables: dict[str, str], tmp_path: Path) -> None:
    """Whoever runs an export's own script has chosen to; the other ones refuse it."""
    for what, make in SPECIAL.items():
        export = tiny_export.write(tmp_path / what.replace(" ", "-"))
        (export / "verify.sh").unlink()
        make(export / "verify.sh")
        command = ["bash", SCRIPTS["import.sh"], export]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
        assert (done.returncode, "    verify.sh\n" in done.stderr) == (1, True), (what, done)


@contextmanager
def computing(variables: dict[str, str], tmp_path: Path, script: str) -> Iterator[tuple[psutil.Popen, psutil.Process]]:
    """A script that computes the checksum of an endless file, and the program that does so for it."""
    export = tiny_export.write(tmp_path / "20261123T031500Z")
    with (export / "nodes/Customer/part-0001.csv").open("ab") as file:
        file.truncate(ENDLESS_BYTES)
    process = psutil.Popen(
        ["bash", SCRIPTS[script], export],
        env=variables,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell leaves alone a signal that was ignored when it started.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    found: list[psutil.Process] = []
    try:
        eventually(lambda: found.extend(programs(process)) or found, "the program that computes")
        yield process, found[0]
    finally:
        for left in (process, *found):
            if left.is_running():
                left.kill()
        process.wait()


def programs(process: psutil.Popen) -> list[psutil.Process]:
    """The programs that compute checksums for a script."""
    return [child for child in process.children(recursive=True) if command_of(child)[:1] in (["sha256sum"], ["shasum"])]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_checksum_program_stays(
    variables: dict[str, str], tmp_path: Path, script: str, stop: signal.Signals
) -> None:
    """When the script that started it is stopped, or killed."""
    with computing(variables, tmp_path, script) as (process, program):
        process.send_signal(stop)
        _, errors = process.communicate(timeout=60)
        eventually(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE, "its end")
    if stop is not signal.SIGKILL:
        assert (process.returncode, errors.endswith(f"{script}: interrupted\n".encode())) == (130, True), errors
        assert not any((tmp_path / "tmp").iterdir())

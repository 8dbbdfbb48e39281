"""scripts/environment.sh: what it installs, when, what it shows meanwhile, and what it says when it fails."""

import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

from tests.support.pages import ROOT

pytestmark = pytest.mark.slow

DEMO, ALL = "requirements-demo.lock", "requirements.lock"
SETUP = 'set -euo pipefail; . "$1/scripts/environment.sh"; LINE_SECONDS=${LINE:-600}; environment_setup "$1" "$2"'
FAILED = '. "$1/scripts/environment.sh"; environment_failed "$2"'

# Stands for the installer: it says what it was asked for, takes its time, and puts the command in place.
UV = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
    venv*) mkdir -p "${!#}/bin"; ln -sf "$(type -P true)" "${!#}/bin/python" ;;
    *--require-hashes*) sleep "${SLEEP:-0}"; [ -z "${FAIL:-}" ] || { echo "$FAIL"; exit 2; } ;;
    *) ln -sf "$(type -P true)" "$VIRTUAL_ENV/bin/exporter" ;;
esac
"""


def packages(lock: str) -> dict[str, str]:
    """Package -> its version and checksums."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {match[1]: match[2] for match in re.finditer(r"^([a-z0-9-]+)==((?:.*\\\n)*.*)", text, re.MULTILINE)}


def test_the_locks_name_the_same_versions() -> None:
    """What a demo needs is a part of everything, so that neither script undoes what the other has installed; it has no
    tool of developers."""
    demo, everything = packages(DEMO), packages(ALL)
    assert {name: everything.get(name) for name in demo} == demo
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {extra: {re.split(r"[><=\[]", line)[0] for line in lines} for extra, lines in extras.items()}
    assert names["demo"] | names["clone"] <= demo.keys()
    assert names["dev"] <= everything.keys() - demo.keys()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with locks of its own, and the installer on its PATH."""
    (tmp_path / "clone").mkdir()
    shutil.copytree(ROOT / "scripts", tmp_path / "clone/scripts")
    (tmp_path / "clone" / ALL).write_text("everything")
    (tmp_path / "clone" / DEMO).write_text("the demo")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/uv").write_text(UV)
    (tmp_path / "bin/uv").chmod(0o755)
    return tmp_path / "clone"


def environment(clone: Path, **variables: str) -> dict[str, str]:
    path = f"{clone.parent / 'bin'}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(clone.parent), "CALLS": str(clone.parent / "calls"), **variables}


def set_up(clone: Path, lock: str, **variables: str) -> tuple[int, str, list[str]]:
    """The exit code, what is printed, and the locks that are installed, by one set-up."""
    calls = clone.parent / "calls"
    calls.write_text("")
    command = ["bash", "-c", SETUP, "demo.sh", clone, lock]
    done = subprocess.run(command, env=environment(clone, **variables), capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr, re.findall(r"--require-hashes -r \S+/(\S+)", calls.read_text())


SAID = "Setting up .venv, once: about 246 MB of Python packages, 860 MB on the disk\n"


def test_what_is_there_is_not_installed_again(clone: Path) -> None:
    """The demo is content with everything, the tests not with the demo; a new lock is installed."""
    assert set_up(clone, DEMO) == (0, SAID, [DEMO])
    assert set_up(clone, DEMO) == (0, "", [])
    assert set_up(clone, ALL) == (0, "Updating .venv\n", [ALL])
    assert set_up(clone, DEMO) == (0, "", [])
    (clone / ALL).write_text("newer")
    assert set_up(clone, DEMO) == (0, "Updating .venv\n", [DEMO])


def test_the_demo_is_run_where_it_was_called(clone: Path, tmp_path: Path) -> None:
    """With its options, so that the paths that it takes and prints are those of the caller."""
    assert set_up(clone, DEMO) == (0, SAID, [DEMO])
    (clone / ".venv/bin/exporter").unlink()
    (clone / ".venv/bin/exporter").write_text('#!/bin/sh\necho "$PWD: $0 $*"\n')
    (clone / ".venv/bin/exporter").chmod(0o755)
    command = [clone / "scripts/demo.sh", "--scale", "2"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(clone), capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{tmp_path}: {clone}/.venv/bin/exporter demo --scale 2\n", "")


def test_a_log_gets_dated_lines(clone: Path) -> None:
    """While packages come, one every few seconds."""
    code, printed, _ = set_up(clone, DEMO, SLEEP="3", LINE="1")
    lines = printed.removeprefix(SAID).splitlines()
    assert (code, len(lines) > 0) == (0, True)
    assert {re.sub(r"\d+ s", "_ s", line.partition(" ")[2]) for line in lines} == {"Python packages, downloading · _ s"}


def test_what_failed_is_not_trusted(clone: Path) -> None:
    """Exit code 4, a sentence; the next time starts afresh."""
    assert set_up(clone, DEMO) == (0, SAID, [DEMO])
    assert set_up(clone, ALL, FAIL="error: No space left on device") == (
        4,
        "Updating .venv\n"
        "demo.sh: the Python packages could not be installed: the disk is full: make room, then run this again "
        f"(details: {clone}/.venv/install.log)\n",
        [ALL],
    )
    (clone / ".venv/broken").write_text("")
    assert set_up(clone, DEMO) == (0, SAID, [DEMO])
    assert not (clone / ".venv/broken").exists()


def test_an_interrupt_ends_the_installer(clone: Path) -> None:
    """With exit code 130, and nobody goes on in the background."""
    calls = clone.parent / "calls"
    with subprocess.Popen(
        ["bash", "-c", SETUP, "demo.sh", clone, DEMO],
        env=environment(clone, SLEEP="60"),
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as script:
        while not calls.exists() or "--require-hashes" not in calls.read_text():
            time.sleep(0.05)
        os.killpg(script.pid, signal.SIGTERM)
        script.communicate(timeout=30)
    assert script.returncode == 130
    assert (clone / ".venv/unfinished").exists()


CERTIFICATE = (
    "the certificate of index.example.org is not trusted: add the authority that signed it, such as your company's, to "
    "the system's certificates, or name a file with it in SSL_CERT_FILE"
)
# What pip 23 and uv write, shortened.
PIP_CERTIFICATE = """\
WARNING: Retrying after connection broken by 'SSLError(SSLCertVerificationError(1, 'certificate verify failed'))'
Could not fetch URL https://index.example.org/simple/jgo/: There was a problem confirming the ssl certificate
ERROR: No matching distribution found for jgo==3.2
"""
UV_CERTIFICATE = """\
error: Failed to fetch: https://index.example.org/simple/jgo/
  cause: invalid peer certificate: UnknownIssuer
"""
PIP_PROXY = """\
WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.')': /simple/jgo/
ERROR: No matching distribution found for jgo==3.2
"""
OTHER = "ERROR: jgo-3.2 has another hash\n"


@pytest.mark.parametrize(
    ("log", "shown", "sentence"),
    [
        (PIP_CERTIFICATE, "", CERTIFICATE),
        (UV_CERTIFICATE, "", CERTIFICATE),
        (PIP_PROXY, "", "the package index cannot be reached: check the network and, behind a proxy, HTTPS_PROXY"),
        (OTHER, OTHER, "see above: mend that"),
    ],
)
def test_a_failure_names_host_cause_and_remedy(log: str, shown: str, sentence: str, tmp_path: Path) -> None:
    """And where the installer's own words are, which are shown if nothing is known of them."""
    (tmp_path / "log").write_text(log)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", FAILED, "demo.sh", ROOT, tmp_path / "log"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (
        4,
        f"{shown}demo.sh: the Python packages could not be installed: {sentence}, then run this again "
        f"(details: {tmp_path}/log)\n",
    )

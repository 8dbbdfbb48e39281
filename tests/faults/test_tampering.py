"""Exports with which somebody tampered: refused by whatever reads them, and what changes nothing is whole.

`FAULTS_N` in the environment is how many of each kind of export are tried, `FAULTS_SEED` the first seed.
"""

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from exporter.errors import DifferenceError, ExporterError
from exporter.sink.archive import pack
from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from tests.faults.tampering import KINDS, exports_of, write_exports
from tests.faults.verdicts import REFUSED, TAMPERS, UNCORRECTED, complaint, judged, tampered
from tests.rebuild.test_run import STAMPS, Rebuild, run
from tests.support import tiny_export
from tests.support.commands import EXPORTER
from tests.support.installed_neo4j import launcher_home

pytestmark = pytest.mark.slow

N = int(os.environ.get("FAULTS_N", "100"))
SEED = int(os.environ.get("FAULTS_SEED", "1"))
__all__ = ["run"]  # a fixture


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exports of every kind."""
    directory = tmp_path_factory.mktemp("exports")
    write_exports(directory)
    return directory


@pytest.mark.parametrize("kind", KINDS)
def test_verify(made: Path, tmp_path: Path, kind: str) -> None:
    """A sentence for each, within seconds; never a traceback, and no control character of a name."""
    exports = exports_of(made, kind)
    assert judged(exports.export) == ""
    found = [complaint(exports, TAMPERS[seed % len(TAMPERS)], seed, tmp_path) for seed in range(SEED, SEED + N)]
    assert [text for text in found if text] == []
    assert len([text for text in found if text is not None]) > N / 2


def flips(archive: bytes, directory: Path, seed: int) -> str:
    """What is wrong with what is found out about an archive with a changed byte; empty if nothing is."""
    place = (seed * 7919) % len(archive)
    content = archive[:place] + bytes([archive[place] ^ (1 + seed % 255)]) + archive[place + 1 :]
    try:
        plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content), read_across_frames=True).read()
        if plain == zstandard.ZstdDecompressor().stream_reader(io.BytesIO(archive)).read():
            return ""
        with tarfile.open(fileobj=io.BytesIO(plain)) as opened:
            opened.extractall(directory, filter="data")
        found = [judged(path) for path in directory.iterdir()]
        return "" if found == ["refused"] else f"byte {place}: {found}"
    except (zstandard.ZstdError, tarfile.TarError):
        return ""
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test_an_archive(tmp_path: Path) -> None:
    """A changed byte does not unpack, or changes nothing, or is found in what was unpacked."""
    export = tiny_export.write(tmp_path / "20261123T031500Z")
    pack(export, tmp_path / "archive", top=export.name)
    archive = (tmp_path / "archive").read_bytes()
    found = [flips(archive, tmp_path / "unpacked", seed) for seed in range(SEED, SEED + N)]
    assert [text for text in found if text] == []


def test_import_sh(neo4j_home: Neo4jHome, made: Path, tmp_path: Path) -> None:
    """It refuses whatever its checksums tell before it imports anything, also what is no plain file."""
    home = replace(neo4j_home, home=launcher_home(neo4j_home, tmp_path))
    variables = environment(home, configure(tmp_path / "store"))
    exports = exports_of(made, "by hand")
    command = ["bash", str(tiny_export.SCRIPT)]
    for seed in range(SEED, SEED + max(len(UNCORRECTED), N // 8)):
        tamper = UNCORRECTED[seed % len(UNCORRECTED)]
        with tampered(exports, tamper, seed, tmp_path) as export:
            if export is None:
                continue
            done = subprocess.run(
                [*command, export], env=variables, capture_output=True, text=True, errors="replace", timeout=60
            )
        assert done.returncode in (1, 2), (tamper, seed, done)
        assert "import.sh: " in done.stderr, (tamper, seed, done.stderr)
    assert not any((tmp_path / "store" / "data").iterdir())


@pytest.mark.parametrize("subcommand", [["verify"], ["local", "--name", "tampered", "--from"]])
def test_commands(made: Path, tmp_path: Path, subcommand: list[str]) -> None:
    """The exit code of a difference, or of what is no export, and one sentence; no Neo4j is looked for."""
    exports = exports_of(made, "by hand")
    variables = os.environ | {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_STATE_HOME": str(tmp_path / "state")}
    for seed in range(SEED, SEED + max(6, N // 25)):
        tamper = REFUSED[seed % len(REFUSED)]
        with tampered(exports, tamper, seed, tmp_path) as export:
            if export is None:
                continue
            done = subprocess.run(
                [EXPORTER, *subcommand, export], env=variables, capture_output=True, text=True, timeout=60
            )
        assert done.returncode in (1, 2), (tamper, seed, done)
        assert "Traceback" not in done.stderr, (tamper, seed, done.stderr)


def test_a_rebuild(run: Rebuild, made: Path, tmp_path: Path) -> None:
    """It does not even begin to import, and the live store is as it was."""
    export = tmp_path / "output" / STAMPS[0]
    exports = exports_of(made, "by hand")
    data = tmp_path / "data"
    (data / "databases" / "store_lock").touch()  # a rebuild looks whether a Neo4j holds it
    live = sorted(data.rglob("*"))
    for seed in range(SEED, SEED + max(len(REFUSED), N // 4)):
        with tampered(exports, REFUSED[seed % len(REFUSED)], seed, tmp_path) as changed:
            if changed is None:
                continue
            shutil.rmtree(export)
            shutil.copytree(changed, export, symlinks=True, copy_function=copy_anything)
        with pytest.raises(ExporterError) as refused:
            run.rebuild(STAMPS[0], accept=True)
        assert isinstance(refused.value, DifferenceError) or "there is no export" in str(refused.value), seed
        assert sorted(data.rglob("*")) == live


def copy_anything(source: str, target: str) -> object:
    """A copy of a file, or a pipe in the place of what is none."""
    with contextlib.suppress(OSError):
        if Path(source).is_file():
            return shutil.copy2(source, target)
    return os.mkfifo(target)

"""A site where swaps are tried: a data directory of Neo4j with a live store, its exports, what is right afterwards."""

import hashlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from neo4j.exceptions import DriverError, Neo4jError

from exporter.rebuild.live import ping
from exporter.rebuild.store import StorePaths
from exporter.rebuild.stores import Stores, open_stores
from tests.faults import stand_in
from tests.faults.nth_failure import Preloaded
from tests.faults.swapping import Order, write_part
from tests.support import tiny_export
from tests.support.export_process import eventually
from tests.support.ports import closed_port

BEFORE, OLD, NEW = "20261121T031500Z", "20261122T031500Z", "20261123T031500Z"
CUSTOMERS = "nodes/Customer/part-0001.csv"
# What is done: a nightly rebuild, the first one over a store of somebody's own, the first one over nothing, a rollback.
KINDS = ("rebuild", "first", "nothing", "rollback")
PYTHON = shlex.join([sys.executable, "-I", "-S", str(Path(stand_in.__file__))])


@dataclass(frozen=True, slots=True)
class Site:
    """A directory with a Neo4j, its data, and exports; `port` is where it answers. If it is not `real`, another server
    stands in for it."""

    directory: Path
    port: int
    kind: str = "rebuild"
    real: bool = False

    @property
    def data(self) -> Path:
        return self.directory / "neo4j" / "data"

    @property
    def paths(self) -> StorePaths:
        return StorePaths(*stand_in.parts(self.data))

    @property
    def stores(self) -> Stores:
        return Stores(self.data / "rebuild", self.paths)

    @property
    def old(self) -> str:
        """The generation that is live before, and again after a failure."""
        return {"first": "somebody's", "nothing": "empty"}.get(self.kind, OLD)

    @property
    def new(self) -> str:
        """The generation that is to be live."""
        return BEFORE if self.kind == "rollback" else NEW

    @property
    def bolt(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def start_command(self) -> str:
        if self.real:
            return f"unset LD_PRELOAD; {shlex.quote(str(self.directory))}/neo4j/bin/neo4j start"
        return f"unset LD_PRELOAD; {PYTHON} start {shlex.quote(str(self.data))} {self.port} &"

    @property
    def stop_command(self) -> str:
        if self.real:
            return f"unset LD_PRELOAD; {shlex.quote(str(self.directory))}/neo4j/bin/neo4j stop"
        return f"unset LD_PRELOAD; {PYTHON} stop {shlex.quote(str(self.data))}"

    @property
    def order(self) -> Order:
        """What is tried here."""
        action = "rollback" if self.kind == "rollback" else "rebuild"
        export = NEW if action == "rebuild" else None
        timeout = 120 if self.real else 20
        return Order(str(self.directory), action, self.bolt, self.stop_command, self.start_command, export, timeout)

    @property
    def repair(self) -> Order:
        return replace(self.order, action="repair", export=None)

    def start(self) -> None:
        """Starts the server, and waits until it has opened the store."""
        given = {name: value for name, value in os.environ.items() if not name.startswith(("NEO4J_", "JAVA_HOME"))}
        home = str(self.directory / "neo4j")
        subprocess.run(
            ["/bin/sh", "-c", self.start_command],
            env=given | {"NEO4J_HOME": home},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        eventually(lambda: stand_in.holder(self.data) and self.listens(), "the server")

    def stop(self) -> None:
        stand_in.stop(self.data)

    def listens(self) -> bool:
        """Whether a server has opened its store, and takes connections."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True
        return False

    def runs(self) -> bool:
        """Whether a server runs."""
        return bool(stand_in.holder(self.data))

    def answers(self) -> bool:
        """Whether the server has a graph."""
        try:
            ping(self.bolt, stand_in.DATABASE, user=None, password=None)
        except (DriverError, Neo4jError):
            return False
        return self.runs()

    def text(self, name: str) -> str:
        return self.directory.with_name(name).read_text("utf-8", "replace")


def build(site: Site) -> None:
    """Makes a site with everything that was there before what is tried; its server does not run."""
    home = site.directory / "neo4j"
    for name in ("bin", "conf", "lib", "data/databases", "data/transactions"):
        (home / name).mkdir(parents=True)
    (home / "lib" / "neo4j-2026.09.0.jar").touch()
    (home / "bin" / "neo4j").touch()
    (home / "conf" / "neo4j.conf").touch()
    (site.data / "databases" / "store_lock").touch()
    (site.directory / "java" / "bin").mkdir(parents=True)
    (site.directory / "java" / "bin" / "java").touch()
    for stamp in (BEFORE, OLD, NEW):
        write_export(site.directory / "output" / stamp)
    (site.directory / "output" / "latest").symlink_to(OLD)
    if site.kind == "first":
        for part in site.paths.both:
            write_part(part, site.old)
    if site.kind in ("rebuild", "rollback"):
        with open_stores(site.data, site.paths) as stores:
            for stamp in (BEFORE, OLD):
                make_live(stores, site.directory / "output" / stamp)


def write_export(export: Path) -> Path:
    """An export that can be told from those of other days, also in Neo4j: by the country code of customer 7."""
    tiny_export.write(export)
    content = f'7,"+{export.name[6:8]}"\n8,\n'.encode()
    (export / CUSTOMERS).write_bytes(content)
    manifest = tiny_export.manifest(export)
    [record] = [file for file in manifest["files"] if file["path"] == CUSTOMERS]  # type: ignore[attr-defined]
    record["sha256"] = hashlib.sha256(content).hexdigest()
    tiny_export.write_manifest(export, manifest)
    return export


def make_live(stores: Stores, export: Path) -> None:
    """Makes the store of an export live, as a rebuild does."""
    stage = StorePaths(stores.root / "staged" / "database", stores.root / "staged" / "transactions")
    for part in stage.both:
        write_part(part, export.name)
    swap = stores.begin(stores.add(stage, export))
    stores.swap(swap)
    stores.commit(swap)
    stores.adopt(swap)
    stores.end()
    shutil.rmtree(stores.root / "staged")


@dataclass
class Swapping:
    """The program of swapping.py, with the library preloaded, and a site that is made anew for each order."""

    process: subprocess.Popen[str]
    library: Preloaded
    site: Site

    def carry_out(self, order: Order) -> int:
        """The exit code of an order, or the negative number of a signal."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(order.line)
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def prepare(self, kind: str) -> Site:
        """The site as it was before anything was tried; its server does not run."""
        self.site.stop()
        self.library.disarm()
        site, template = replace(self.site, kind=kind), self.site.directory.with_name(f"template-{kind}")
        if not template.exists():
            build(replace(site, directory=template))
        shutil.rmtree(site.directory, ignore_errors=True)
        shutil.copytree(template, site.directory, symlinks=True)
        return site


@contextmanager
def swapping(
    library: Preloaded, directory: Path, site: Site | None = None, environment: dict[str, str] | None = None
) -> Iterator[Swapping]:
    """A running program that swaps, at a site or a new one below a directory, with an environment of its own."""
    place = site or Site(directory / "site", closed_port())
    given = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.swapping"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=given | library.environment | {"JAVA_HOME": str(place.directory / "java")} | (environment or {}),
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            yield Swapping(process, library, place)
        finally:
            place.stop()
            assert process.stdin is not None
            process.stdin.close()

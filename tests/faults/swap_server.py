"""The suite of the swap on a real Neo4j of either version: some of the faults of swap.py, after which the server has to
answer with the graph that is live by what is on the disk, to the last count."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, product, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import neo4j

from exporter.rebuild.report import Action, RebuildReport
from exporter.rebuild.stage import build_store
from exporter.store.download import download
from exporter.store.provision import Neo4jHome, default_cache, provision
from exporter.store.verify import verify_bolt
from tests.conftest import NEO4J_5, find_java
from tests.faults import swap, swap_power
from tests.faults.frame import KILLED, Fault, Verdict
from tests.faults.ground import Ground
from tests.faults.nth_failure import KILL, Failure, compiled, preloaded
from tests.faults.power import Tree, write_tree
from tests.faults.records import Suite
from tests.faults.stand_in import DATABASE, WHOLE
from tests.faults.swap_site import BEFORE, NEW, OLD, Site, Swapping, build, swapping, write_export
from tests.faults.swap_verdicts import disk_at_rest, said_wrongly
from tests.faults.swapping import generation, generation_of, write_part
from tests.support.export_process import eventually
from tests.support.installed_neo4j import cypher_shell, installed
from tests.support.quick_java import with_archive

NAME = "swap_server"
CONFIGURATION = "dbms.security.auth_enabled=false\n"
SERVED = "MATCH (c:Customer {customer_id: 7}) RETURN c.country_code AS day"
PARTS = ("databases", "transactions")


@dataclass(slots=True)
class Real:
    """A real Neo4j with a program that swaps its stores, and another one whose server is stood in for, which records
    what swaps do."""

    version: str
    program: Swapping
    recording: Swapping
    calls: dict[str, int]

    @property
    def site(self) -> Site:
        return self.program.site

    def clear(self) -> None:
        """Stops the server, and removes what it and earlier faults left."""
        self.site.stop()
        self.program.library.disarm()
        for name in ("neo4j/data", "neo4j/run", "neo4j/logs", "output"):
            shutil.rmtree(self.site.directory / name, ignore_errors=True)
        (self.site.directory / "neo4j" / "run").mkdir()

    def take(self, tree: Path) -> None:
        """Makes the site what a site is whose server is stood in for, with real stores in the place of the others."""
        for name in ("neo4j/data", "output"):
            shutil.copytree(tree / name, self.site.directory / name, symlinks=True)
        for marker in list(self.site.data.rglob(WHOLE)):
            part, found = marker.parent, generation_of(marker.parent)
            kind = PARTS[1] if PARTS[1] in (part.name, part.parent.name) else PARTS[0]
            shutil.rmtree(part)
            shutil.copytree(self.site.directory / "prepared" / found / kind / DATABASE, part)


reals: dict[Path, list[Real]] = {}


def suite() -> Suite:
    return Suite(NAME, server_ground, faults)


@contextmanager
def server_ground() -> Iterator[Ground]:
    """A ground without a source: both versions of Neo4j."""
    with TemporaryDirectory(prefix="faults-") as name, ExitStack() as stack:
        directory = Path(name)
        reals[directory] = [stack.enter_context(real(home, directory)) for home in homes(directory)]
        yield Ground("", "", directory, {})


def homes(directory: Path) -> Iterator[Neo4jHome]:
    """Every version for which there is a Java."""
    cache = default_cache()
    found = [provision(cache, print)]
    if java := find_java({"17", "21"}):
        found.append(Neo4jHome(download(NEO4J_5, cache, print), java, NEO4J_5))
    for home in found:
        (directory / home.version / "java").mkdir(parents=True)
        yield with_archive(home, cache, directory / home.version / "java")


@contextmanager
def real(home: Neo4jHome, top: Path) -> Iterator[Real]:
    """A Neo4j with the stores of all exports prepared."""
    directory = top / home.version
    prepared = directory / "site" / "prepared"
    for stamp in (OLD, NEW):
        prepare_store(home, directory, prepared / stamp)
    shutil.copytree(prepared / OLD, prepared / BEFORE)
    for stamp, kind in product((BEFORE, OLD, NEW), PARTS):
        write_part(prepared / stamp / kind / DATABASE, stamp)
    (directory / "stood-in").mkdir()
    build(Site(directory / "template", 0))
    with (
        installed(directory / "site" / "neo4j", home, cypher_shell(default_cache())) as live,
        preloaded(compiled(directory), directory) as library,
        preloaded(compiled(directory), directory / "stood-in") as other,
        swapping(other, directory / "stood-in") as recording,
    ):
        with (live.home / "conf" / "neo4j.conf").open("a", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        site = Site(directory / "site", int(live.bolt_uri.rpartition(":")[2]), real=True)
        with swapping(library, directory, site, {"JAVA_HOME": str(home.java_home)}) as program:
            yield Real(home.version, program, recording, swap.counted(recording, "rebuild"))
            program.site.stop()


def prepare_store(home: Neo4jHome, directory: Path, prepared: Path) -> None:
    """Imports an export into a store."""
    stage = directory / "stage"
    stage.mkdir()
    export = write_export(directory / "exports" / prepared.name)
    build_store(stage, home, export, DATABASE, RebuildReport(Action.REBUILD))
    for kind in PARTS:
        (prepared / kind).mkdir(parents=True)
        (stage / "data" / kind / DATABASE).rename(prepared / kind / DATABASE)
    shutil.rmtree(stage)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Kills, what commands do, and power losses, of one version after the other."""
    chance = random.Random(seed)
    found = [list(faults_of(one, chance, seed)) for one in reals[ground.directory]]
    for name, run in filter(None, chain.from_iterable(zip_longest(*found))):
        yield Fault(NAME, name, seed, run)


def faults_of(one: Real, chance: random.Random, seed: int) -> Iterator[tuple[str, Callable[[Ground, Path], Verdict]]]:
    """Those of one version, of each kind in turn."""
    # Of the calls of a swap, these change what is there, or make it durable.
    kills = [Failure(kind, n, KILL) for kind in ("rename", "fsync") for n in range(1, one.calls[kind] + 1)]
    commands = list(swap.commands().items())
    trees = [
        (f"{what}, {place}", tree)
        for what in ("swap", "put back")
        for place, tree in swap_power.left_by(one.recording, recorder(one), "rebuild", what, seed, afterwards=False)[0]
        if whole(tree)
    ]
    for found in (kills, commands, trees):
        chance.shuffle(found)
    for kill, (name, change), (place, tree) in zip(kills, commands, trees, strict=False):
        started = chance.random() < 0.5
        for what, run in (
            (f"power loss {place}", partial(lost, tree=tree, started=started)),
            (str(kill), partial(killed, failure=kill)),
            (name, partial(commanded, change=change)),
        ):
            yield f"Neo4j {one.version}: {what}", swapped(one.version, run)


def recorder(one: Real) -> Path:
    """The library that records."""
    return compiled(one.recording.site.directory.parent, swap_power.SOURCE)


def whole(tree: Tree) -> bool:
    """Whether each directory of a store is there with all that Neo4j wrote, or not at all: what Neo4j makes of less is
    not its concern here."""
    markers = {path.rpartition("/")[0]: found for path, found in tree.items() if path.endswith(f"/{WHOLE}")}
    for folder, found in markers.items():
        records = tree.get(f"{folder}/files/records")
        if not isinstance(found, bytes) or records != found * 50 or found.decode() not in (BEFORE, OLD, NEW):
            return False
    return all(path.rpartition("/files/")[0] in markers for path in tree if "/files/" in path)


def swapped(version: str, run: Callable[[Real], str | None]) -> Callable[[Ground, Path], Verdict]:
    """The `run` of a fault of whichever ground's Neo4j of this version."""

    def on_ground(ground: Ground, _: Path) -> str | None:
        return run(next(one for one in reals[ground.directory] if one.version == version))

    return partial(swap.judged, on_ground)


def lost(one: Real, tree: Tree, started: bool) -> str:
    """The host loses power, and may start Neo4j when it is back."""
    one.clear()
    left = one.site.directory / "left"
    write_tree(tree, left)
    one.take(left)
    shutil.rmtree(left)
    if started:
        one.site.start()
    return repaired(one)


def begun(one: Real) -> Site:
    """The site before what is tried, with its server running."""
    one.clear()
    one.take(one.site.directory.parent / "template")
    one.site.start()
    eventually(one.site.answers, "the graph of before", 300)
    return one.site


def killed(one: Real, failure: Failure) -> str | None:
    """The run is killed at a call."""
    site = begun(one)
    one.program.library.arm(site.directory, failure)
    code = one.program.carry_out(site.order)
    reached = one.program.library.reached
    one.program.library.disarm()
    return (said_wrongly(site, code, (0, KILLED)) or repaired(one)) if reached else None


def commanded(one: Real, change: tuple[str, str]) -> str:
    """A stop or start command disturbs the run that has begun it."""
    site = begun(one)
    code = one.program.carry_out(swap.disturbed(site, change))
    return said_wrongly(site, code, (0, 7, 130, KILLED)) or repaired(one)


def repaired(one: Real) -> str:
    """What is wrong after the next repair: the server answers with the graph that is live by what is on the disk."""
    site = one.site
    if wrong := said_wrongly(site, one.program.carry_out(site.repair), (0,)):
        return f"the repair: {wrong}"
    if not site.runs():
        site.start()  # as the host does; there was no swap to be repaired
    live = generation(site.data)
    if wrong := disk_at_rest(site):
        return wrong
    eventually(site.answers, f"the graph of {live}", 300)
    with neo4j.GraphDatabase.driver(site.bolt) as driver:
        [record] = driver.execute_query(SERVED, database_=DATABASE).records
    if record["day"] != f"+{live[6:8]}":
        return f"live is {live}, and the server answers with the graph of {record['day']}"
    return "; ".join(verify_bolt(site.directory / "output" / live, site.bolt, database=DATABASE))

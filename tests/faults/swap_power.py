"""Power losses in a swap: every different disk that one may leave of a rebuild, a rollback, a failed swap whose old
store is put back, and the repair of a swap that was killed; before the next `--repair`, Neo4j may have been started
with the host."""

import itertools
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.faults.frame import KILLED
from tests.faults.nth_failure import KILL, Failure, compiled
from tests.faults.power import Tree, load, trees, write_tree
from tests.faults.swap_site import Site, Swapping, swapping
from tests.faults.swap_verdicts import after_repair
from tests.faults.swapping import Order

SOURCE = Path(__file__).with_name("recorder.c")
# Of the disks of a moment before or after the swap, so many are tried.
OUTSIDE = 40
# The first and the last calls of a swap.
OF_A_SWAP = re.compile(r"^mkdir\t.*/stores/\.partial-|/rebuild/(swap|committed)\.json\t")
# More calls than a run makes.
MOST_CALLS = 1_000
# The kind of a site, and what is done there while it is recorded.
RECORDED = (
    ("rebuild", "swap"), ("first", "swap"), ("nothing", "swap"), ("rollback", "swap"),
    ("rebuild", "put back"), ("first", "put back"), ("rollback", "put back"),
    ("rebuild", "repair"), ("first", "repair"), ("nothing", "repair"), ("rollback", "repair"),
)  # fmt: skip

# Has a power loss happen at a program's site, and says what is wrong afterwards.
Loss = Callable[[Swapping], str]


def losses(program: Swapping, seed: int) -> Iterator[tuple[str, Loss]]:
    """Every disk that a power loss may leave in a swap, and a choice of those before and after it, each with and
    without a Neo4j that starts with the host; from records of this program, for whichever."""
    library = compiled(program.site.directory.parent, SOURCE)
    for kind, what in RECORDED:
        inside, outside = left_by(program, library, kind, what, seed)
        chosen = random.Random(seed).sample(outside, min(OUTSIDE, len(outside)))
        for (place, tree), started in itertools.product(inside + chosen, (False, True)):
            name = f"{kind}, {what}: power loss {place}{', Neo4j starts' * started}"
            yield name, partial(repaired, kind=kind, tree=tree, started=started)


def left_by(
    program: Swapping, library: Path, kind: str, what: str, seed: int, *, afterwards: bool = True
) -> tuple[list[tuple[str, Tree]], list[tuple[str, Tree]]]:
    """The disks that a power loss may leave from when a store comes from the stage until the end of its swap, and those
    of other moments, also `afterwards`; of a repair, those of all its moments, and no others."""
    killed = killed_at(program, kind, seed) if what == "repair" else None
    site = program.prepare(kind)
    root = load(site.directory)
    record, before = recorded(program, library, site, what, killed)
    calls = [number for number, line in enumerate(record, 1) if OF_A_SWAP.search(line)]
    first, last = (before, len(record)) if killed else (calls[0], calls[-1] + 1)
    if not afterwards:
        record = record[:last]
    found: tuple[list[tuple[str, Tree]], list[tuple[str, Tree]]] = ([], [])
    for number, place, tree in trees(site.directory, root, record, seed):
        if first <= number <= last:
            found[0].append((place, tree))
        elif not killed:
            found[1].append((place, tree))
    return found


def killed_at(program: Swapping, kind: str, seed: int) -> Failure:
    """A random one of the calls at which a run that is killed leaves a swap under way."""
    chance = random.Random(f"{seed} {kind}")
    while True:
        failure = Failure("any", chance.randint(1, MOST_CALLS), KILL)
        site = program.prepare(kind)
        if kind != "nothing":
            site.start()
        program.library.arm(site.directory, failure)
        code = program.carry_out(site.order)
        program.library.disarm()
        if code == KILLED and site.stores.under_way() is not None:
            return failure


def recorded(program: Swapping, library: Path, site: Site, what: str, killed: Failure | None) -> tuple[list[str], int]:
    """The record of a run, and how much of it was there before: a repair is that of a run that was `killed`."""
    file = program.site.directory.parent / "record"
    file.unlink(missing_ok=True)
    preload = f"{library} {program.library.environment['LD_PRELOAD']}"
    environment = {"LD_PRELOAD": preload, "FAULT_RECORD": str(file), "FAULT_BELOW": str(site.directory)}
    order = {"swap": site.order, "put back": failing_start(site), "repair": site.repair}[what]
    before = 0
    if site.kind != "nothing":
        site.start()
    with swapping(program.library, program.site.directory.parent, site, environment) as recording:
        if killed:
            program.library.arm(site.directory, killed)
            assert recording.carry_out(site.order) == KILLED
            program.library.disarm()
            before = len(file.read_text("utf-8").splitlines())
        code = recording.carry_out(order)
    assert code == (7 if what == "put back" else 0), site.text("stderr")
    return file.read_text("utf-8").splitlines(), before


def failing_start(site: Site) -> Order:
    """An order whose first start fails."""
    once = site.directory.parent / "once"
    shutil.rmtree(once, ignore_errors=True)
    return replace(site.order, start=f"unset LD_PRELOAD; if mkdir {once}; then exit 3; fi; {site.start_command}")


def repaired(program: Swapping, *, kind: str, tree: Tree, started: bool) -> str:
    """What is wrong after the repair of a disk that a power loss left; with `started`, a Neo4j was started with the
    host."""
    site = program.prepare(kind)
    shutil.rmtree(site.directory)
    write_tree(tree, site.directory)
    swapped = site.stores.under_way() is not None
    if started:
        site.start()
    return after_repair(site, program.carry_out(site.repair), served=swapped or started)

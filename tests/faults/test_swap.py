"""The swap of the live graph, killed, interrupted, failing, and after a power loss: a few of each kind, seeded;
`scripts/faults.sh --suite swap` has all of them, `--suite swap_server` some with a real Neo4j."""

import random
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.faults import swap
from tests.faults.frame import RIGHT
from tests.faults.ground import Ground
from tests.faults.nth_failure import KILL, compiled, compiler
from tests.faults.power import Data, Disk, Tree, load, trees, write_tree
from tests.faults.swap_power import SOURCE, left_by, repaired
from tests.faults.swap_site import KINDS, NEW, Swapping
from tests.faults.swap_verdicts import at_rest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not compiler(), reason="there is no C compiler for the library that makes calls fail"),
]

SEED = 1


@pytest.fixture(scope="module")
def program() -> Iterator[Swapping]:
    """A program that swaps."""
    with swap.swap_ground() as ground:
        yield swap.programs[ground.directory]


def test_calls_and_commands(program: Swapping) -> None:
    """The next repair brings back a graph that answers, the old or the new one, whole."""
    directory = program.site.directory.parent
    ground = Ground("", "", directory, {})
    chance = random.Random(SEED)
    for kind in chance.sample(KINDS, 2):
        found = list(swap.failures(program, kind))
        chosen = [chance.choice(found), chance.choice([failure for failure in found if failure.action == KILL])]
        verdicts = {str(failure): swap.failing(kind, failure, ground, directory) for failure in chosen}
        name, change = chance.choice(list(swap.commands().items()))
        verdicts[name] = swap.commanded(kind, change, name, ground, directory)
        assert {name: verdict for name, verdict in verdicts.items() if verdict.outcome not in RIGHT} == {}, kind


@pytest.mark.parametrize(("what", "seed", "tried"), [("swap", 1, 4), ("repair", 2, 2)])
def test_power_losses(program: Swapping, what: str, seed: int, tried: int) -> None:
    """Whatever of a swap, or of the repair of one that was killed, was not durable yet is lost, or any part of it."""
    library = compiled(program.site.directory.parent, SOURCE)
    inside, _ = left_by(program, library, "rebuild", what, seed, afterwards=False)
    assert len(inside) > 50
    for (place, tree), started in product(random.Random(seed).sample(inside, tried), (False, True)):
        assert repaired(program, kind="rebuild", tree=tree, started=started) == "", (place, started)


@pytest.mark.parametrize("damage", ["database", "transactions", "stores", "latest", "swap.json"])
def test_what_is_not_right(program: Swapping, damage: str) -> None:
    """A mixture of two stores, one that is gone, a link that was forgotten: the verdict finds it."""
    site = program.prepare("rebuild")
    site.start()
    assert at_rest(site) == ""
    paths = {"database": site.paths.database, "transactions": site.paths.transactions}
    if damage in paths:
        shutil.rmtree(paths[damage])
        (paths[damage] / "files").mkdir(parents=True)
        for name, content in (("whole", NEW), ("files/records", NEW * 50)):
            (paths[damage] / name).write_text(content)
    elif damage == "stores":
        shutil.rmtree(site.stores.kept()[0].paths.transactions / "files")
    elif damage == "latest":
        (site.directory / "output" / "latest").unlink()
        (site.directory / "output" / "latest").symlink_to(NEW)
    else:
        (site.stores.root / "swap.json").touch()
    assert at_rest(site) != ""
    site.stop()
    assert at_rest(site).startswith("no graph answers")


# The model of a disk --------------------------------------------------------------------------------------------------


def after(tmp_path: Path, *calls: tuple[str, str, str]) -> list[Tree]:
    """What a power loss may leave after these calls in a directory with a file `a`, without the root itself."""
    top = tmp_path / "disk"
    if not top.exists():
        (top / "from").mkdir(parents=True)
        (top / "to").mkdir()
        (top / "from" / "a").write_bytes(b"1234")
    lines = [f"{kind}\t{top}/{path}\t{more.replace('TOP', str(top)).encode().hex()}" for kind, path, more in calls]
    disk = Disk(top, load(top))
    for line in lines:
        kind, path, more = line.split("\t")
        disk.done(kind, path, bytes.fromhex(more))
    found: list[Tree] = []
    for chosen, data in product(disk.choices(random.Random(SEED)), Data):
        tree = disk.tree(chosen, data)
        if tree not in found:
            found.append(tree)
    assert all(tree in [left for _, _, left in trees(top, load(top), lines, SEED)] for tree in found)
    return found


def names(tree: Tree) -> set[str]:
    return {path for path, found in tree.items() if found is not None}


def test_a_rename_is_there_or_not(tmp_path: Path) -> None:
    """In both directories at once; once one of them is durable, it is."""
    moved = ("rename", "from/a", "TOP/to/a")
    assert [names(tree) for tree in after(tmp_path, moved)] == [{"/from/a"}, {"/to/a"}]
    assert [names(tree) for tree in after(tmp_path, moved, ("sync", "to", ""))] == [{"/to/a"}]


def test_a_directory_that_is_durable_may_still_be_nowhere(tmp_path: Path) -> None:
    """What was moved into it is lost with it, unless the directory that it is in is durable, too."""
    calls = [("mkdir", "to/new", ""), ("rename", "from/a", "TOP/to/new/a"), ("sync", "to/new", "")]
    assert [names(tree) for tree in after(tmp_path, *calls)] == [set(), {"/to/new/a"}]
    assert [names(tree) for tree in after(tmp_path, *calls, ("sync", "to", ""))] == [{"/to/new/a"}]


def test_what_was_written_may_be_missing(tmp_path: Path) -> None:
    """All of it or half, and its name, until the file and its directory are durable."""
    calls = [("create", "to/b", ""), ("write", "to/b", "12345678")]
    there = [tree.get("/to/b") for tree in after(tmp_path, *calls)]
    assert there == [None, b"12345678", b"1234", b""]
    assert [tree.get("/to/b") for tree in after(tmp_path, *calls, ("sync", "to/b", ""))] == [None, b"12345678"]
    synced = [("sync", "to/b", ""), ("sync", "to", "")]
    assert [tree.get("/to/b") for tree in after(tmp_path, *calls, *synced)] == [b"12345678"]


def test_changes_of_one_directory_keep_their_order(tmp_path: Path) -> None:
    """A later one is not there without an earlier one."""
    calls = [("create", "to/b", ""), ("create", "to/c", ""), ("unlink", "from/a", "")]
    found = [names(tree) & {"/to/b", "/to/c", "/from/a"} for tree in after(tmp_path, *calls)]
    assert {"/to/c", "/from/a"} not in found and {"/to/c"} not in found
    assert len(found) == 6


def test_a_tree_is_written(tmp_path: Path) -> None:
    """With its links."""
    (tmp_path / "one" / "folder").mkdir(parents=True)
    (tmp_path / "one" / "folder" / "file").write_bytes(b"1")
    (tmp_path / "one" / "link").symlink_to("folder")
    disk = Disk(tmp_path / "one", load(tmp_path / "one"))
    write_tree(disk.tree((), Data.ALL), tmp_path / "two")
    assert (tmp_path / "two" / "link" / "file").read_bytes() == b"1"

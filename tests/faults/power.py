"""What a disk may hold after a power loss: made of a record of every call that changed it (recorder.c).

The model is weaker than any journaling file system, and allows all that POSIX does:

- what was changed in a directory since that was last made durable is there in part: any changes of which all earlier
  ones of the same directories are there, too. A rename is one change, of both its directories;
- a directory made durable need not be there itself, unless the one that it is in was made durable;
- of a file that was not made durable since it was written, everything is there, the first half, or nothing.
"""

import itertools
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

# More states of one moment than these are not tried, but a choice of them.
MOST = 48
# Of more changes than these, not every choice is looked at.
LONGEST = 8


class Data(StrEnum):
    """What is there of files that were not made durable."""

    ALL = "all data"
    HALF = "half the data"
    NONE = "no data"


@dataclass(eq=False, slots=True)
class Node:
    """A directory, with its `entries`; or a link, or a file, with its bytes and those of them that are `durable`."""

    entries: "dict[str, Node] | None" = None
    target: str | None = None
    content: bytes = b""
    durable: bytes = b""

    def left(self, data: Data) -> bytes:
        """The bytes after a power loss."""
        if self.content == self.durable or data is Data.ALL:
            return self.content
        return self.durable if data is Data.NONE else self.content[: len(self.content) // 2]


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """What one call changed: in which directories which names lead to what, or no longer to anything."""

    edits: tuple[tuple[Node, str, Node | None], ...]

    @property
    def directories(self) -> set[int]:
        return {id(directory) for directory, _, _ in self.edits}


Entries = dict[int, dict[str, Node]]
# Of every path, the bytes of a file, the target of a link, or None for a directory.
Tree = dict[str, bytes | str | None]


def load(directory: Path) -> Node:
    """A directory as it is on the disk, all of it durable."""
    entries = {}
    for path in directory.iterdir():
        if path.is_symlink():
            entries[path.name] = Node(target=str(path.readlink()))
        elif path.is_dir():
            entries[path.name] = load(path)
        else:
            content = path.read_bytes()
            entries[path.name] = Node(content=content, durable=content)
    return Node(entries)


@dataclass
class Disk:
    """A disk while a recorded run changes it. `root` is as the run sees it; `there` has the entries of directories that
    would be there in any case, `pending` the changes that would not, `unwritten` the files of which that is so."""

    directory: Path
    root: Node
    there: Entries = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)
    unwritten: set[Node] = field(default_factory=set)

    def __post_init__(self) -> None:
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if node.entries is not None:
                self.there[id(node)] = dict(node.entries)
                waiting += node.entries.values()

    def find(self, path: str) -> Node | None:
        """What is at a path now."""
        node: Node | None = self.root
        for name in Path(path).relative_to(self.directory).parts:
            node = node.entries.get(name) if node and node.entries is not None else None
        return node

    def folder(self, path: str) -> Node:
        """The directory that a path is in."""
        found = self.find(str(Path(path).parent))
        assert found is not None and found.entries is not None, path
        return found

    def change(self, *edits: tuple[str, Node | None]) -> None:
        """Makes paths lead to something else, or to nothing, in one call."""
        change = Change(tuple((self.folder(path), Path(path).name, node) for path, node in edits))
        self.pending.append(change)
        apply(change, None)

    def done(self, kind: str, path: str, more: bytes) -> None:
        """Follows a call of the record."""
        node = self.find(path)
        if kind == "create" and node is None:
            self.change((path, Node()))
        elif kind == "mkdir":
            made = Node({})
            self.there[id(made)] = {}
            self.change((path, made))
        elif kind == "link":
            self.change((path, Node(target=more.decode())))
        elif kind == "unlink":
            self.change((path, None))
        elif kind == "rename":
            self.change((path, None), (more.decode(), node))
        elif kind == "empty" and node:
            node.content = b""
            self.unwritten.add(node)
        elif kind == "write" and node:
            node.content += more
            self.unwritten.add(node)
        elif kind == "sync" and node:
            self.sync(node)

    def sync(self, node: Node) -> None:
        """Makes a file's bytes, or a directory's entries, durable; with these, what they depend on."""
        node.durable = node.content
        self.unwritten.discard(node)
        needed, kept = {id(node)}, []
        for change in reversed(self.pending):
            if change.directories & needed:
                needed |= change.directories
            else:
                kept.append(change)
        for change in self.pending:
            if change not in kept:
                apply(change, self.there)
        self.pending = kept[::-1]

    def choices(self, chance: random.Random) -> list[tuple[Change, ...]]:
        """Which of the pending changes may be there: none, all, all up to each, and whatever else is possible."""
        prefixes = [tuple(self.pending[:number]) for number in range(len(self.pending) + 1)]
        if len(self.pending) > LONGEST:
            return prefixes + [self.some(chance) for _ in range(MOST)]
        subsets = itertools.product((False, True), repeat=len(self.pending))
        others = [tuple(itertools.compress(self.pending, chosen)) for chosen in subsets]
        possible = [chosen for chosen in others if chosen == self.possible(chosen)]
        return prefixes + (possible if len(possible) <= MOST else chance.sample(possible, MOST))

    def some(self, chance: random.Random) -> tuple[Change, ...]:
        """Some of the pending changes that may be there alone."""
        share = chance.choice((0.5, 0.8, 0.95))
        return self.possible([change for change in self.pending if chance.random() < share])

    def possible(self, chosen: Collection[Change]) -> tuple[Change, ...]:
        """Those of these changes that may be there alone: no earlier one of their directories is missing."""
        missing: set[int] = set()
        found = []
        for change in self.pending:
            if change in chosen and not change.directories & missing:
                found.append(change)
            else:
                missing |= change.directories
        return tuple(found)

    def tree(self, chosen: tuple[Change, ...], data: Data) -> Tree:
        """What is there after a power loss, with these of the pending changes."""
        entries = {key: dict(found) for key, found in self.there.items()}
        for change in chosen:
            apply(change, entries)
        found: Tree = {}
        waiting = [("", self.root)]
        while waiting:
            path, node = waiting.pop()
            found[path] = node.left(data) if node.entries is None else None
            if node.target is not None:
                found[path] = node.target
            if node.entries is not None:
                waiting += [(f"{path}/{name}", below) for name, below in entries[id(node)].items()]
        return found


def apply(change: Change, entries: Entries | None) -> None:
    """Makes a change in these entries of directories, or in those that a run sees."""
    for directory, name, node in change.edits:
        assert directory.entries is not None
        names = directory.entries if entries is None else entries[id(directory)]
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def trees(directory: Path, root: Node, record: Sequence[str], seed: int) -> Iterator[tuple[int, str, Tree]]:
    """Every different tree that a power loss may leave of a directory at a moment of a recorded run, each with the
    number of calls so far, and what is there of the pending changes and of the data."""
    disk, chance, seen = Disk(directory, root), random.Random(seed), set()
    for number, line in enumerate(["", *record]):
        if line:
            kind, path, more = line.split("\t")
            disk.done(kind, path, bytes.fromhex(more))
        for chosen, data in itertools.product(disk.choices(chance), Data if disk.unwritten else [Data.ALL]):
            tree = disk.tree(chosen, data)
            key = hash(frozenset(tree.items()))
            if key not in seen:
                seen.add(key)
                yield number, f"after call {number}, {len(chosen)} of {len(disk.pending)} changes, {data}", tree


def write_tree(tree: Tree, directory: Path) -> None:
    """Makes a new directory as a tree has it."""
    for path in sorted(tree):
        place, found = directory / path.lstrip("/"), tree[path]
        if found is None:
            place.mkdir()
        elif isinstance(found, str):
            place.symlink_to(found)
        else:
            place.write_bytes(found)

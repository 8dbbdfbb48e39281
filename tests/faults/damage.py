"""Tampering with a finished export by somebody who leaves its checksums alone, and what changes nothing."""

import os
import random
import shutil
import socket
import stat
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from tests.support import tiny_export

# What may stand beside an export's files.
NAMES = ("extra.csv", ".hidden", "a b", "ünï\u0301", "x\x1b[2J", "nodes", "-rf", "part-0001.csv ", "manifest.json.bak")


@dataclass(frozen=True)
class Exports:
    """The export to tamper with, and another one whose files may get into it."""

    export: Path
    other: Path

    def files(self, below: str = "") -> list[Path]:
        """Its files, sorted."""
        return sorted(path for path in (self.export / below).rglob("*") if path.is_file())

    def directories(self) -> list[Path]:
        """Its directories, sorted."""
        return sorted(path for path in self.export.rglob("*") if path.is_dir())

    def sums(self) -> None:
        """Corrects its checksums."""
        tiny_export.write_checksums(self.export)


# What is done: it changes something, or returns False where it cannot here.
Tamper = Callable[[Exports, random.Random], object]


def flip(exports: Exports, chance: random.Random, below: str = "") -> object:
    path = chance.choice([path for path in exports.files(below) if path.stat().st_size])
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    return path.write_bytes(content)


def cut(exports: Exports, chance: random.Random, below: str = "") -> object:
    path = chance.choice([path for path in exports.files(below) if path.stat().st_size])
    return os.truncate(path, chance.randrange(path.stat().st_size))


def lengthen(exports: Exports, chance: random.Random, below: str = "") -> object:
    path = chance.choice(exports.files(below))
    return path.write_bytes(path.read_bytes() + chance.choice([b"\n", b"\0", b"1,\n", b" ", path.read_bytes() or b"x"]))


def swap(exports: Exports, chance: random.Random) -> object:
    one, two = chance.sample(exports.files(), 2)
    contents = one.read_bytes(), two.read_bytes()
    one.write_bytes(contents[1])
    two.write_bytes(contents[0])
    return contents[0] != contents[1]


def rename(exports: Exports, chance: random.Random) -> object:
    path = chance.choice([*exports.files(), *exports.directories()])
    return path.rename(path.with_name(chance.choice([f"{path.name}x", path.name.upper() + ".", f".{path.name}"])))


def remove(exports: Exports, chance: random.Random) -> object:
    return chance.choice(exports.files()).unlink()


def remove_directory(exports: Exports, chance: random.Random) -> object:
    return shutil.rmtree(chance.choice(exports.directories()))


def add(exports: Exports, chance: random.Random) -> object:
    path = chance.choice([exports.export, *exports.directories()]) / chance.choice(NAMES)
    return False if path.exists() else path.write_bytes(chance.choice([b"", b"1,2\n", b"\0"]))


def take_other(exports: Exports, chance: random.Random) -> object:
    path = chance.choice(exports.files())
    other = exports.other / path.relative_to(exports.export)
    if not other.is_file() or other.read_bytes() == path.read_bytes():
        return False
    return shutil.copyfile(other, path)


def put_special(exports: Exports, chance: random.Random) -> object:
    """A link, a pipe, a socket, a device or a directory in the place of a file."""
    path = chance.choice(exports.files())
    away = exports.export.with_name("away")
    path.rename(away)
    kinds: list[Callable[[], object]] = [
        lambda: path.symlink_to(away),
        lambda: path.symlink_to("nowhere"),
        lambda: path.symlink_to(path.name),
        lambda: path.symlink_to(chance.choice(["/dev/zero", "/dev/null", "/dev/stdin", "/proc/self/mem", "/"])),
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
        lambda: bound_socket(path),
    ]
    if os.geteuid() == 0:
        kinds.append(lambda: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, chance.choice([3, 5]))))
    try:
        return chance.choice(kinds)()
    except PermissionError:  # no device in a container
        return os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, chdir(path.parent):
        listening.bind(path.name)


def link_directory(exports: Exports, chance: random.Random) -> object:
    path = chance.choice(exports.directories())
    away = exports.export.with_name("away")
    path.rename(away)
    return path.symlink_to(chance.choice([away, exports.export, Path("/"), Path("nowhere")]))


def touch(exports: Exports, chance: random.Random) -> object:
    return os.utime(chance.choice(exports.files()), (chance.randrange(1 << 31),) * 2)


def change_mode(exports: Exports, chance: random.Random) -> object:
    return chance.choice(exports.files()).chmod(chance.choice([0o400, 0o640, 0o755]))


def write_again(exports: Exports, chance: random.Random) -> object:
    path = chance.choice(exports.files())
    content = path.read_bytes()
    path.unlink()
    return path.write_bytes(content)


def link_hard(exports: Exports, chance: random.Random) -> object:
    return exports.export.with_name("away").hardlink_to(chance.choice(exports.files()))

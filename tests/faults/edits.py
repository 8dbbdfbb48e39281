"""Tampering with a finished export by somebody who corrects its checksums, or changes these."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from exporter.model.render import model_sha256
from exporter.sink.layout import ARGUMENTS, CHECKSUMS, COUNTS, MANIFEST, SCHEMA
from tests.faults.damage import Exports, Tamper, cut, flip, lengthen
from tests.support import tiny_export

# What a manifest may hold instead of a number or a text.
VALUES: tuple[Any, ...] = (
    -1, 0, 10**30, 1.5, float("nan"), True, None, "", "many", [], {}, [[]], {"": {}}, "\x00", "\ud800",
)  # fmt: skip


def edit_sums(exports: Exports, chance: random.Random) -> object:
    """Lines of SHA256SUMS left out, twice, exchanged, or with another path or digit."""
    file = exports.export / CHECKSUMS
    lines = file.read_text().splitlines(keepends=True)
    one, two = sorted(chance.sample(range(len(lines)), 2))
    edits: list[Callable[[], list[str]]] = [
        lambda: lines[:one] + lines[two:],
        lambda: [*lines[:one], lines[one], *lines[one:]],
        lambda: [*lines[:one], lines[two], *lines[one + 1 : two], lines[one], *lines[two + 1 :]],
        lambda: [*lines[:one], lines[one].replace("  ", "  ./"), *lines[one + 1 :]],
        lambda: [*lines[:one], lines[two][:64] + lines[one][64:], *lines[one + 1 :]],
        lambda: [*lines, f"{'0' * 64}  zzz\n"],
    ]
    before = file.read_text()
    file.write_text("".join(chance.choice(edits)()))
    return file.read_text() != before


def data_edit(tamper: Callable[[Exports, random.Random, str], object]) -> Tamper:
    """A change of a data file, with checksums that are right."""

    def edited(exports: Exports, chance: random.Random) -> object:
        done = tamper(exports, chance, chance.choice(["nodes", "relationships"]))
        exports.sums()
        return done

    return edited


def drop_data(exports: Exports, chance: random.Random) -> object:
    chance.choice([*exports.files("nodes"), *exports.files("relationships")]).unlink()
    return exports.sums()


def add_data(exports: Exports, chance: random.Random) -> object:
    path = chance.choice([*exports.files("nodes"), *exports.files("relationships")])
    path.with_name(f"part-{chance.randrange(10, 9999):04d}.csv").write_bytes(path.read_bytes())
    return exports.sums()


def edit_counts(exports: Exports, chance: random.Random) -> object:
    file = exports.export / COUNTS
    lines = file.read_text().splitlines(keepends=True)
    number = chance.randrange(len(lines))
    parts = lines[number].rstrip("\n").split("\t")
    lines[number] = chance.choice(["", "\t".join([*parts[:-1], str(int(parts[-1]) + 1)]) + "\n"])
    file.write_text("".join(lines))
    return exports.sums()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The paths and values of everything below a JSON value."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key), inner
            yield from leaves(inner, (*path, key))


def edit_number(exports: Exports, chance: random.Random) -> object:
    """A number of the manifest that has to be what other numbers say."""
    manifest: Any = tiny_export.manifest(exports.export)
    kept = {"files", "nodes", "relationships", "totals"}
    alone = ("no_target", "outside_window")  # of a table that makes one pattern only, nothing else says it
    numbers = [
        path for path, value in leaves(manifest) if path[0] in kept and isinstance(value, int) and path[-1] not in alone
    ]
    *path, last = chance.choice(numbers)
    inner = manifest
    for key in path:
        inner = inner[key]
    inner[last] += chance.choice([-1, 1, 7, 1 << 40])
    return tiny_export.write_manifest(exports.export, manifest)


def edit_manifest(exports: Exports, chance: random.Random) -> object:
    """Anything of the manifest is missing, or something else."""
    manifest: Any = tiny_export.manifest(exports.export)
    *path, last = chance.choice([path for path, _ in leaves(manifest)])
    inner = manifest
    for key in path:
        inner = inner[key]
    if chance.random() < 0.3:
        del inner[last]
    else:
        inner[last] = chance.choice(VALUES)
    text = json.dumps(manifest, indent=2)
    (exports.export / MANIFEST).write_text(text)
    return exports.sums()


def edit_instructions(exports: Exports, chance: random.Random) -> object:
    """What an import is told, with checksums that are right; of this program's own export, which has its model."""
    if tiny_export.manifest(exports.export)["model"] != {"sha256": model_sha256()}:
        return False
    path = chance.choice([*exports.files("headers"), exports.export / ARGUMENTS, exports.export / SCHEMA])
    lines = path.read_text().splitlines(keepends=True)
    free = ("--id-type", "--read-buffer", "--multiline")  # not known from elsewhere
    number = chance.choice([number for number, line in enumerate(lines) if not line.startswith(free)])
    other = chance.choice(exports.files("headers")).read_text()
    lines[number] = chance.choice(["", lines[number].replace("d", "D", 1), other, lines[number].replace(",", ",x", 1)])
    before = path.read_bytes()
    path.write_text("".join(lines))
    return exports.sums() if path.read_bytes() != before else False


def edit_rejects(exports: Exports, chance: random.Random) -> object:
    """A reject file, with checksums that are right."""
    if not exports.files("rejects"):
        return False
    chance.choice([flip, cut, lengthen])(exports, chance, "rejects")
    return exports.sums()


def edit_all(exports: Exports, chance: random.Random) -> object:
    """A data file, with a size and checksums that are right everywhere."""
    path = chance.choice([path for path in exports.files("nodes") if path.stat().st_size])
    content = path.read_bytes()
    place = chance.randrange(len(content))
    path.write_bytes(content[:place] + chance.choice([b'"', b"\n", b"\xff", b"\0", b",", b'""']) + content[place:])
    manifest: Any = tiny_export.manifest(exports.export)
    for file in manifest["files"]:
        if file["path"] == path.relative_to(exports.export).as_posix():
            file["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
            file["bytes"] += path.stat().st_size - len(content)
            manifest["totals"]["bytes"] += path.stat().st_size - len(content)
    return tiny_export.write_manifest(exports.export, manifest)

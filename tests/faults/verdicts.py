"""What is said of exports with which somebody tampered, and what should be."""

import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.damage import (
    Exports,
    Tamper,
    add,
    change_mode,
    cut,
    flip,
    lengthen,
    link_directory,
    link_hard,
    put_special,
    remove,
    remove_directory,
    rename,
    swap,
    take_other,
    touch,
    write_again,
)  # fmt: skip
from tests.faults.edits import (
    add_data,
    data_edit,
    drop_data,
    edit_all,
    edit_counts,
    edit_instructions,
    edit_manifest,
    edit_number,
    edit_rejects,
    edit_sums,
)  # fmt: skip
from tests.faults.frame import unverified

LONGEST_SECONDS = 20
# Of which SHA256SUMS alone tells.
UNCORRECTED: tuple[Tamper, ...] = (
    flip, cut, lengthen, swap, rename, remove, remove_directory, add, take_other, put_special, link_directory,
    edit_sums,
)  # fmt: skip
REFUSED: tuple[Tamper, ...] = (
    *UNCORRECTED, edit_instructions, data_edit(flip), data_edit(cut), data_edit(lengthen), drop_data, add_data,
    edit_counts, edit_number,
)  # fmt: skip
# Without checksums of its own, a change of what only people read is no difference.
EITHER: tuple[Tamper, ...] = (edit_manifest, edit_rejects, edit_all)
WHOLE: tuple[Tamper, ...] = (touch, change_mode, write_again, link_hard)


# Some ways are many ways.
TAMPERS: tuple[Tamper, ...] = (
    *(flip, cut, put_special, edit_sums, edit_number, edit_manifest) * 2,
    *REFUSED,
    *EITHER,
    *WHOLE,
)


def name_of(tamper: Tamper) -> str:
    """What is done, in a word."""
    return tamper.__qualname__.partition(".")[0]


def verdict(export: Path) -> str:
    """What `exporter verify` says of an export: nothing, `refused`, or what it must not end with."""
    try:
        differences = unverified(export)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    unprintable = [text for text in differences if not text.isprintable()]
    return f"said {unprintable}" if unprintable else "refused" if differences else ""


def judged(export: Path) -> str:
    """The verdict, if there is one within some seconds."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(verdict(export)), daemon=True)
    thread.start()
    thread.join(LONGEST_SECONDS)
    return found[0] if found else f"it took longer than {LONGEST_SECONDS} s"


@contextmanager
def tampered(exports: Exports, tamper: Tamper, seed: int, directory: Path) -> Iterator[Path | None]:
    """A copy of an export with which somebody tampered, in an empty directory; None where that cannot be done."""
    copy = directory / "tampered" / "20261123T031500Z"
    shutil.copytree(exports.export, copy)
    try:
        try:
            done = tamper(Exports(copy, exports.other), random.Random(seed))
        except IndexError:  # there is nothing of the kind to choose from
            done = False
        yield None if done is False else copy
    finally:
        shutil.rmtree(copy.parent)


def complaint(exports: Exports, tamper: Tamper, seed: int, directory: Path) -> str | None:
    """What is wrong with what is said of an export with which somebody tampered; empty if nothing is, None where that
    could not be done."""
    with tampered(exports, tamper, seed, directory) as export:
        if export is None:
            return None
        found = judged(export)
    expected = ("refused",) if tamper in REFUSED else ("",) if tamper in WHOLE else ("", "refused")
    return "" if found in expected else f"{name_of(tamper)} {seed}: {found or 'taken for whole'}"

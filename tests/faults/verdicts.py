"""What is said of exports with which somebody tampered, and what should be."""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from exporter.errors import ExporterError
from exporter.published.verify import verify_files
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
from tests.faults.tampering import (
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


def too_long(_: int, __: FrameType | None) -> None:
    raise TimeoutError(f"it took longer than {LONGEST_SECONDS} s")


def judged(export: Path) -> str:
    """What `exporter verify` says of an export: nothing, `refused`, or what it must not end with."""
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_SECONDS)
    try:
        differences = verify_files(export)
    except ExporterError as error:
        return "refused" if str(error).isprintable() else f"said {error!r}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    unprintable = [text for text in differences if not text.isprintable()]
    return f"said {unprintable}" if unprintable else "refused" if differences else ""


@contextmanager
def tampered(exports: Exports, tamper: Tamper, seed: int) -> Iterator[Path | None]:
    """A copy of an export with which somebody tampered; None where that cannot be done."""
    directory = exports.export.with_name(f"tampered-{os.getpid()}")
    copy = directory / "20261123T031500Z"
    shutil.copytree(exports.export, copy)
    try:
        try:
            done = tamper(Exports(copy, exports.other), random.Random(seed))
        except IndexError:  # there is nothing of the kind to choose from
            done = False
        yield None if done is False else copy
    finally:
        shutil.rmtree(directory)


def complaint(exports: Exports, tamper: Tamper, seed: int) -> str | None:
    """What is wrong with what is said of an export with which somebody tampered; empty if nothing is, None where that
    could not be done."""
    with tampered(exports, tamper, seed) as export:
        if export is None:
            return None
        found = judged(export)
    expected = ("refused",) if tamper in REFUSED else ("",) if tamper in WHOLE else ("", "refused")
    return "" if found in expected else f"{tamper.__qualname__} {seed}: {found or 'taken for whole'}"

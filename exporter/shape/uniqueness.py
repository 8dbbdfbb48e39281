"""The proof that no key of a table occurs twice, though the catalog says so: an index may no longer be true.

The keys of a table are written as sorted runs, one for each chunk, and compared run by run with bounded memory.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

from exporter.shape.mapped import make_directory, mapped_frame, write_frame

RUNS = "run-*"
# Runs that overlap are compared in slices of about this many keys. Measured: 4 million take 110 MB.
SLICE = 1 << 21
# The distance of the samples from which the slices' bounds are taken.
SAMPLE = 1 << 12


def write_run(path: Path, keys: pl.Series) -> None:
    """Writes the keys (Int64 or String; nulls are skipped) of one chunk as a run; no file if there are none. A text is
    represented by its hash: texts that are equal always repeat one, so none is missed."""
    known = keys.drop_nulls()
    if not len(known):
        return
    make_directory(path.parent)
    run = known.hash(seed=0).reinterpret(signed=True) if known.dtype == pl.String else known
    write_frame(path, run.sort().to_frame("key"))


def may_repeat(directory: Path) -> bool:
    """Whether a key occurs twice in the runs of a directory, in one or in several; of texts, whether a hash does."""
    runs = sorted((mapped_frame(path).to_series() for path in directory.glob(RUNS)), key=lambda run: run[0])
    if any(repeats(run) for run in runs):
        return True
    if all(before[-1] < after[0] for before, after in pairwise(runs)):
        return False  # as when rows lie in the order of their keys
    return any(repeats(pl.concat(slices).sort()) for slices in sliced(runs))


def sliced(runs: Sequence[pl.Series]) -> list[list[pl.Series]]:
    """The runs cut at the same keys, so that what is in one slice is in no other."""
    samples = pl.concat([run.gather_every(SAMPLE) for run in runs]).sort()
    bounds = samples.gather_every(SLICE // SAMPLE)[1:].unique(maintain_order=True)
    cuts = [[0, *run.search_sorted(bounds, side="left").to_list(), len(run)] for run in runs]
    return [
        [run[cut[number] : cut[number + 1]] for run, cut in zip(runs, cuts, strict=True)]
        for number in range(len(bounds) + 1)
    ]


def repeats(ordered: pl.Series) -> bool:
    """Whether a value occurs twice among sorted ones."""
    return bool((ordered[1:] == ordered[:-1]).any())

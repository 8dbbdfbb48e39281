"""What an export left out: the reject files, counted by reason and entity, with a few examples of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from exporter.errors import DifferenceError, UsageError
from exporter.invocation import command
from exporter.model.vocabulary import Entity
from exporter.published.history import copy_instead
from exporter.shape.examples import Example, examples
from exporter.shape.rejects import REJECTS
from exporter.sink import layout


@dataclass(frozen=True, slots=True)
class RejectGroup:
    """The rejects of an entity for one reason: how many, and a few of each column, without personal data."""

    reason: str
    entity: str
    count: int
    examples: Sequence[Example]


def find_rejects(output: Path, name: str) -> Path:
    """The directory of an export, or of reject files that `--max-rejects` kept: by its name below an output directory
    (`latest` too), or by its path. Raises `UsageError` if there is none."""
    for directory in (output / name, Path(name)):
        if (directory / layout.MANIFEST).is_file() or (
            directory.name.startswith(layout.REJECTED) and directory.is_dir()
        ):
            return directory
    hint = copy_instead(output / name)
    raise UsageError(f"there is no export {name} in {output}; {command()} runs lists them{hint}")


def reject_groups(directory: Path) -> list[RejectGroup]:
    """The rejects in a directory that `find_rejects` found, the largest group first.

    Raises `DifferenceError` for a file that is not one of rejects.
    """
    root = directory / layout.REJECTS if (directory / layout.MANIFEST).is_file() else directory
    groups = [group for entity in layout.entities() for group in entity_groups(root, entity)]
    return sorted(groups, key=lambda group: -group.count)


def entity_groups(root: Path, entity: Entity) -> Iterator[RejectGroup]:
    """The rejects of an entity, one group for each reason."""
    files = sorted((root / layout.data_folder(entity)).glob("*.csv"))
    if not files:
        return
    try:
        rejects = pl.concat(pl.read_csv(file, schema=REJECTS, glob=False) for file in files)
    except (pl.exceptions.PolarsError, OSError) as error:
        kind = type(error).__name__  # its text may quote the file
        raise DifferenceError(f"the reject files of {entity.name} in {root} cannot be read: {kind}") from None
    for (reason,), rows in rejects.group_by("reason", maintain_order=True):
        yield RejectGroup(str(reason), entity.name, rows.height, examples(rows))

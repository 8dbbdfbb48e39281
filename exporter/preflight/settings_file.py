"""exporter.toml as `exporter init` writes it: every setting of an export, what it may be, and the names as guessed."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from exporter.errors import UsageError
from exporter.preflight.name_matching import TableGuess, certain_names, read_candidates, suggest
from exporter.settings import Settings
from exporter.sink.files import write_private
from exporter.source.catalog import read_catalog
from exporter.source.compatibility import Severity, examine
from exporter.source.leader import connected

HEAD = """\
# Settings of the exporter, written by `exporter init`. A flag beats the environment (EXPORTER_...), and the environment
# beats this file. Lines that begin with # are not in force.

# Where to read. No password stands here: give it by PGPASSWORD or PGPASSFILE.
source = {source}

# What may be set, as it is by default or as an example.
"""
NAMES = """
# Where the source's names differ from the model's: the model's on the left, the source's on the right. What is in force
# was guessed by names and types: look at each line. What is uncertain or was not found is not in force: correct it and
# take the # away. `exporter check` says what is still missing.
[tables]
"""
ELSEWHERE = {"source", "tables", "columns"}
SPANS = {"lock_timeout", "stall_timeout"}
NOT_FOUND = "nothing like it was found"


def guess_names(settings: Settings) -> tuple[list[TableGuess], int]:
    """The tables and columns of a source as guessed, and how many errors a check finds with the guesses in force.

    Raises `UsageError` when no source is set, `SourceError` when it cannot be asked.
    """
    with connected(settings.source, "exporter init", **settings.timeouts) as connection:
        guesses = suggest(read_candidates(connection))
        mapping = certain_names(guesses)
        findings = examine(read_catalog(connection, mapping.schemas()), mapping)
    return guesses, sum(finding.severity is Severity.ERROR for finding in findings)


def settings_text(source: str, guesses: list[TableGuess]) -> str:
    """The content of a settings file for a source URI (without its password) and what was guessed of its names."""
    lines = [HEAD.format(source=quoted(source)), *possible_settings(), NAMES]
    lines += [f"{line}\n" for guess in guesses for line in table_lines(guess)]
    for guess in guesses:
        if columns := list(column_lines(guess)):
            lines += ["\n", *(f"{line}\n" for line in columns)]
    return "".join(lines)


def possible_settings() -> Iterator[str]:
    """A line for each setting, not in force: its default or an example, and what it may be."""
    for name, given in Settings.model_fields.items():
        if name in ELSEWHERE:
            continue
        default = given.get_default(call_default_factory=True)
        value = as_written(name, default) if default is not None else (given.examples or [""])[0]
        unset = "; not set by default" if default is None else ""
        written = quoted(value) if isinstance(value, str) else json.dumps(value)
        yield f"# {name} = {written}  # {given.description}{unset}\n"


def as_written(name: str, value: Any) -> str | int:
    """A setting's value as a user would write it."""
    if name == "memory":
        return f"{value >> 20}MB"
    return f"{value}s" if name in SPANS else value if isinstance(value, int) else str(value)


def table_lines(guess: TableGuess) -> Iterator[str]:
    """The line of a table whose name differs, if it does."""
    table = quoted(guess.table.name)
    if guess.name is None:
        yield f'# {table} = ""  # {NOT_FOUND}'
    elif guess.renamed:
        yield f"{'' if guess.certain else '# '}{table} = {quoted(guess.name)}  # {grounds(guess)}"


def grounds(guess: TableGuess) -> str:
    """Why a table was guessed: how many of the model's columns it has."""
    doubt = "" if guess.certain else "uncertain: "
    return f"{doubt}{len(guess.columns)} of {len(guess.table.columns())} columns"


def column_lines(guess: TableGuess) -> Iterator[str]:
    """The section of a table's columns whose names differ; nothing where none does."""
    if guess.name is None or not (guess.renamed_columns or guess.missing):
        return
    off = "" if guess.certain else "# "
    yield f"{off}[columns.{quoted(guess.table.name)}]"
    for column, found in guess.renamed_columns.items():
        doubt = "" if found.certain else "  # uncertain"
        yield f"{off or ('# ' if doubt else '')}{column} = {quoted(found.name)}{doubt}"
    for column in guess.missing:
        yield f'# {column} = ""  # {NOT_FOUND}'


def quoted(text: str) -> str:
    """A TOML string. JSON's is one, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def summary(guesses: Iterable[TableGuess]) -> list[str]:
    """What was guessed, for the screen: how many of each kind, then each table that has not the model's name."""
    counts = dict.fromkeys(("under the model's name", "guessed", "uncertain", "not found"), 0)
    columns = dict(counts)
    listed = []
    for guess in guesses:
        counts[kind(guess.renamed, guess.certain, guess.name)] += 1
        if guess.name is None:
            listed.append(f"  {guess.table.name}: {NOT_FOUND}")
            continue
        for column in guess.table.columns():
            found = guess.columns.get(column)
            columns[kind(bool(found and found.name != column), bool(found and found.certain), found)] += 1
        if guess.renamed:
            listed.append(f"  {guess.table.name} -> {guess.name} ({grounds(guess)})")
    lines = [
        f"{what}: " + ", ".join(f"{number} {said}" for said, number in numbers.items() if number)
        for what, numbers in (("tables", counts), ("columns", columns))
    ]
    return [*lines, *listed]


def kind(renamed: bool, certain: bool, found: object) -> str:
    """Which kind of guess it is."""
    if found is None:
        return "not found"
    if not renamed:
        return "under the model's name"
    return "guessed" if certain else "uncertain"


def check_place(path: Path, *, force: bool) -> None:
    """Raises `UsageError` where a settings file cannot be made, or one is there that was not to be replaced."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"cannot write {path}: it must be a file in a directory that exists")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; --force replaces it, --output-file names another")


def write_settings(path: Path, text: str, *, force: bool) -> None:
    """Writes a settings file that only its owner may read (0600), whole or not at all. Raises `UsageError` where that
    cannot be."""
    check_place(path, force=force)
    try:
        write_private(path, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None

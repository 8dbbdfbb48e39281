"""The settings file that `exporter init` writes: every setting with its allowed values, and the guessed names."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from exporter.errors import SourceError, UsageError
from exporter.preflight.guesses import grounds
from exporter.preflight.name_matching import TableGuess, certain_names, read_candidates, suggest
from exporter.settings import RebuildSettings, Settings
from exporter.sink.files import write_private
from exporter.source.catalog import read_login
from exporter.source.compatibility import Severity, examine, examine_model
from exporter.source.leader import connected, current_catalog
from exporter.text import visible

HEAD = """\
# Settings of the exporter, written by `exporter init`. A flag overrides the environment (EXPORTER_...), which overrides
# this file. Lines that begin with # have no effect.

# Where to read from. This file holds no password: pass it in PGPASSWORD or PGPASSFILE.
source = {source}

# All settings, each with its default or an example.
"""
COPIES = """
# Only for copies: a part of the source, personal data masked (docs/copies.md). `exporter rebuild` refuses them.
"""
NAMES = """
# Where the source's names differ from the model's: the model's on the left, the source's on the right. Lines without #
# were guessed by names and types: review each. Lines with # are uncertain or found nothing: uncomment them once they
# are correct. `exporter check` says what is still missing.
[tables]
"""
REBUILD = """
# Only for `exporter rebuild`: the live Neo4j and its nightly rebuild (docs/nightly.md).
[rebuild]
"""
FIRST_OF_COPIES = "since"
ELSEWHERE = {"source", "tables", "columns", "rebuild"}
KINDS = ("under the model's name", "guessed", "uncertain", "not found")
NOT_FOUND = "nothing similar was found"


def guess_names(settings: Settings) -> tuple[list[TableGuess], int]:
    """The guessed tables and columns of a source, and how many errors a check finds with the certain guesses.

    Raises `UsageError` if no source is set, `SourceError` if it cannot be queried, or if the model itself is faulty.
    """
    if faults := examine_model():
        raise SourceError("\n  ".join(["names cannot be guessed for a faulty model:", *map(str, faults)]))
    with connected(settings.source, "exporter init", **settings.timeouts) as connection:
        guesses = suggest(read_candidates(connection))
        mapping = certain_names(guesses)
        catalog = current_catalog(connection, mapping)
        findings = examine(catalog, mapping, read_login(connection))
    return guesses, sum(finding.severity is Severity.ERROR for finding in findings)


def settings_text(source: str, guesses: list[TableGuess]) -> str:
    """The content of a settings file for a source URI (without its password) and the guesses of its names."""
    lines = [HEAD.format(source=quoted(source)), *setting_lines(Settings()), NAMES]
    lines += [f"{line}\n" for guess in guesses for line in table_lines(guess)]
    for guess in guesses:
        if columns := list(column_lines(guess)):
            lines += ["\n", *(f"{line}\n" for line in columns)]
    return "".join([*lines, REBUILD, *setting_lines(RebuildSettings())])


def setting_lines(defaults: BaseModel) -> Iterator[str]:
    """A commented-out line for each setting: its default, or an example if it has none, and its allowed values."""
    written = defaults.model_dump(mode="json")
    for name, field in type(defaults).model_fields.items():
        if name in ELSEWHERE:
            continue
        if name == FIRST_OF_COPIES:
            yield COPIES
        unset = written[name] is None
        value = (field.examples or [""])[0] if unset else written[name]
        text = quoted(value) if isinstance(value, str) else json.dumps(value)
        yield f"# {name} = {text}  # {field.description}{'; not set by default' if unset else ''}\n"


def table_lines(guess: TableGuess) -> Iterator[str]:
    """The line of a table with another name in the source; none if the name is the same."""
    table = quoted(guess.table.name)
    if guess.name is None:
        yield f'# {table} = ""  # {NOT_FOUND}'
    elif guess.renamed:
        yield f"{'' if guess.certain else '# '}{table} = {quoted(guess.name)}  # {grounds(guess)}"


def column_lines(guess: TableGuess) -> Iterator[str]:
    """The section of a table's columns with other names in the source; nothing if there is none."""
    if guess.name is None or not (guess.renamed_columns or guess.missing):
        return
    comment = "" if guess.certain else "# "
    yield f"{comment}[columns.{quoted(guess.table.name)}]"
    for name, column in guess.renamed_columns.items():
        doubt = "" if column.certain else "  # uncertain"
        yield f"{comment or ('# ' if doubt else '')}{name} = {quoted(column.name)}{doubt}"
    for name in guess.missing:
        yield f'# {name} = ""  # {NOT_FOUND}'


def quoted(text: str) -> str:
    """A TOML string: JSON's syntax, but for what else a terminal would obey or not show."""
    return "".join(
        f"\\U{ord(letter):08x}" if visible(letter) != letter else letter
        for letter in json.dumps(text, ensure_ascii=False)
    )


def summary(guesses: Sequence[TableGuess]) -> list[str]:
    """Lines for the screen: how many guesses there are of each kind, then each table whose name differs."""
    table_counts = dict.fromkeys(KINDS, 0)
    column_counts = dict.fromkeys(KINDS, 0)
    listed = []
    for guess in guesses:
        table_counts[kind_of(guess.table.name, guess.name, guess.certain)] += 1
        if guess.name is None:
            listed.append(f"  {guess.table.name}: {NOT_FOUND}")
            continue
        for name in guess.table.columns():
            column = guess.columns.get(name)
            kind = kind_of(name, column.name, column.certain) if column else "not found"
            column_counts[kind] += 1
        if guess.renamed:
            listed.append(f"  {guess.table.name} -> {visible(guess.name)} ({grounds(guess)})")
    if nothing_similar(guesses):
        return ["tables: none of the model's, and nothing similar: is it the right database?"]
    lines = [
        f"{title}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        for title, counts in (("tables", table_counts), ("columns", column_counts))
    ]
    return [*lines, *listed]


def guesses_object(guesses: Iterable[TableGuess]) -> dict[str, dict[str, Any]]:
    """For `--json`: the tables and columns of the model whose names differ in the source, with the guess for each and
    whether it is certain; null where nothing is similar."""
    tables = {
        guess.table.name: {"name": guess.name, "certain": guess.certain} if guess.name else None
        for guess in guesses
        if guess.renamed
    }
    columns: dict[str, Any] = {
        f"{guess.table.name}.{column}": {"name": found.name, "certain": found.certain}
        for guess in guesses
        for column, found in guess.renamed_columns.items()
    }
    columns |= {f"{guess.table.name}.{column}": None for guess in guesses if guess.name for column in guess.missing}
    return {"tables": tables, "columns": columns}


def nothing_similar(guesses: Iterable[TableGuess]) -> bool:
    """Whether nothing in the source is like any of the model's tables."""
    return all(guess.name is None for guess in guesses)


def nothing_to_map(guesses: Iterable[TableGuess]) -> bool:
    """Whether every table and column has the model's name."""
    return not any(guess.renamed or guess.renamed_columns or guess.missing for guess in guesses)


def kind_of(name: str, guessed: str | None, certain: bool) -> str:
    """Which kind of guess it is for a name of the model."""
    if guessed is None:
        return "not found"
    if guessed == name:
        return "under the model's name"
    return "guessed" if certain else "uncertain"


def check_path(path: Path, *, force: bool) -> None:
    """Raises `UsageError` if no settings file can be written there, or if one exists and `force` is not set."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"cannot write {path}: it must be a file in a directory that exists")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; --force replaces it, --output-file names another")


def write_settings(path: Path, text: str, *, force: bool) -> None:
    """Writes a settings file that only its owner may read (0600), completely or not at all.

    Raises `UsageError` as `check_path` does, and if writing fails.
    """
    check_path(path, force=force)
    try:
        write_private(path, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None

"""What `check` says of names that are missing: the guesses that `init` would write."""

from collections.abc import Mapping
from dataclasses import replace

from exporter.model.tables import Table, tables
from exporter.preflight.name_matching import TableGuess, match_columns, read_candidates, suggest, with_last_column
from exporter.source.catalog import Relation
from exporter.source.compatibility import Guesses
from exporter.source.connection import Connection
from exporter.source.mapping import NameMapping


def guess_missing(connection: Connection, catalog: Mapping[str, Relation], mapping: NameMapping) -> Guesses:
    """What the tables and columns that a mapped source lacks are probably called there. Raises psycopg's errors."""
    missing = [table for table in tables() if mapping.table(table.name) not in catalog]
    taken = {mapping.table(table.name) for table in tables()}
    candidates = {}
    if missing:
        candidates = {name: found for name, found in read_candidates(connection).items() if name not in taken}
    similar = {
        guess.table.name: f"{guess.name} ({grounds(guess)})" for guess in suggest(candidates, missing) if guess.name
    }
    columns = {
        (table.name, name): guess
        for table in tables()
        if (relation := catalog.get(mapping.table(table.name)))
        for name, guess in missing_columns(table, relation, mapping).items()
    }
    return Guesses(similar, columns)


def missing_columns(table: Table, relation: Relation, mapping: NameMapping) -> dict[str, str]:
    """The model's columns that a mapped relation lacks, and what they are probably called in it."""
    real = {name: mapping.column(table.name, name) for name in table.columns()}
    missing = [name for name in real if real[name] not in relation.columns]
    if not missing:
        return {}
    free = {name: column for name, column in relation.columns.items() if name not in real.values()}
    rest = replace(relation, columns=free)
    matched = with_last_column(table, rest, match_columns(table, rest))
    return {name: matched[name].name for name in missing if name in matched}


def grounds(guess: TableGuess) -> str:
    """Why a table was guessed: how many of the model's columns it has."""
    doubt = "" if guess.certain else "uncertain: "
    return f"{doubt}{len(guess.columns)} of {len(guess.table.columns())} columns"

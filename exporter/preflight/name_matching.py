"""Guesses which tables and columns of a source are the model's under other names, from similar names and fitting types.

A guess is certain if it is good and no other comes close; otherwise it is only a proposal.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from exporter.model.graph import SKIPPED_TABLES
from exporter.model.tables import Table, tables
from exporter.source.catalog import PARTITIONED, TABLE, VIEW, Relation, read_catalog
from exporter.source.columns import fits
from exporter.source.connection import Connection
from exporter.source.mapping import NameMapping

# Similarities are from 0 (nothing in common) to 1 (equal). These bounds were tuned on the sources of
# tests/preflight/test_name_matching.py.
POSSIBLE_TABLE, CERTAIN_TABLE = 0.4, 0.55
POSSIBLE_COLUMN, CERTAIN_COLUMN = 0.6, 0.75
# How far a certain guess is ahead of the second-best.
LEAD = 0.05
# The similarity of a column `id` to the model's key.
ID_IS_KEY = 0.8
# The weights of a table's own name and of its columns.
NAME_WEIGHT, COLUMNS_WEIGHT = 0.35, 0.65


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """A column of the source that may be the model's; one with the same name is certain."""

    name: str
    certain: bool
    similarity: float = 1.0


@dataclass(frozen=True, slots=True)
class TableGuess:
    """A table of the model, the table of the source that may be it (None if nothing is similar), and its columns by
    their names in the model."""

    table: Table
    name: str | None = None
    certain: bool = False
    columns: dict[str, ColumnGuess] = field(default_factory=dict)

    @property
    def renamed(self) -> bool:
        return self.name != self.table.name

    @property
    def renamed_columns(self) -> dict[str, ColumnGuess]:
        """The columns that have other names in the source."""
        return {column: guess for column, guess in self.columns.items() if guess.name != column}

    @property
    def missing(self) -> list[str]:
        """The model's columns for which nothing was found."""
        return [column for column in self.table.columns() if column not in self.columns]


def all_schemas(connection: Connection) -> list[str]:
    """Every schema of the database except PostgreSQL's own."""
    query = "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    return [schema for (schema,) in connection.execute(query)]


def read_candidates(connection: Connection) -> dict[str, Relation]:
    """Every relation that may be one of the model's tables, by name.

    Excludes partitions and child tables, tables that the model skips, and names that settings cannot hold.
    """
    children = "select n.nspname || '.' || c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
    child_tables = {name for (name,) in connection.execute(f"{children} join pg_namespace n on n.oid = c.relnamespace")}
    return {
        name: relation
        for name, relation in read_catalog(connection, all_schemas(connection)).items()
        if name not in child_tables and name not in SKIPPED_TABLES and name.count(".") == 1
        if relation.kind in (TABLE, PARTITIONED, VIEW)
    }


def suggest(candidates: Mapping[str, Relation], wanted: Iterable[Table] | None = None) -> list[TableGuess]:
    """A guess for each wanted table (by default all) in the model's order; no table of the source is guessed twice.

    The best pair is taken first, so that a table under its own name is never mistaken for a similar one; a certain pair
    in the model's own schema takes precedence over pairs elsewhere.
    """
    model_tables = {table.name: table for table in (tables() if wanted is None else wanted)}
    pairs = {
        (name, candidate): similarity
        for name, table in model_tables.items()
        for candidate, relation in candidates.items()
        if (similarity := table_similarity(table, relation)) >= POSSIBLE_TABLE
    }
    guesses: dict[str, TableGuess] = {}
    while pairs:
        best = max(
            pairs,
            key=lambda pair: (pairs[pair] >= CERTAIN_TABLE and schema_of(pair[0]) == schema_of(pair[1]), pairs[pair]),
        )
        name, candidate = best
        certain = name == candidate or is_certain(pairs, best, CERTAIN_TABLE)
        table, relation = model_tables[name], candidates[candidate]
        columns = with_last_column(table, relation, match_columns(table, relation))
        guesses[name] = TableGuess(table, candidate, certain, columns)
        pairs = without_pair(pairs, best)
    return [guesses.get(name, TableGuess(table)) for name, table in model_tables.items()]


def schema_of(name: str) -> str:
    return name.partition(".")[0]


# A name of the model and one of the source.
Pair = tuple[str, str]


def is_certain(pairs: dict[Pair, float], best: Pair, bound: float) -> bool:
    """Whether a pair reaches the bound, and no other pair with one of its names comes close."""
    rivals = [similarity for pair, similarity in pairs.items() if (pair[0] == best[0]) != (pair[1] == best[1])]
    return pairs[best] >= bound and pairs[best] - max(rivals, default=0.0) >= LEAD


def without_pair(pairs: dict[Pair, float], taken: Pair) -> dict[Pair, float]:
    """The pairs that contain neither of the taken names."""
    return {pair: similarity for pair, similarity in pairs.items() if pair[0] != taken[0] and pair[1] != taken[1]}


def certain_names(guesses: Iterable[TableGuess]) -> NameMapping:
    """The mapping made of the certain guesses."""
    certain = [guess for guess in guesses if guess.certain]
    renamed = {guess.table.name: guess.name for guess in certain if guess.renamed and guess.name}
    columns = {
        guess.table.name: {name: column.name for name, column in guess.renamed_columns.items() if column.certain}
        for guess in certain
    }
    return NameMapping(renamed, {table: names for table, names in columns.items() if names})


def table_similarity(table: Table, relation: Relation) -> float:
    """How similar a relation is to a table of the model, by its name and the columns found in it."""
    schema, name = table.name.split(".")
    of_names = (
        1.0
        if relation.full_name == table.name
        else 0.8 * name_similarity(name, relation.name) + 0.2 * name_similarity(schema, relation.schema)
    )
    matched = match_columns(table, relation)
    of_columns = sum(guess.similarity for guess in matched.values()) / len(table.columns())
    unmatched = 1 - len(matched) / max(1, len(relation.columns))
    return NAME_WEIGHT * of_names + COLUMNS_WEIGHT * max(0.0, of_columns - 0.1 * unmatched)


def match_columns(table: Table, relation: Relation) -> dict[str, ColumnGuess]:
    """The relation's columns that may be the model's, by the model's names; equal names first, each used once."""
    model_columns = table.columns()
    matched = {column: ColumnGuess(column, True) for column in model_columns if column in relation.columns}
    pairs = {
        (name, candidate): similarity
        for name, use in model_columns.items()
        if name not in matched
        for candidate, column in relation.columns.items()
        if candidate not in matched and (similarity := column_similarity(table, name, candidate)) >= POSSIBLE_COLUMN
        if use is None or fits(column, use)
    }
    while pairs:
        best = max(pairs, key=lambda pair: pairs[pair])
        matched[best[0]] = ColumnGuess(best[1], is_certain(pairs, best, CERTAIN_COLUMN), pairs[best])
        pairs = without_pair(pairs, best)
    return matched


def with_last_column(table: Table, relation: Relation, matched: dict[str, ColumnGuess]) -> dict[str, ColumnGuess]:
    """The matched columns in the model's order. If one column is missing and a single fitting one is left over, that
    is proposed."""
    taken = {guess.name for guess in matched.values()}
    missing = {name: use for name, use in table.columns().items() if name not in matched}
    if len(missing) == 1:
        [(name, use)] = missing.items()
        left_over = [
            candidate
            for candidate, column in relation.columns.items()
            if candidate not in taken and (use is None or fits(column, use))
        ]
        if len(left_over) == 1:
            matched = matched | {name: ColumnGuess(left_over[0], False, 0.0)}
    return {column: matched[column] for column in table.columns() if column in matched}


def column_similarity(table: Table, name: str, candidate: str) -> float:
    """How similar a column is to one of the model; a table's key is often called `id`."""
    is_id = (name,) == table.key_columns and candidate.casefold() == "id"
    return ID_IS_KEY if is_id else name_similarity(name, candidate)


@cache
def name_similarity(name: str, other: str) -> float:
    """How similar two names are: by the words they share, or by their letters, whichever is more."""
    if name == other:
        return 1.0
    words, other_words = words_of(name), words_of(other)
    shared = sum(len(word) for word in words if any(is_same_word(word, candidate) for candidate in other_words))
    shared_back = sum(len(word) for word in other_words if any(is_same_word(word, candidate) for candidate in words))
    by_words = 0.7 * shared / max(1, sum(map(len, words))) + 0.25 * shared_back / max(1, sum(map(len, other_words)))
    least = max(by_words, POSSIBLE_COLUMN)
    letters = difflib.SequenceMatcher(None, "".join(words), "".join(other_words), autojunk=False)
    if letters.real_quick_ratio() < least or letters.quick_ratio() < least:
        return by_words
    return max(by_words, letters.ratio())


@cache
def words_of(name: str) -> tuple[str, ...]:
    """`phoneNumber`, `Phone-Number` and `PHONE_NUMBER` are phone and number."""
    return tuple(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()))


def is_same_word(word: str, other: str) -> bool:
    """Whether two words are equal, or one is short for the other or its singular: desc and description."""
    short, long = sorted((word, other), key=len)
    return word == other or (len(short) > 2 and long.startswith(short))

"""Which tables and columns of a source may be the model's under other names: guessed by names, and by types that fit.

A guess is certain when it is good and no other is nearly as good; else it is only a proposal.
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

# From 0 (nothing alike) to 1 (the same). Tried on the sources of the tests (tests/test_suggestions.py).
POSSIBLE_TABLE, CERTAIN_TABLE = 0.4, 0.55
POSSIBLE_COLUMN, CERTAIN_COLUMN = 0.6, 0.75
# How much better than the next one a certain guess is.
LEAD = 0.05
# The likeness of an `id` to the model's key.
IS_KEY = 0.8
# What a table's name and its columns weigh.
NAME, COLUMNS = 0.35, 0.65


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """A column of the source that may be the model's; the same name is certain."""

    name: str
    certain: bool
    likeness: float = 1.0


@dataclass(frozen=True, slots=True)
class TableGuess:
    """A table of the model, and the one of the source that may be it, None where nothing is like it."""

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
        """The columns that nothing is like."""
        return [column for column in self.table.columns() if column not in self.columns]


def all_schemas(connection: Connection) -> list[str]:
    """Every schema of the database but PostgreSQL's own."""
    query = "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
    return [schema for (schema,) in connection.execute(query)]


def read_candidates(connection: Connection) -> dict[str, Relation]:
    """Every relation that may be one of the model's tables: no part of another, none that the model skips, none whose
    name cannot be written in the settings."""
    heirs = "select n.nspname || '.' || c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
    parts = {name for (name,) in connection.execute(f"{heirs} join pg_namespace n on n.oid = c.relnamespace")}
    return {
        name: relation
        for name, relation in read_catalog(connection, all_schemas(connection)).items()
        if name not in parts and name not in SKIPPED_TABLES and name.count(".") == 1
        if relation.kind in (TABLE, PARTITIONED, VIEW)
    }


def suggest(candidates: Mapping[str, Relation]) -> list[TableGuess]:
    """A guess for each table of the model, in its order; no table of the source is guessed twice.

    The best pair of all comes first, so that a table with its own name is taken by none that is only like it; a good
    one in the model's own schema comes before those elsewhere.
    """
    known = {table.name: table for table in tables()}
    pairs = {
        (name, real): like
        for name, table in known.items()
        for real, relation in candidates.items()
        if (like := likeness(table, relation)) >= POSSIBLE_TABLE
    }
    guesses: dict[str, TableGuess] = {}
    while pairs:
        best = max(
            pairs,
            key=lambda pair: (pairs[pair] >= CERTAIN_TABLE and schema_of(pair[0]) == schema_of(pair[1]), pairs[pair]),
        )
        certain = best[0] == best[1] or is_certain(pairs, best, CERTAIN_TABLE)
        table, relation = known[best[0]], candidates[best[1]]
        columns = with_the_last(table, relation, columns_of(table, relation))
        guesses[best[0]] = TableGuess(table, best[1], certain, columns)
        pairs = others(pairs, best)
    return [guesses.get(name, TableGuess(table)) for name, table in known.items()]


def schema_of(name: str) -> str:
    return name.partition(".")[0]


Pair = tuple[str, str]


def is_certain(pairs: dict[Pair, float], best: Pair, enough: float) -> bool:
    """Whether a pair is good, and no other of either of the two nearly as good."""
    rivals = [like for pair, like in pairs.items() if (pair[0] == best[0]) != (pair[1] == best[1])]
    return pairs[best] >= enough and pairs[best] - max(rivals, default=0.0) >= LEAD


def others(pairs: dict[Pair, float], taken: Pair) -> dict[Pair, float]:
    """The pairs of which neither is taken."""
    return {pair: like for pair, like in pairs.items() if pair[0] != taken[0] and pair[1] != taken[1]}


def certain_names(guesses: Iterable[TableGuess]) -> NameMapping:
    """The mapping that the certain guesses make."""
    sure = [guess for guess in guesses if guess.certain]
    columns = {
        guess.table.name: {column: each.name for column, each in guess.renamed_columns.items() if each.certain}
        for guess in sure
    }
    renamed = {guess.table.name: guess.name for guess in sure if guess.renamed and guess.name}
    return NameMapping(renamed, {table: names for table, names in columns.items() if names})


def likeness(table: Table, relation: Relation) -> float:
    """How much a relation is like a table of the model: by its name, and by how many of the columns are there."""
    schema, name = table.name.split(".")
    named = (
        1.0
        if relation.full_name == table.name
        else 0.8 * alike(name, relation.name) + 0.2 * alike(schema, relation.schema)
    )
    found = columns_of(table, relation)
    there = sum(guess.likeness for guess in found.values()) / len(table.columns())
    spare = 1 - len(found) / max(1, len(relation.columns))
    return NAME * named + COLUMNS * max(0.0, there - 0.1 * spare)


def columns_of(table: Table, relation: Relation) -> dict[str, ColumnGuess]:
    """The columns of a relation that are, or may be, the model's; each at most once, those of the same name first."""
    wanted = table.columns()
    found = {column: ColumnGuess(column, True) for column in wanted if column in relation.columns}
    likes = {
        (name, real): like
        for name, use in wanted.items()
        if name not in found
        for real, column in relation.columns.items()
        if real not in found and (like := like_column(table, name, real)) >= POSSIBLE_COLUMN
        if use is None or fits(column, use)
    }
    while likes:
        best = max(likes, key=lambda pair: likes[pair])
        found[best[0]] = ColumnGuess(best[1], is_certain(likes, best, CERTAIN_COLUMN), likes[best])
        likes = others(likes, best)
    return found


def with_the_last(table: Table, relation: Relation, found: dict[str, ColumnGuess]) -> dict[str, ColumnGuess]:
    """The columns with one more in the model's order: where one is missing, and only one that fits is left, it may be
    that one."""
    taken = {guess.name for guess in found.values()}
    missing = {name: use for name, use in table.columns().items() if name not in found}
    for name, use in missing.items():
        left = [
            real
            for real, column in relation.columns.items()
            if real not in taken and (use is None or fits(column, use))
        ]
        if len(missing) == len(left) == 1:
            found = found | {name: ColumnGuess(left[0], False, 0.0)}
    return {column: found[column] for column in table.columns() if column in found}


def like_column(table: Table, name: str, real: str) -> float:
    """How much a column is like one of the model; the key of a table is often called `id`."""
    return IS_KEY if (name,) == table.key_columns and real.casefold() == "id" else alike(name, real)


@cache
def alike(name: str, other: str) -> float:
    """How much two names are alike: by the words that they share, or by their letters."""
    if name == other:
        return 1.0
    words, others = words_of(name), words_of(other)
    shared = sum(len(word) for word in words if any(same(word, each) for each in others))
    back = sum(len(each) for each in others if any(same(word, each) for word in words))
    by_words = 0.7 * shared / max(1, sum(map(len, words))) + 0.25 * back / max(1, sum(map(len, others)))
    least = max(by_words, POSSIBLE_COLUMN)
    letters = difflib.SequenceMatcher(None, "".join(words), "".join(others), autojunk=False)
    if letters.real_quick_ratio() < least or letters.quick_ratio() < least:
        return by_words
    return max(by_words, letters.ratio())


@cache
def words_of(name: str) -> tuple[str, ...]:
    """`phoneNumber`, `Phone-Number` and `PHONE_NUMBER` are phone and number."""
    return tuple(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()))


def same(word: str, other: str) -> bool:
    """Whether two words are one, shortened or in the plural: desc and description, wallet and wallets."""
    short, long = sorted((word, other), key=len)
    return word == other or (len(short) > 2 and long.startswith(short))

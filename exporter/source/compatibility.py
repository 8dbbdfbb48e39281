"""The source compared with the model: every difference at once, each with what to do about it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.model.graph import SKIPPED_TABLES
from exporter.model.tables import Table, Use, tables
from exporter.model.validate import problems
from exporter.model.vocabulary import IdRule, Type
from exporter.source.catalog import FOREIGN, MATERIALIZED, VIEW, Login, Relation
from exporter.source.columns import accepted, fits, is_cast
from exporter.source.mapping import NameMapping, nearest
from exporter.text import visible

# How many names a sentence lists before it only counts the rest.
NAMES_SHOWN = 4
ROLE_SCRIPT = "docs/source-role.sql has all that the role needs, or:"


class Severity(StrEnum):
    ERROR = "error"  # the source cannot be exported
    WARNING = "warning"  # it can, but somebody should take a look
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: where (a table or column), what it is, and what to do about it."""

    severity: Severity
    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return visible(f"{self.where}: {self.what}" + (f"; {self.remedy}" if self.remedy else ""))


@dataclass(frozen=True, slots=True)
class Guesses:
    """What missing tables, and missing columns by their table and name, are probably called in the source; all names
    but the guesses are the model's."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)


NO_GUESSES = Guesses()


def examine(
    catalog: Mapping[str, Relation], mapping: NameMapping, login: Login, guesses: Guesses = NO_GUESSES
) -> list[Finding]:
    """All differences between the source and the model, errors first, in the model's order; if the model itself is
    faulty, only its faults."""
    if faults := examine_model():
        return faults
    found = {table: catalog[mapping.table(table.name)] for table in tables() if mapping.table(table.name) in catalog}
    if not found:
        return [nothing_there(login, guesses)]
    findings = [*missing_tables(catalog, mapping, guesses), *missing_privileges(found.values(), login)]
    for table, relation in found.items():
        findings += examine_table(table, relation, mapping, login, guesses)
    mapped = {mapping.table(table.name) for table in tables()}
    findings += [
        Finding(Severity.WARNING, name, "is neither mapped nor on the skip list", "it is not exported")
        for name in sorted(catalog)
        if name not in mapped and name not in SKIPPED_TABLES
    ]
    return by_severity(findings)


def examine_model() -> list[Finding]:
    """The faults of the model itself; a source cannot be compared with a faulty model."""
    return [Finding(Severity.ERROR, "model", problem, "correct exporter/model") for problem in problems()]


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The most severe first, otherwise in their order."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def nothing_there(login: Login, guesses: Guesses) -> Finding:
    """The finding of a database without any of the model's tables."""
    what = f"none of the model's {len(tables())} tables is in it"
    if guesses.tables:
        similar = listed(list(guesses.tables.values()))
        return Finding(
            Severity.ERROR, login.database, f"{what}, but there are similar ones: {similar}", "map their names"
        )
    return Finding(Severity.ERROR, login.database, what, "is it the right database?")


def missing_tables(catalog: Mapping[str, Relation], mapping: NameMapping, guesses: Guesses) -> Iterable[Finding]:
    """A finding for each missing table; only one for those of a schema in which there is nothing."""
    taken = {mapping.table(table.name) for table in tables()} | SKIPPED_TABLES
    free = [name for name in catalog if name not in taken]
    filled = {relation.schema for relation in catalog.values()}
    absent: dict[str, list[Table]] = {}
    for table in tables():
        name = mapping.table(table.name)
        if name in catalog:
            continue
        schema = name.partition(".")[0]
        if schema in filled:
            guess = guesses.tables.get(table.name)
            near = f", the nearest is {guess}" if guess else nearest(name, free)
            yield Finding(
                Severity.ERROR, label(name, table), f"no such table{near}", "create it, or map its name under [tables]"
            )
        else:
            absent.setdefault(schema, []).append(table)
    for schema, missing in absent.items():
        similar = [guesses.tables[table.name] for table in missing if table.name in guesses.tables]
        near = f"; similar: {listed(similar)}" if similar else ""
        names = listed([mapping.table(table.name).partition(".")[2] for table in missing])
        what = f"no such schema, or nothing in it, for {names}{near}"
        yield Finding(Severity.ERROR, schema, what, "create the tables, or map their names under [tables]")


def missing_privileges(relations: Iterable[Relation], login: Login) -> Iterable[Finding]:
    """What the role may not read, with the statement that allows it: one finding for schemas, one for tables."""
    relations = list(relations)
    role = quoted(login.role)
    if schemas := list(dict.fromkeys(relation.schema for relation in relations if not relation.usable)):
        grant = f"GRANT USAGE ON SCHEMA {', '.join(map(quoted, schemas))} TO {role};"
        what = f"no USAGE on the schema{'s' * (len(schemas) > 1)} {listed(schemas)}"
        yield Finding(Severity.ERROR, login.role, what, f"{ROLE_SCRIPT} {grant}")
    if unreadable := [relation for relation in relations if not relation.readable]:
        names = [f"{quoted(relation.schema)}.{quoted(relation.name)}" for relation in unreadable]
        what = f"no SELECT on {listed([relation.full_name for relation in unreadable])}"
        grant = f"GRANT SELECT ON {', '.join(names)} TO {role};"
        yield Finding(Severity.ERROR, login.role, what, grant if schemas else f"{ROLE_SCRIPT} {grant}")


def examine_table(
    table: Table, relation: Relation, mapping: NameMapping, login: Login, guesses: Guesses
) -> list[Finding]:
    """The findings of one table that is there, but for privileges."""
    where = label(relation.full_name, table)
    findings: list[Finding] = []
    if relation.kind in (MATERIALIZED, FOREIGN):
        kind = "materialized view" if relation.kind == MATERIALIZED else "foreign table"
        findings.append(Finding(Severity.ERROR, where, f"is a {kind}, which no lock protects", "map its base table"))
    elif relation.unprotected:
        what = f"has rows of {listed(relation.unprotected)}: no lock protects foreign tables and materialized views"
        remedy = "map a table or view without them"
        findings.append(Finding(Severity.ERROR, where, what, remedy))
    if relation.row_security:
        remedy = f"it would hide rows; a superuser can decide:  ALTER ROLE {quoted(login.role)} BYPASSRLS;"
        findings.append(Finding(Severity.ERROR, where, "row-level security applies to this role", remedy))
    if relation.kind == VIEW:
        findings.append(Finding(Severity.NOTE, where, "is a view", "the order of rows with the same key is undefined"))
    used = {mapping.column(table.name, name) for name in table.columns()}
    free = [name for name in relation.columns if name not in used]
    for name, use in table.columns().items():
        real = mapping.column(table.name, name)
        if real in relation.columns:
            findings += examine_column(relation, real, use, f"{where}.{real}")
            continue
        guess = guesses.columns.get((table.name, name))
        near = f", the nearest is {guess}" if guess else nearest(real, free)
        remedy = f'add it, or map its name under [columns."{table.name}"]'
        findings.append(Finding(Severity.ERROR, f"{where}.{real}", f"no such column{near}", remedy))
    return findings


def examine_column(relation: Relation, name: str, use: Use | None, where: str) -> list[Finding]:
    """The findings of one column that is there; `name` is its real name."""
    column = relation.columns[name]
    if use is None:
        return []
    wanted = f"an ID ({use.replace('_', ' ')})" if isinstance(use, IdRule) else f"a {use}"
    if not fits(column, use):
        what = f"type {column.type} does not fit {wanted}"
        return [Finding(Severity.ERROR, where, what, f"accepted: {accepted(use)}")]
    if is_cast(column, use):
        how = "is read digit by digit, as text" if use is Type.DOUBLE else f"is cast to be read as {wanted}"
        return [Finding(Severity.NOTE, where, f"type {column.type} {how}")]
    return []


def label(name: str, table: Table) -> str:
    """How a finding names a table: by its real name, and if that differs, also by the model's."""
    return name if name == table.name else f"{name} (for {table.name})"


def listed(names: Iterable[str]) -> str:
    """`a, b, c, d and 31 more`."""
    names = list(names)
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def quoted(name: str) -> str:
    """A name as SQL has it: in quotes if it needs them."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


# PostgreSQL's reserved words, which are names only in quotes.
RESERVED = frozenset(
    """all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
    unique user using variadic verbose when where window with""".split()  # noqa: SIM905
)

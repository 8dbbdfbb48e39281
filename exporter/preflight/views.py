"""Mapped views, tried out: each is planned and one row of it is read, since only that shows whether its query works."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from exporter.model.tables import Table, tables
from exporter.source.catalog import Relation
from exporter.source.columns import expression
from exporter.source.compatibility import Finding, Severity, label, quoted
from exporter.source.connection import Connection
from exporter.source.mapping import NameMapping
from exporter.source.select import SourceTable

STATEMENT_TIMEOUT, LOCK_TIMEOUT = "10s", "1s"

SEARCH_PATH = "the exporter's search_path is pg_catalog: qualify the names in its functions, or give them a search_path"
# What to do about an error of a view's query, by SQLSTATE.
REMEDIES = {
    "42501": "a view reads with its owner's rights, with security_invoker with this role's: grant what is missing",
    "42P01": SEARCH_PATH,
    "42883": SEARCH_PATH,
}
# PostgreSQL's own functions whose words name objects only; those of a function that raises an error may be values.
NAMING = {"aclcheck_error", "check_enable_rls", "parserOpenTable", "ParseFuncOrColumn"}


def try_views(
    connection: Connection, catalog: Mapping[str, Relation], mapping: NameMapping, timezone: str
) -> list[Finding]:
    """A finding for each mapped view whose query fails; views that lack a column or privilege are left out."""
    findings = []
    for table in tables():
        relation = catalog.get(mapping.table(table.name))
        if relation is None or relation.is_table or not (relation.usable and relation.readable):
            continue
        if all(mapping.column(table.name, name) in relation.columns for name in table.columns()):
            findings += try_view(connection, SourceTable(relation, table, mapping, timezone))
    return findings


def try_view(connection: Connection, source: SourceTable) -> list[Finding]:
    """What is wrong with a view's query, if anything."""
    where = label(source.relation.full_name, source.table)
    try:
        with connection.transaction():
            for name, value in (("statement_timeout", STATEMENT_TIMEOUT), ("lock_timeout", LOCK_TIMEOUT)):
                connection.execute("select set_config(%s, %s, true)", [name, value])
            connection.execute(one_row(source.table, source))
    except psycopg.errors.QueryCanceled:
        what = f"is a view whose first row takes longer than {STATEMENT_TIMEOUT}, so it was not tried"
        return [Finding(Severity.WARNING, where, what, "an export reads all of it")]
    except psycopg.errors.LockNotAvailable:
        what = "is a view that was not tried: a table below it is locked right now"
        return [Finding(Severity.WARNING, where, what, "an export waits for it")]
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        state = error.sqlstate or ""
        words = f"{error.diag.message_primary}; " if error.diag.source_function in NAMING else ""
        name = f"{quoted(source.relation.schema)}.{quoted(source.relation.name)}"
        remedy = REMEDIES.get(state, f"correct the view; SELECT * FROM {name} LIMIT 1 says more")
        return [Finding(Severity.ERROR, where, f"is a view whose query fails: {words}SQLSTATE {state}", remedy)]
    return []


def one_row(table: Table, source: SourceTable) -> sql.Composed:
    """The query for one row of a view, with the columns as an export reads them."""
    selected = [
        expression(source.column(name), use, source=source.quoted(name), timezone=source.timezone, fallback=True)
        for name, use in table.uses().items()
    ]
    return sql.SQL("select {} from {} limit 1").format(sql.SQL(", ").join(selected), source.name)

"""The values that enough rows of a table have: what a masked copy keeps of a city or a bank."""

import psycopg
from psycopg import sql

from exporter.model.redaction import Rules, column_rules
from exporter.model.tables import tables
from exporter.model.treatments import Treatment
from exporter.source.categories import CONTROLS
from exporter.source.leader import Source
from exporter.source.masking import Masking, text_of_column
from exporter.source.refusals import run_error
from exporter.source.select import SourceTable

# A value of fewer rows is not common.
COMMON_ROWS = 20


def masking_of(source: Source, rules: Rules, timezone: str) -> Masking:
    """How a source's columns are masked by some rules: its common values are read in the snapshot. Raises `RunError`
    when the source fails."""
    relations = source.relations()
    common = {}
    for table in tables():
        for name, rule in column_rules(table, rules).items():
            if rule.treatment is Treatment.COMMON:
                of_table = SourceTable(relations[table.name], table, source.mapping, timezone)
                common[table.name, name] = common_values(source.connection, of_table, name)
    return Masking(rules, common)


def common_values(connection: psycopg.Connection[tuple[str]], source: SourceTable, name: str) -> list[str]:
    """The values of a column, as text, that enough rows of the table have."""
    text = text_of_column(source.column(name), source.quoted(name))
    query = sql.SQL(
        "select value from (select {} as value from {}) texts where value !~ {}"
        " group by value having count(*) >= {} order by value"
    ).format(text, source.name, sql.Literal(f"[{CONTROLS}]"), COMMON_ROWS)
    try:
        return [value for (value,) in connection.execute(query)]
    except psycopg.Error as error:
        raise run_error(error, f"counting the values of {source.table.name}.{name}") from None

"""Time zones: whether the server takes a zone's name for what the IANA database calls so.

AT TIME ZONE takes an abbreviation before a zone of the same name (CET, MET, EET and WET are abbreviations without
summer time), by the server's `timezone_abbreviations`; and a server may lack names that its tzdata no longer has.
"""

import psycopg

from exporter.model.tables import tables
from exporter.source.catalog import Relation
from exporter.source.columns import TEMPORAL
from exporter.source.connection import Connection
from exporter.source.mapping import NameMapping
from exporter.source.refusals import run_error

# Every rule of a zone holds for longer than the step. In a session of the zone a cast asks the zone, never an
# abbreviation.
COMPARISON = """
select count(*) from generate_series('1800-01-01'::timestamp, '2100-01-01', '10 days') moments (moment)
where moment::timestamptz <> moment at time zone %s
"""


def zoneless_columns(catalog: dict[str, Relation], mapping: NameMapping) -> list[str]:
    """The columns, by their full real names, whose timestamps have no zone and are exported as moments."""
    found = []
    for table in tables():
        relation = catalog.get(mapping.table(table.name))
        for name, use in table.columns().items() if relation else ():
            real = mapping.column(table.name, name)
            column = relation.columns.get(real) if relation else None
            if column and column.base == "timestamp" and (use is None or use in TEMPORAL):
                found.append(f"{mapping.table(table.name)}.{real}")
    return found


def zone_fault(connection: Connection, zone: str) -> str | None:
    """Why this server would take timestamps of a zone for other moments than the IANA database does, or cannot; None if
    it takes them right. The connection must be in no transaction. Raises `RunError` if the source fails."""
    if zone == "UTC":
        return None
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("select set_config('TimeZone', %s, true)", [zone])
            different = connection.execute(COMPARISON, [zone]).fetchone()
    except psycopg.errors.InvalidParameterValue:
        return f"the server does not know the time zone {zone}; its older or newer name may do (--timezone)"
    except psycopg.Error as error:
        raise run_error(error, "asking for the time zone") from None
    if different == (0,):
        return None
    return (
        f"the server takes {zone} for an abbreviation, with other moments than the time zone has; give --timezone a"
        " place of that zone, such as Europe/Berlin for CET"
    )

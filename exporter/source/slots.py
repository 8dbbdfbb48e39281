"""How many more sessions a source grants to a role."""

import psycopg

from exporter.source.connection import Connection
from exporter.source.refusals import run_error

# Left free: for a short session beside the readers (the watchdog's), and for somebody who must look at the server.
SPARE = 2

# Sessions of all roles count for the server's and the database's limits; -1 is no limit. What kind of session another
# role's is, is not told: those of users have a role and a database.
SLOTS = """
select least(
  current_setting('max_connections')::int
    - (select sum(setting::int) from pg_settings
       where name in ('superuser_reserved_connections', 'reserved_connections'))
    - count(*),
  case when r.rolconnlimit >= 0 and not r.rolsuper
       then r.rolconnlimit - count(*) filter (where a.usesysid = r.oid) end,
  case when d.datconnlimit >= 0 and not r.rolsuper
       then d.datconnlimit - count(*) filter (where a.datid = d.oid) end)
from pg_roles r, pg_database d, pg_stat_activity a
where r.rolname = current_user and d.datname = current_database() and a.datid is not null and a.usesysid is not null
group by r.oid, r.rolconnlimit, r.rolsuper, d.oid, d.datconnlimit
"""


def free_sessions(connection: Connection) -> int:
    """How many sessions this connection's role can still begin, but for `SPARE`. Raises `RunError` if the source
    fails."""
    try:
        row = connection.execute(SLOTS).fetchone()
    except psycopg.Error as error:
        raise run_error(error, "counting the free sessions") from None
    return max(0, int(row[0]) - SPARE) if row else 0

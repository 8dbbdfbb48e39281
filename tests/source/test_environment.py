"""libpq's environment: whatever it sets, an export's connections are the same, or a sentence says what is wrong."""

from pathlib import Path

import connectorx
import psycopg
import pytest
from psycopg.pq import Conninfo

from exporter.errors import ExporterError
from exporter.source.connection import connect
from exporter.source.reader_address import worker_address

LIBPQ = "libpq cannot use the source URI and its environment: "
TEXTS = (
    "select 0.1::float8 + 0.2::float8 as f, ('2026-03-04 05:06:07+00'::timestamptz)::text as t, 'ä'::text as a,"
    " interval '1 day 2 hours'::text as i"
)
ROW = {"f": 0.1 + 0.2, "t": "2026-03-04 05:06:07+00", "a": "ä", "i": "1 day 02:00:00"}

# Each variable, a value, and the end of the message; nothing where the rows are as ever. Where libpq itself takes a
# value that is not there, or means nothing on a socket, so do we.
VARIABLES = [
    ("PGHOST", "db.invalid", ""),  # the URI has a host
    ("PGHOSTADDR", "", ""),
    ("PGPORT", "1", ""),
    ("PGDATABASE", "nothing", ""),
    ("PGUSER", "nobody", ""),
    ("PGPASSWORD", "secret", ""),
    ("PGPASSFILE", "/nowhere", ""),
    ("PGSERVICE", "nowhere", LIBPQ + 'definition of service "nowhere" not found'),
    ("PGSERVICEFILE", "/nowhere", ""),
    ("PGSYSCONFDIR", "/nowhere", ""),
    ("PGLOCALEDIR", "/nowhere", ""),
    ("PGOPTIONS", "-c DateStyle=SQL -c TimeZone=Japan", ""),
    ("PGOPTIONS", "-c a.b", "FATAL: -c a.b requires a value"),
    ("PGAPPNAME", "a b", ""),
    ("PGDATESTYLE", "SQL, DMY", ""),
    ("PGTZ", "Asia/Tokyo", ""),
    ("PGTZ", "Mars", 'FATAL: invalid value for parameter "TimeZone": "Mars"'),
    ("PGGEQO", "off", ""),
    ("PGCLIENTENCODING", "LATIN1", ""),
    ("PGCLIENTENCODING", "SQL_ASCII", ""),
    ("PGCONNECT_TIMEOUT", "2", ""),
    ("PGCONNECT_TIMEOUT", "soon", LIBPQ + "connect_timeout must be a whole number"),
    ("PGSSLMODE", "disable", ""),
    ("PGSSLMODE", "requir", LIBPQ + 'invalid sslmode value: "requir"'),
    ("PGSSLNEGOTIATION", "postgres", ""),
    ("PGSSLCOMPRESSION", "1", ""),
    ("PGSSLCERT", "/nowhere", ""),
    ("PGSSLKEY", "/nowhere", ""),
    ("PGSSLCERTMODE", "allow", ""),
    ("PGSSLROOTCERT", "/nowhere", ""),
    ("PGSSLCRL", "/nowhere", "sslcrl is not supported: the readers cannot verify it"),
    ("PGSSLCRLDIR", "/nowhere", "sslcrldir is not supported: the readers cannot verify it"),
    ("PGSSLSNI", "0", ""),
    ("PGSSLMINPROTOCOLVERSION", "TLSv1.3", ""),
    ("PGSSLMAXPROTOCOLVERSION", "TLSv1.2", ""),
    ("PGREQUIRESSL", "0", ""),
    ("PGREQUIREPEER", "nobody", '"nobody", but actual peer user name is'),
    ("PGREQUIREAUTH", "none", ""),
    ("PGREQUIREAUTH", "password", "server did not complete authentication"),
    ("PGCHANNELBINDING", "require", "server authenticated client without channel binding"),
    ("PGMINPROTOCOLVERSION", "3.0", ""),
    ("PGMAXPROTOCOLVERSION", "3.0", ""),
    ("PGGSSENCMODE", "prefer", ""),
    ("PGGSSENCMODE", "require", "the readers have no GSS encryption; use TLS (sslmode)"),
    ("PGKRBSRVNAME", "postgres", ""),
    ("PGGSSLIB", "gssapi", ""),
    ("PGGSSDELEGATION", "0", ""),
    ("PGTARGETSESSIONATTRS", "read-write", ""),
    ("PGTARGETSESSIONATTRS", "standby", "server is not in hot standby mode"),
    ("PGLOADBALANCEHOSTS", "random", ""),
]


def test_every_variable_is_tried() -> None:
    """All that this libpq knows by itself, beside those that it takes without an option of their own."""
    assert {option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar} <= {
        name for name, _, _ in VARIABLES
    }


@pytest.mark.parametrize(("name", "value", "message"), VARIABLES)
def test_a_variable(
    postgres: str, name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The leader's rows and a reader's, or what is wrong."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(name, value)
    try:
        with connect(postgres, "exporter test", lock_seconds=1) as leader:
            address = worker_address(leader, "exporter test reader", lock_seconds=1)
            leader.row_factory = psycopg.rows.dict_row  # type: ignore[assignment]
            rows = [leader.execute(TEXTS).fetchone()]
        monkeypatch.delenv(name)
        query = address.marked(TEXTS)
        uri = address.of_reader("00c0ffee")
        rows += connectorx.read_sql(uri, query, return_type="arrow", protocol="binary").to_pylist()
    except ExporterError as error:
        assert message
        assert str(error).rpartition(message)[1] == message, str(error)
    else:
        assert (rows, message) == ([ROW, ROW], "")

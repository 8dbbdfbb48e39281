"""Makes the dirty source: the schema, the values at the edges, the rows, and a database whose settings mislead."""

from pathlib import Path

import psycopg

from .expectations import compute

HERE = Path(__file__).parent

# None of them may change a byte of an export, or end it.
MISLEADING_SETTINGS = {
    "timezone": "Asia/Kolkata",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "-3",
    "search_path": "nowhere",
    "idle_in_transaction_session_timeout": "2s",
    "transaction_timeout": "4s",
}


def fill(uri: str) -> None:
    """Fills the empty database of `uri` with the dirty source, and with what an export of it must hold."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for name in ("dirty_schema.sql", "edge_values.sql", "dirty_rows.sql"):
            connection.execute((HERE / name).read_text(encoding="utf-8"))
        compute(connection)
        for setting, value in MISLEADING_SETTINGS.items():
            connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting} = '{value}'")

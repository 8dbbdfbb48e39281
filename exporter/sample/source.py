"""The sample source: a week of AstroKiran generated from a seed, with real-life anomalies in stated amounts."""

import json
import math
from collections.abc import Mapping
from importlib.resources import files

import psycopg
from psycopg import sql

from exporter.errors import UsageError
from exporter.sample.anomalies import inject_anomalies

# The week's rows from the data summary of `domain-model.md`, by what the sample counts; other tables follow from these.
WEEK = {
    "customers": 2989,
    "guides": 35,
    "staff": 222,
    "profiles": 3442,
    "devices": 3039,
    "sessions": 3274,
    "logins": 7036,
    "otps": 3762,
    "guide skills": 71,
    "guide languages": 63,
    "saved messages": 60,
    "consultations": 864,
    "orders": 749,
    "agora sessions": 749,
    "feedback": 131,
    "metrics": 514,
    "payments": 1393,
    "reservations": 689,
    "paid consumptions": 564,
    "milestones": 629,
    "leads": 42,
    "notifications": 15559,
}
# The sizes that add up to about 100,000 rows at scale 1, and the smallest with room for every kind of anomaly.
WEEKS = 1.72
FEWEST = 40

# Kind of anomaly -> rows.
Anomalies = Mapping[str, int]

CHOICES = sql.SQL("""
CREATE SCHEMA sample;
CREATE FUNCTION sample.draw(purpose text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashint8extended(n, hashtextextended(purpose COLLATE "C", {seed})) & 9223372036854775807 $$;
CREATE FUNCTION sample.size(name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT ({sizes}::jsonb ->> name)::bigint $$;
""")

FILLS = ("words", "reference", "people", "consultations", "money", "offers", "skipped")


def fill_sample(uri: str, *, scale: float = 1.0, seed: int = 7) -> Anomalies:
    """Creates the source's tables in the empty database of `uri` and fills them; returns what is wrong with the rows.

    At scale 1 it has about 100,000 rows; other scales multiply all but the reference tables. The same scale and seed
    make the same rows. Raises `UsageError` for a scale that is not above 0.
    """
    if not 0 < scale < math.inf:
        raise UsageError(f"The sample cannot have the scale {scale}: give a number above 0, such as 0.1 or 10.")
    sizes = {name: max(FEWEST, round(rows * WEEKS * scale)) for name, rows in WEEK.items()}
    create_tables(uri)
    with psycopg.connect(uri) as connection:
        # The meaning of timestamps must not depend on the server's time zone, nor their text on its style.
        connection.execute("SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'")
        connection.execute(CHOICES.format(seed=sql.Literal(seed), sizes=sql.Literal(json.dumps(sizes))))
        for name in FILLS:
            connection.execute(_text(f"fill/{name}.sql"))
        connection.execute("ANALYZE")
        anomalies = inject_anomalies(connection, scale)
        connection.execute("DROP SCHEMA sample CASCADE")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # the anomalies left dead rows, and the exporter plans by statistics
    return anomalies


def create_tables(uri: str) -> None:
    """Creates the schemas and the source's tables, empty, and no others, in the database of `uri`."""
    with psycopg.connect(uri) as connection:
        connection.execute(_text("schema.sql"))


def _text(name: str) -> str:
    return files("exporter.sample").joinpath(name).read_text(encoding="utf-8")

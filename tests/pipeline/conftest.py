"""Sources that several files of these tests begin with."""

import psycopg
import pytest

from exporter.sample.postgres import create_database
from tests.oracle import source


@pytest.fixture(scope="session")
def dirty_database(postgres: str) -> str:
    """The URI of the dirty rows in columns of the widest types, to be copied: nobody changes it."""
    uri = create_database(postgres, "dirty")
    with psycopg.connect(uri, autocommit=True) as connection:
        source.fill(connection)
    return uri

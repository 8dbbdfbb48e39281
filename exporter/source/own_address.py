"""The address that a worker on another machine makes for itself, from its own environment: no password travels."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from exporter.errors import UsageError
from exporter.source.connection import Connection, session
from exporter.source.masking_key import read_key
from exporter.source.queries import Address, OwnAddress
from exporter.source.reader_address import worker_address

SOURCE, KEY_FILE = "EXPORTER_SOURCE", "EXPORTER_REDACT_KEY_FILE"


@lru_cache(maxsize=1)
def own_address(own: OwnAddress) -> Address:
    """The address with which connectorx reaches the source that this worker's environment names.

    Raises as `connection.connect` does, `SourceError` if connectorx cannot be as strict, `UsageError` if the
    environment names no source, or another key than the leader's.
    """
    with own_session(own) as connection:
        return address_from(connection, own)


def address_from(connection: Connection, own: OwnAddress) -> Address:
    """The address of the server that a connection has reached. Raises as `own_address` does."""
    return worker_address(connection, own.application, lock_seconds=own.lock_seconds, settings=key_settings(own))


@contextmanager
def own_session(own: OwnAddress) -> Iterator[Connection]:
    """A connection to the source that this worker's environment names. Raises as `own_address` does."""
    uri = os.environ.get(SOURCE)
    if not uri:
        raise UsageError(f"no source is set: set {SOURCE} in the worker's environment")
    with session(uri, own.application.replace(" reader", " worker"), lock_seconds=own.lock_seconds) as connection:
        yield connection


def key_settings(own: OwnAddress) -> dict[str, str] | None:
    """The settings by which a session masks values, made from this worker's own key; None for a faithful export."""
    if own.key_id is None:
        return None
    path = os.environ.get(KEY_FILE)
    if not path:
        raise UsageError(f"no redaction key is set: set {KEY_FILE} in the worker's environment")
    key = read_key(Path(path))
    if key.id != own.key_id:
        raise UsageError(f"the redaction key of {KEY_FILE} is not the leader's; copy that one to {path}")
    return key.settings()

"""What tells one source from another, for the manifest (contract.md, `identity`)."""

import ipaddress
from contextlib import suppress

import psycopg

from exporter.source.connection import Connection
from exporter.source.refusals import run_error


def source_identity(connection: Connection) -> str:
    """`postgresql:7301234567890123456/astrokiran`: the server's system identifier and the database, the same from any
    host and on a standby. Where the server does not tell it, `postgresql:db.example.org:5432/astrokiran`, with
    localhost for a socket and a loopback address.

    The connection must not be in a transaction, which a server that refuses would abort. Raises `RunError` if the
    connection is lost.
    """
    try:
        row = connection.execute("select system_identifier from pg_catalog.pg_control_system()").fetchone()
    except psycopg.Error as error:
        # Every role may ask, unless an administrator revoked that; services that only speak PostgreSQL's protocol
        # do not have the function.
        if connection.closed:
            raise run_error(error, "asking which server it is") from None
        row = None
    info = connection.info
    server = str(row[0]) if row and row[0] else f"{host_name(info.host)}:{info.port}"
    return f"postgresql:{server}/{info.dbname}"


def host_name(host: str) -> str:
    """A host's name in small letters; localhost for this host by whatever name or socket."""
    if not host or host.startswith(("/", "@")):  # @: an abstract socket
        return "localhost"
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return "localhost"
    return host.lower()

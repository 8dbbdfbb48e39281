"""What a worker of a cluster proves of its own way to the source before a run: that it leads to the leader's server,
database, role and snapshot."""

import asyncio
import re
from dataclasses import dataclass

import psycopg

from exporter.errors import ExporterError
from exporter.model.render import model_sha256
from exporter.source.connection import Connection
from exporter.source.identity import source_identity
from exporter.source.own_address import address_from, own_session
from exporter.source.queries import OwnAddress

PROOF = "select pg_postmaster_start_time()::text, current_database(), current_user"
# An identity that the server has told; otherwise it is the name by which somebody calls its host.
TOLD = re.compile(r"postgresql:\d+/")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the leader's session says of its server, and its snapshot. `model` is the SHA-256 of the graph's model."""

    started: str
    database: str
    role: str
    identity: str
    snapshot: str
    model: str

    def __repr__(self) -> str:
        return "Proof(…)"


def proof_of(connection: Connection, identity: str, snapshot: str) -> Proof:
    """What workers compare with theirs, from the leader's connection. Raises psycopg's errors."""
    row = connection.execute(PROOF).fetchone()
    assert row is not None
    started, database, role = row
    return Proof(started, database, role, identity, snapshot, model_sha256())


async def source_faults(own: OwnAddress, proof: Proof) -> list[str]:
    """What is wrong with a worker's source, as sentences; run by Dask in its workers' loops."""
    return await asyncio.to_thread(find_faults, own, proof)


def find_faults(own: OwnAddress, proof: Proof) -> list[str]:
    """What is wrong with this worker's source."""
    if model_sha256() != proof.model:
        return ["has another graph model than the leader; install the same program everywhere"]
    try:
        with own_session(own) as connection:
            address_from(connection, own)
            return compared(connection, proof)
    except ExporterError as error:
        return [str(error)]


def compared(connection: Connection, proof: Proof) -> list[str]:
    """How a worker's session differs from the leader's. Raises psycopg's errors."""
    row = connection.execute(PROOF).fetchone()
    assert row is not None
    started, database, role = row
    identity = source_identity(connection)
    same_server = identity == proof.identity or not (TOLD.match(identity) and TOLD.match(proof.identity))
    if database != proof.database:
        return ["its source is another database than the leader's; set EXPORTER_SOURCE as the leader has it"]
    if started != proof.started or not same_server:
        return [
            "its source is another server than the leader's (a standby, a copy, or another host of that name);"
            " set EXPORTER_SOURCE to the leader's server"
        ]
    if role != proof.role:
        return ["it logs in to the source as another role than the leader; set EXPORTER_SOURCE as the leader has it"]
    try:
        connection.execute("begin isolation level repeatable read read only")
        connection.execute(f"set transaction snapshot '{proof.snapshot}'".encode())
        connection.execute("rollback")
    except psycopg.Error:
        return ["it cannot see the leader's snapshot; set EXPORTER_SOURCE to the leader's server, without a pooler"]
    return []

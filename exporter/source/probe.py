"""A reader tried before an export: whether connectorx reaches the source as the leader does."""

import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection as Pipe

import psycopg

from exporter.errors import ExporterError, SourceError
from exporter.interrupts import signals_blocked
from exporter.source.connection import Connection
from exporter.source.queries import Address
from exporter.source.reader_address import worker_address
from exporter.source.refusals import POOLER, run_error

# connectorx tries for 30 seconds to connect.
PROBE_SECONDS = 45


def probe_reader(connection: Connection, application: str, *, lock_seconds: int) -> None:
    """Reads one row by connectorx in a snapshot of this connection, which must be in no transaction, with the same
    settings, encryption and host as every reader of an export. Raises `SourceError` if that is impossible, `RunError`
    if the source fails."""
    try:
        with connection.transaction(force_rollback=True):
            address = worker_address(connection, f"{application} reader", lock_seconds=lock_seconds)
            row = connection.execute("select pg_export_snapshot()").fetchone()
            snapshot = row[0] if row else ""
            join = ["begin isolation level repeatable read read only", f"set transaction snapshot '{snapshot}'"]
            reason = ask(address, join)
    except psycopg.Error as error:
        raise run_error(error, "trying a reader") from None
    if reason:
        raise SourceError(reason)


def ask(address: Address, join: list[str]) -> str:
    """Why a spawned process cannot read a row; empty if it can. It is killed when it does not end: a reader that hangs
    reacts to nothing else."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=answer, args=(there, address, join), daemon=True)
    with signals_blocked():  # it ends when it is killed
        process.start()
    there.close()
    try:
        if not here.poll(PROBE_SECONDS):
            return f"a reader had no answer within {PROBE_SECONDS} seconds"
        with suppress(EOFError):  # killed
            return str(here.recv())
        return "a reader's process ended"
    finally:
        process.kill()
        process.join()


def answer(pipe: Pipe, address: Address, join: list[str]) -> None:
    """Reads a row, in a process of its own, and sends what `ask` returns."""
    # A panic in connectorx prints to descriptor 2 before Python sees it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from exporter.source.reader import read  # loads connectorx, which the leader does not need

    try:
        table = read(address, "select true as answer", join, "one row")
        pipe.send("" if table.num_rows == 1 else f"the source {POOLER}")
    except ExporterError as error:
        pipe.send(str(error))

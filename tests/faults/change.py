"""The suite of concurrent changes: while an export runs, transactions move a marker in all tables at once, and others
rewrite, lock and change tables. An export with two markers in it, or rows of another one, is of two snapshots."""

import csv
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg

from exporter.model.tables import tables
from exporter.model.treatments import Treatment
from exporter.sink.headers import columns
from exporter.sink.layout import NODES
from exporter.sink.manifest import read_manifest
from tests.faults.attempt import Attempt
from tests.faults.frame import Fault, Inject, under, unverified
from tests.faults.ground import Ground, sample_ground
from tests.faults.marker import REMAINDERS, Mover, marked, prepare, statement
from tests.faults.network import DEADLINE, recorded
from tests.faults.records import Suite
from tests.faults.wire import Link, Moment, Wire, wire
from tests.support.canaries import RULES

NAME = "change"
OPTIONS = ["--lock-timeout", "5s", "--stall-timeout", "20s", "--workers", "2"]
# How long a message of the server is held until the marker has moved.
HOLD_SECONDS = 3
MOST = 10_000

PARTITIONED = """
alter table notifications.notifications rename to stored;
create table notifications.notifications (like notifications.stored) partition by list (is_read);
create table notifications.of_read partition of notifications.notifications for values in (true);
create table notifications.of_unread partition of notifications.notifications for values in (false);
insert into notifications.notifications select * from notifications.stored;
drop table notifications.stored;
create table notifications.of_null (like notifications.notifications);
"""
# Of tables that no other one refers to. Locked first: a marker that moved between copying and emptying would be lost.
REFILLED = "begin; lock table {table} in access exclusive mode;" \
           " create temp table kept on commit drop as select * from {table}; truncate {table};" \
           " insert into {table} select * from kept; commit"  # fmt: skip
UNREFERENCED = ("marketing.leads", "wallet.invoices", "consultation.feedback")
OTHERS = (
    "analyze {table}",
    "vacuum {table}",
    "vacuum full {table}",
    "reindex table {table}",
    "alter table {table} add column added_{number} text default 'x'",
    "alter table {table} set (fillfactor = 50)",
    "create index added_{number} on {table} ({column})",
    "create index concurrently added_{number} on {table} ({column})",
    "begin; lock table {table} in access exclusive mode; select pg_sleep(0.1); rollback",
    "alter table {table} enable row level security; select pg_sleep(0.1);"
    " alter table {table} disable row level security",
    "alter table notifications.notifications attach partition notifications.of_null for values in (null)",
    "alter table notifications.notifications detach partition notifications.of_null",
    "cluster {table} using {index}",
    "update {table} set {column} = {column}",
    REFILLED,
)
INDEX = "select indexrelid::regclass::text from pg_index where indrelid = %s::regclass and indisprimary"


def suite() -> Suite:
    return Suite(NAME, changing_ground, faults)


@contextmanager
def changing_ground() -> Iterator[Ground]:
    """A ground with a partitioned table, in which the marker has been moved once."""
    with sample_ground() as ground:
        make_changing(ground)
        yield ground


def make_changing(ground: Ground) -> None:
    """Partitions a table of a ground, and moves the marker once."""
    with psycopg.connect(ground.admin, autocommit=True) as connection:
        connection.execute(PARTITIONED)
        connection.execute("grant select on all tables in schema notifications to public")
        prepare(connection)


def two_snapshots(ground: Ground, export: Path) -> str:
    """What shows that an export is not of one moment; nothing if it is, and `exporter verify` agrees."""
    manifest = read_manifest(export)
    markers: dict[float, str] = {}
    for table in tables():
        name = marked(table)
        if table.node is None or name is None or (ground.masked and is_hidden(table.node.label, name)):
            continue
        place = [column for column, _ in columns(table.node)].index(name)
        for path in (export / NODES / table.node.label).glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                markers |= {float(row[place] or "nan"): f"{table.name}" for row in csv.reader(file)}
    if len(markers) != 1:
        return f"markers of several moments: {markers}"
    [marker] = markers
    with psycopg.connect(ground.admin) as connection:
        for entry in manifest.entities:
            table = next(table for table in tables() if table.name == entry.table)
            [(rows,)] = connection.execute(statement("select count(*) from faults.{base}", table)).fetchall()
            if entry.table_rows != rows + marker % REMAINDERS:
                return f"{entry.table}: {entry.table_rows} rows, {rows} and {marker} modulo {REMAINDERS} are due"
    return unverified(export)


def is_hidden(label: str, name: str) -> bool:
    """Whether a masked copy does not have a marker in a property."""
    return RULES[f"{label}.{name}"].treatment not in (Treatment.KEEP, Treatment.CATEGORY)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Others at work, each time other ones, and a message of the server that is held until the marker has moved."""
    links = recorded(ground, two_snapshots)
    for number in range(MOST):
        chance = random.Random(f"{seed} {number}")
        link = chance.choice(links)
        moment = Moment(link.number, chance.randrange(len(link.messages)))
        where = f"{link.whose}'s connection {moment.connection}, message {moment.message}"
        yield Fault(
            NAME,
            f"{number}: moved at {where}",
            seed,
            under(meanwhile(moment, chance), deadline=DEADLINE, judge_whole=two_snapshots),
        )


def meanwhile(moment: Moment, chance: random.Random) -> Inject:
    """The injection of writers, of others who are at work, and of a message that waits for them."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        with (
            psycopg.connect(attempt.ground.admin, autocommit=True) as writing,
            psycopg.connect(attempt.ground.admin, autocommit=True) as other,
        ):
            mover = Mover(writing)
            threads = [
                threading.Thread(target=mover.move_on),
                threading.Thread(target=partial(work_on, other, chance, mover.over)),
            ]

            def happening(_: Wire, __: Link) -> None:
                before, held = mover.moves, threading.Event()
                for _tick in range(HOLD_SECONDS * 50):
                    if mover.moves > before + 1:  # the second one began after this moment
                        attempt.injected.set()
                        return
                    held.wait(0.02)

            with wire(attempt.uri, moment, happening) as proxy:
                attempt.uri = proxy.uri
                attempt.options += OPTIONS
                attempt.at_end.append(mover.over.set)
                for thread in threads:
                    thread.start()
                yield
            mover.over.set()
            for thread in threads:
                thread.join()

    return inject


def work_on(connection: psycopg.Connection, chance: random.Random, over: threading.Event) -> None:
    """Does what else happens to tables, one thing after the other, until it is over."""
    connection.execute("set lock_timeout = '300ms'; set session_replication_role = replica")
    while not over.wait(chance.random() * 0.1):
        text = chance.choice(OTHERS)
        table = chance.choice([table.node for table in tables() if table.node])
        name = chance.choice(UNREFERENCED) if text is REFILLED else table.table
        number = chance.randrange(10**9)
        with suppress(psycopg.Error):
            [(index,)] = connection.execute(INDEX, [name]).fetchall() or [("none",)]
            words = {"table": name, "column": table.key.columns[0], "number": number, "index": index}
            for part in text.format(**words).split(";"):
                connection.execute(part.encode())
        with suppress(psycopg.Error):
            connection.execute("rollback")
            connection.execute(f"alter table {name} disable row level security".encode())
            connection.execute(f"alter table {name} drop column if exists added_{number}".encode())

"""A source with tables that stall on demand, so that a run can be disturbed in the middle of a stage."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg
from psycopg import sql

from tests.support.export_process import Run, running

# `test.stall`, set on the database, is a pattern of which table stalls and for whom, as long as a test holds the lock.
PASSES = """
create schema test;
grant usage on schema test to public;
create function test.passes(relation text) returns boolean language plpgsql stable set lock_timeout = 0 as $$
begin
    if relation || ' for the '
        || (case when current_setting('application_name') like '% reader %' then 'reader' else 'leader' end)
        ~ ('^' || current_setting('test.stall', true) || '$')
    then perform pg_advisory_lock_shared(1); end if;
    return true;
end $$;
"""
VIEW = """
alter table {schema}.{name} rename to stored_{name};
create view {schema}.{name} as select * from {schema}.stored_{name} where test.passes('{name}');
"""
# The login of a worker that is asked whether it can read the source, from PostgreSQL 17 on.
LOGINS = """
create function test.logs_in() returns event_trigger language plpgsql set lock_timeout = 0 as $$
begin
    if current_setting('test.stall', true) = 'login' and current_setting('application_name') like 'exporter % worker'
    then perform pg_advisory_lock_shared(1); end if;
end $$;
create event trigger stalls on login execute function test.logs_in();
"""


def viewed(*relations: str) -> str:
    """The statements that make further tables of a source stall on demand."""
    names = [relation.split(".") for relation in relations]
    return "".join(VIEW.format(schema=schema, name=name) for schema, name in names)


def stalling(*relations: str) -> str:
    """The statements that make these tables of a source stall on demand."""
    return PASSES + viewed(*relations)


STALLING = stalling("customers.customer", "notifications.notifications")
# Tables that are read only in the stage `tables`, each by a task of its own.
MANY = ("auth.login_activities", "auth.otp_attempts", "consultation.feedback", "guide.saved_messages",
        "marketing.leads", "offers.user_behavior_metrics")  # fmt: skip
# What stalls in the stage of that name.
STALLS = {
    "lock": "customer for the leader",
    "keys": "customer for the reader",
    "tables": "notifications for the reader",
}
# Of a cluster also: every worker in its preflight, and several readers at once.
CLUSTER_STALLS = {
    "preflight": "login",
    "many tables": f"({'|'.join(name.partition('.')[2] for name in MANY)}) for the reader",
}
STALLED = "wait_event = 'advisory'"
LOCKED = "wait_event_type = 'Lock'"


def execute(uri: str, *statements: str) -> None:
    """Runs statements, each in a transaction of its own."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def as_role(uri: str, role: str) -> str:
    """The URI for another role."""
    return urlsplit(uri)._replace(netloc=f"{role}@localhost:5432").geturl()


def copy_database(uri: str, name: str) -> str:
    """The URI of a new copy of a database, file by file; nobody may be connected to the original."""
    parts = urlsplit(uri)
    copy, original = sql.Identifier(name), sql.Identifier(unquote(parts.path.lstrip("/")))
    with psycopg.connect(as_role(parts._replace(path="/postgres").geturl(), "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {} strategy file_copy").format(copy, original))
    return parts._replace(path=f"/{quote(name, safe='')}").geturl()


@contextmanager
def copied(uri: str, name: str) -> Iterator[str]:
    """The URI of a copy of a database while the block runs."""
    copy = copy_database(uri, name)
    try:
        yield copy
    finally:
        postgres = as_role(urlsplit(uri)._replace(path="/postgres").geturl(), "postgres")
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def stall(uri: str, stage: str) -> Iterator[psycopg.Connection]:
    """Makes a database with `STALLING` stall in a stage while the block runs, or until the connection unlocks it."""
    with suppress(psycopg.OperationalError), psycopg.connect(as_role(uri, "postgres"), autocommit=True) as holder:
        database = sql.Identifier(holder.info.dbname)
        holder.execute("select pg_advisory_lock(1)")
        pattern = (STALLS | CLUSTER_STALLS)[stage]
        holder.execute(sql.SQL("alter database {} set test.stall = {}").format(database, pattern))
        yield holder
        holder.execute(sql.SQL("alter database {} reset test.stall").format(database))


@contextmanager
def stalled(uri: str, output: Path, stage: str, *options: str) -> Iterator[tuple[Run, psycopg.Connection]]:
    """An export that is stalled in a stage, and the connection that unlocks it."""
    with stall(uri, stage) as holder, running(uri, output, *options) as run:
        run.wait_for_session(STALLED, reader=stage != "lock")
        yield run, holder


@contextmanager
def locked(uri: str, output: Path, relation: str, *options: str) -> Iterator[tuple[Run, psycopg.Connection]]:
    """An export that waits for a table that another session has locked, and the transaction of that session."""
    with psycopg.connect(as_role(uri, "postgres")) as other:
        other.execute(f"lock table {relation} in access exclusive mode".encode())
        with running(uri, output, *options) as run:
            run.wait_for_session(LOCKED)
            yield run, other

"""Others who are at work meanwhile: on the source, its schema and settings, and on the output directory."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.support.export_process import contents, eventually, running
from tests.support.stalling_source import LOCKED, STALLED, STALLING, as_role, copied, execute, locked, stalled

pytestmark = pytest.mark.slow

ROLE = "hasty"
SCHEMAS = "auth, consultation, customers, guide, marketing, notifications, offers, wallet"
TIMEOUTS = ["idle_in_transaction_session", "idle_session", "lock", "statement", "transaction"]


@pytest.fixture(scope="module")
def source(sample_database: str) -> Iterator[str]:
    """The URI of a sample source that can be made to stall, for a role that may only read and has short timeouts."""
    with copied(sample_database, "interfered") as uri:
        execute(
            uri,
            STALLING,
            f"create role {ROLE} login",
            f"grant usage on schema {SCHEMAS} to {ROLE}",
            f"grant select on all tables in schema {SCHEMAS} to {ROLE}",
            *(f"alter role {ROLE} set {timeout}_timeout = '300ms'" for timeout in TIMEOUTS),
        )
        yield as_role(uri, ROLE)
        execute(uri, f"drop owned by {ROLE}; drop role {ROLE}")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output directory."""
    (tmp_path / "output").mkdir()
    return tmp_path / "output"


# Locks and migrations ------------------------------------------------------------------------------------------------


def test_a_table_that_stays_locked(source: str, output: Path) -> None:
    """The run waits for it, but not forever, and says for whom."""
    with locked(source, output, "marketing.leads", "--lock-timeout", "4s") as (run, other):
        who = rf"marketing.leads, locked by pid {other.info.backend_pid} \(as postgres\)"
        run.check_failed(4, rf"a table is locked by a migration; .* --lock-timeout \(while .*; SQLSTATE 55P03\): {who}")
        assert any(
            f" · Waiting for marketing.leads, locked by pid {other.info.backend_pid} " in line for line in run.lines
        )


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ("alter table marketing.leads drop column utm_source", 4, "a table changed while the export started .*"),
        ("alter table marketing.leads alter phone type varchar(20)", 4, "a table changed while the export started .*"),
        ("alter table marketing.leads enable row level security", 4, "a table changed while the export started .*"),
        ("revoke select on marketing.leads from hasty", 3, ".*a privilege is missing.*"),
        ("drop table marketing.leads", 4, ".*a table no longer exists.*"),
    ],
)
def test_a_migration_just_before_the_snapshot(source: str, output: Path, change: str, code: int, sentence: str) -> None:
    """What was checked is no longer what is there."""
    with copied(source, "migrated") as uri, locked(uri, output, "marketing.leads") as (run, other):
        other.execute(change.encode())
        other.commit()
        run.check_failed(code, sentence)


def test_a_truncate_that_waits_for_the_run(source: str, output: Path) -> None:
    """It waits for the leader, and the readers wait for it: they give up, and the rows are still there."""
    with (
        closing(psycopg.connect(as_role(source, "postgres"))) as other,
        stalled(source, output, "keys", "--lock-timeout", "2s") as (run, holder),
    ):
        other.pgconn.send_query(b"begin; truncate marketing.leads")
        waiting = f"select from pg_stat_activity where pid = {other.info.backend_pid} and {LOCKED}"
        eventually(lambda: holder.execute(waiting.encode()).fetchone() is not None, "the truncate's wait")
        holder.execute("select pg_advisory_unlock_all()")
        run.check_failed(4, r"a table is locked by a migration; .* \(while reading marketing.leads; SQLSTATE 55P03\).*")


def test_row_level_security(source: str, output: Path) -> None:
    """It would hide rows silently."""
    with copied(source, "secured") as uri:
        execute(as_role(uri, "postgres"), "alter table marketing.leads enable row level security")
        with running(uri, output) as run:
            run.check_failed(3, r"the source cannot be exported:\s+marketing.leads: row-level security applies .*")


# Settings and neighbours ---------------------------------------------------------------------------------------------


def test_no_timeout_of_the_role_ends_a_run(source: str, output: Path) -> None:
    """Neither that of statements nor those of transactions and idle sessions."""
    with stalled(source, output, "tables") as (run, holder):
        run.wait_for_session("state = 'idle in transaction' and state_change < clock_timestamp() - interval '0.5 s'")
        run.wait_for_session(f"{STALLED} and query_start < clock_timestamp() - interval '0.5 s'", reader=True)
        holder.execute("select pg_advisory_unlock_all()")
        assert run.end() == 0, run.lines


def test_a_second_run(source: str, output: Path) -> None:
    """It is refused at once, and the first one goes on undisturbed."""
    with stalled(source, output, "tables") as (first, holder):
        before = contents(output)
        with running(source, output) as second:
            assert (second.end(), second.result) == (5, "")
        assert second.lines == [
            f"exporter: another export is running on {output}; wait for it, or choose another --output\n"
        ]
        assert contents(output) == before
        holder.execute("select pg_advisory_unlock_all()")
        assert first.end() == 0, first.lines

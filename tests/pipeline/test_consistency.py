"""One state of the source, byte for byte: whatever others write meanwhile, however many workers read it."""

import hashlib
import threading
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from exporter.model.tables import tables
from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample
from exporter.sink.layout import entities
from tests.support.export_process import Run, running
from tests.support.stalling_source import copied, execute, stalled, stalling

pytestmark = pytest.mark.slow

# The table at which the leader stalls when it has the snapshot, and the table that holds its rows then.
CUSTOMERS = "customers.customer"
STORED = "customers.stored_customer"
# So little memory that even the sample's tables fall into several chunks.
SMALL = ("--memory", "300MB")

# What a writer turns a column into, by its type, so that no key, reference or property stays what it was.
CHANGES = {
    "bigint": "-{column}",
    "integer": "-{column}",
    "smallint": "-{column}",
    "numeric": "-{column}",
    "text": "{column} || '!'",
    "boolean": "not {column}",
    "uuid": "gen_random_uuid()",
    "timestamp with time zone": "{column} + interval '1 hour'",
}
# The first column, which is the key where there is one, of a copy of a row.
COPIES = {"bigint": "{column} + sign({column}) * 1000003", "integer": "{column} + sign({column}) * 1000003"}
COLUMNS = "select column_name, data_type from information_schema.columns where table_schema || '.' || table_name = %s"
COLUMNS += " order by ordinal_position"


class Writer:
    """Changes, deletes and inserts rows of every table, with a commit for each, and vacuums."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.rounds = 0
        self.over = threading.Event()
        connection.execute("set session_replication_role = replica")  # no foreign keys are checked
        names = [STORED if table.name == CUSTOMERS else table.name for table in tables()]
        self.statements = [statement for name in names for statement in self.of_table(name)]

    def of_table(self, name: str) -> list[sql.Composed]:
        """The statements of a round."""
        columns = dict(self.connection.execute(COLUMNS, [name]).fetchall())
        quoted = {column: sql.Identifier(column) for column in columns}
        changed = [
            sql.SQL("{column} = " + CHANGES[kind]).format(column=quoted[column])
            for column, kind in columns.items()
            if kind in CHANGES
        ]
        first = next(iter(columns))
        copied = sql.SQL(COPIES.get(columns[first], "gen_random_uuid()")).format(column=quoted.pop(first))
        texts = [
            "update {table} set {changed}",
            "delete from {table} where ctid::text like '%5)'",
            "vacuum {table}",
            "insert into {table} select {copied} from {table} where ctid::text like '%7)' on conflict do nothing",
        ]
        parts = {
            "table": sql.Identifier(*name.split(".")),
            "changed": sql.SQL(", ").join(changed),
            "copied": sql.SQL(", ").join([copied, *quoted.values()]),
        }
        return [sql.SQL(text).format(**parts) for text in texts]

    def write(self) -> None:
        """One round, which changes every table."""
        for statement in self.statements:
            self.connection.execute(statement)
        self.rounds += 1

    def write_on(self) -> None:
        """Round after round until `over` is set."""
        while not self.over.is_set():
            self.write()


@pytest.fixture(scope="module")
def source(postgres: str) -> str:
    """The URI of a sample source that nobody changes, with few rows to a block, so that tables have many blocks."""
    uri = create_database(postgres, "constant")
    fill_sample(uri, scale=0.1)
    execute(uri, *(f"alter table {table.name} set (fillfactor = 10)" for table in tables()), "vacuum full analyze")
    execute(uri, stalling(CUSTOMERS))
    return uri


@pytest.fixture(scope="module")
def quiet(source: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The data files of an export in small chunks while nobody writes."""
    return export(source, tmp_path_factory.mktemp("quiet"), "--workers", "3", *SMALL)


def export(uri: str, output: Path, *options: str) -> dict[str, str]:
    """The data files of a new export."""
    with running(uri, output, *options) as run:
        return data_files(run)


def data_files(run: Run) -> dict[str, str]:
    """The digest of every data file that a run publishes."""
    assert run.end() == 0, run.lines
    export = Path(run.result.strip())
    files = [*export.glob("nodes/*/*"), *export.glob("relationships/*/*")]
    return {str(file.relative_to(export)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_writer_changes_no_byte(source: str, quiet: dict[str, str], tmp_path: Path) -> None:
    """It begins when the snapshot is taken, changes every row before the first is read, and goes on to the end."""
    assert len(quiet) > len(entities()), "some entities have several files"
    with copied(source, "written") as uri, psycopg.connect(uri, autocommit=True) as connection:
        writer = Writer(connection)
        with stalled(uri, tmp_path, "lock", "--workers", "3", *SMALL) as (run, holder):
            writer.write()
            holder.execute("select pg_advisory_unlock_all()")
            thread = threading.Thread(target=writer.write_on)
            thread.start()
            try:
                assert data_files(run) == quiet
            finally:
                writer.over.set()
                thread.join()
    assert writer.rounds > 1


def test_the_number_of_workers_changes_no_byte(source: str, quiet: dict[str, str], tmp_path: Path) -> None:
    """Nor does the order in which chunks are done."""
    assert export(source, tmp_path, "--workers", "4", *SMALL) == quiet
    assert export(source, tmp_path, "--workers", "1") == export(source, tmp_path, "--workers", "2")


READER = "current_setting('application_name') like '% reader %'"
FEWER = f"where not ({READER} and id = 2)"
MORE = f"union all select * from {{schema}}.stored where {READER} and id = 2"


@pytest.mark.parametrize(
    ("table", "rows", "sentence"),
    [
        ("guide.verification", FEWER, "guide.verification has {} rows in the snapshot, but {} were read.*"),
        ("guide.verification", MORE, "guide.verification has {} rows in the snapshot, but {} were read.*"),
        ("wallet.payment_gateways", FEWER, "{} rows in the snapshot, {} were read for the keys of PaymentGateway;.*"),
        ("wallet.payment_gateways", MORE, "{} rows in the snapshot, {} were read for the keys of PaymentGateway;.*"),
    ],
    ids=["fewer", "more", "fewer keys", "more keys"],
)
def test_rows_that_differ_from_read_to_read(
    sample_database: str, tmp_path: Path, table: str, rows: str, sentence: str
) -> None:
    """A view may show a reader other rows than the leader counted: nothing is published then."""
    schema = table.split(".")[0]
    with copied(sample_database, "differing") as uri:
        execute(
            uri,
            f"alter table {table} rename to stored",
            f"create view {table} as select * from {schema}.stored {rows.format(schema=schema)}",
        )
        with psycopg.connect(uri) as connection:
            found = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        assert found is not None
        message = sentence.format(found[0], found[0] + (1 if rows == MORE else -1))
        with running(uri, tmp_path) as run:
            run.check_failed(4, f"the counts do not add up.*: {message}")

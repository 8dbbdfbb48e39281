"""Each run of a task writes apart, and only what the leader adopts is in the export."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from exporter.errors import RunError
from exporter.pipeline import attempts
from exporter.pipeline.attempts import Attempted, attempted
from exporter.pipeline.messages import Chunk, Context
from exporter.pipeline.tasks import export_chunks, read_index
from exporter.sink.attempts import discard, flat, prepare
from exporter.sink.files import write_file
from exporter.sink.publish import partial_export
from exporter.source.connection import connect
from exporter.source.queries import Address
from exporter.source.reader_address import worker_address
from tests.support.export_process import eventually
from tests.support.plans import Plan, plan_of, planner_of

ALONE = ["begin isolation level repeatable read read only"]
DATA, KEYS = Path("nodes/Skill/part-0001.csv"), Path("key-index/keys/Skill/run-0.arrow")


def write(context: Context, attempt: Path, text: str) -> str:
    """A task that writes a file of the export and one of the key index."""
    write_file(attempt, Path(flat(DATA)), text.encode())
    write_file(attempt, KEYS, text.encode())
    return text


def files(directory: Path) -> dict[str, str]:
    """The texts of the files below a directory."""
    found = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_text() for path in found}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """The context of tasks that read nothing."""
    prepare(tmp_path)
    return Context(Address("", {}, "", ""), ALONE, tmp_path)


def test_a_task_that_ran_twice(context: Context) -> None:
    """The files of the run whose result the leader has are the export's; the others go when it is complete."""
    first, second = attempted(context, write, "first"), attempted(context, write, "second")
    written = (KEYS.as_posix(), DATA.as_posix())
    assert (first.result, first.paths, first.name != second.name) == ("first", written, True)
    assert second.adopted(context.directory) == "second"
    left = {f"attempts/{first.name}/{flat(path)}": "first" for path in written}
    assert files(context.directory) == left | dict.fromkeys(written, "second")
    discard(context.directory)
    assert files(context.directory) == {DATA.as_posix(): "second"}
    assert sorted(path.name for path in context.directory.iterdir()) == ["nodes"]
    assert list(context.directory.parent.glob(f"{context.directory.name}?*")) == []


def test_files_are_the_owner_s_alone(context: Context) -> None:
    """Also the directories that the leader makes for them."""
    attempted(context, write, "").adopted(context.directory)
    modes = {path.stat().st_mode & 0o777 for path in context.directory.rglob("*") if path.is_dir()}
    assert modes == {0o700}


@pytest.mark.parametrize("flushes", [False, True])
def test_files_that_another_machine_wrote(context: Context, monkeypatch: pytest.MonkeyPatch, flushes: bool) -> None:
    """They are durable before the leader has the result; its own machine's the leader makes so."""
    flushed: list[Path] = []
    monkeypatch.setattr(attempts, "sync", flushed.append)
    done = attempted(replace(context, flushes=flushes), write, "")
    attempt = context.directory / "attempts" / done.name
    assert flushed == [attempt / flat(path) for path in done.paths] * flushes


def test_an_attempt_whose_file_is_gone(context: Context) -> None:
    """It is an error, not a hole."""
    done = attempted(context, write, "")
    (context.directory / "attempts" / done.name / flat(DATA)).unlink()
    with pytest.raises(FileNotFoundError):
        done.adopted(context.directory)


# A worker that goes on ----------------------------------------------------------------------------------------------


def chunks(context: Context, plan: Plan) -> Attempted[object]:
    """Exports a table with a row."""
    [table] = [table for table in plan.tables if table.table == "guide.skills"]
    return export_chunks(context, (Chunk("guide.skills", 1, table.reads[0], table.fallback[0]),))


def keys(context: Context, plan: Plan) -> Attempted[object]:
    """Reads the keys of the same table."""
    return read_index(context, tuple(query for query in plan.keys if query.label == "Skill"))


@contextmanager
def held(source: str) -> Iterator[None]:
    """Whoever reads the table stands still while the block runs; once it runs, somebody does."""
    with psycopg.connect(source) as holder:
        holder.execute("lock table guide.skills in access exclusive mode")
        yield


def wait_for_reader(source: str) -> None:
    with psycopg.connect(source, autocommit=True) as other:
        waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and application_name like '% reader %'"
        eventually(lambda: other.execute(waiting.encode()).fetchone() is not None, "a reader that waits")


def names(directory: Path) -> list[str]:
    """Everything below a directory."""
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


@pytest.mark.parametrize("task", [chunks, keys])
@pytest.mark.parametrize("published", [True, False])
def test_a_worker_that_goes_on(
    source: str, tmp_path: Path, task: Callable[[Context, Plan], Attempted[object]], published: bool
) -> None:
    """After its run was published without it, or has failed, it changes nothing and makes no directory anew."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("insert into guide.skills values (1, 'Tarot', null)")
    with connect(source, "exporter test", lock_seconds=1) as leader:
        address = worker_address(leader, "exporter test reader", lock_seconds=60)
        plan = plan_of(planner_of(leader))
    with ThreadPoolExecutor(1) as worker:
        with held(source), partial_export(tmp_path) as partial:
            cut_off = worker.submit(task, Context(address, ALONE, partial.directory), plan)
            wait_for_reader(source)
            if published:
                discard(partial.directory)
                partial.directory.rename(tmp_path / partial.stamp)
        left = names(tmp_path)
        with pytest.raises(RunError, match=r"cannot write the export: No such file or directory \(while writing "):
            cut_off.result(60)
    assert names(tmp_path) == left == [".lock", partial.stamp][: 1 + published]

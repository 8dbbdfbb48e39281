"""A worker's tasks: read, shape, write in one go; failures quote no cell."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from exporter.errors import ExporterError, RunError, SourceError
from exporter.model.tables import referenced_labels
from exporter.pipeline.messages import Chunk, Context, EntityPart
from exporter.pipeline.tasks import export_chunks, read_index
from exporter.pipeline.worker_errors import sanitized_errors
from exporter.shape.examples import Example
from exporter.shape.key_index import KeyIndex
from exporter.sink.attempts import prepare
from exporter.sink.tally import Tally
from exporter.source.connection import connect
from exporter.source.reader_address import worker_address
from tests.support.plans import Plan, plan_of, planner_of
from tests.support.stalling_source import execute

SECRET = "hunter2"


def planned(uri: str, partial: Path) -> tuple[Context, Plan]:
    """The context of a worker's tasks, and the plan, from a leader that does not stay."""
    with connect(uri, "exporter test", lock_seconds=1) as leader:
        address = worker_address(leader, "exporter test reader", lock_seconds=1)
        plan = plan_of(planner_of(leader))
    prepare(partial)
    return Context(address, ["begin isolation level repeatable read read only"], partial), plan


def chunk_of(plan: Plan, table: str) -> Chunk:
    table_queries = next(table_queries for table_queries in plan.tables if table_queries.table == table)
    return Chunk(table, 7, table_queries.reads[0], table_queries.fallback[0])


@pytest.fixture
def indexed(source: str, tmp_path: Path) -> Iterator[tuple[Context, Plan]]:
    """The context and plan of a source with two messages of a guide, one of which has no time, and one of a guide that
    does not exist; the key index is complete."""
    execute(
        source,
        """
        insert into guide.guide_profile (id, full_name, chat_enabled, voice_enabled, video_enabled, created_at)
            values (1, 'A', true, true, true, now());
        insert into guide.saved_messages values (1, 1, 'a', E'two\\nlines', '2026-11-23 03:15:00.5+00'),
            (2, 1, null, '', 'infinity'), (3, 9, 'c', 'd', '0044-03-15 00:00+00 BC');
        insert into auth.user_devices (id, auth_user_id, device_id, created_at)
            values (1, 1, 'a', now()), (2, 1, 'a', now());
        """,
    )
    context, plan = planned(source, tmp_path)
    for query in plan.index:
        read_index(context, (query,)).adopted(context.directory)
    yield context, plan


def test_a_chunk(indexed: tuple[Context, Plan]) -> None:
    """Its rows are read once, and go to the files of the label and of the pattern."""
    context, plan = indexed
    (done,) = export_chunks(context, (chunk_of(plan, "guide.saved_messages"),)).adopted(context.directory)
    label, pattern = done.parts
    assert (done.rows_read, len(done.parts)) == (3, 2)
    assert label == EntityPart(
        name="SavedMessage",
        tally=Tally(
            rows=3,
            values=Counter({"id": 3, "title": 2, "content": 3, "created_at": 2}),
            rejects=Counter({"unrepresentable_value": 1}),
            multiline=True,
            longest=len('1,"a","two\nlines",2026-11-23T03:15:00.500000Z\n'),
            files=label.tally.files,
            reject_files=label.tally.reject_files,
        ),
        examples=(Example("unrepresentable_value", "created_at", "2", "infinity", False, None),),
    )
    assert pattern == EntityPart(
        name="Guide-HAS_SAVED_MESSAGE-SavedMessage",
        tally=Tally(
            rows=2,
            values=Counter({":START_ID": 2, ":END_ID": 2}),
            rejects=Counter({"dangling_start": 1}),
            longest=len("-9223372036854775808,-9223372036854775808\n"),  # an upper bound for short lines
            files=pattern.tally.files,
            reject_files=pattern.tally.reject_files,
        ),
        examples=(Example("dangling_start", "guide_id", "3", "9", False, "Guide"),),
    )
    tallies = (label.tally, pattern.tally)
    records = [record for tally in tallies for record in (*tally.files, *tally.reject_files)]
    assert {record.path: (context.directory / record.path).read_text() for record in records} == {
        "nodes/SavedMessage/part-0007.csv": '1,"a","two\nlines",2026-11-23T03:15:00.500000Z\n'
        '2,,"",\n3,"c","d",-0043-03-15T00:00:00.000000Z\n',
        "rejects/nodes/SavedMessage/part-0007.csv": "reason,table,column,key,value,references\n"
        "unrepresentable_value,guide.saved_messages,created_at,2,infinity,\n",
        "relationships/Guide-HAS_SAVED_MESSAGE-SavedMessage/part-0007.csv": "1,1\n1,2\n",
        "rejects/relationships/Guide-HAS_SAVED_MESSAGE-SavedMessage/part-0007.csv": "reason,table,column,key,value,"
        "references\ndangling_start,guide.saved_messages,guide_id,3,9,Guide\n",
    }


def test_a_table_without_rows(indexed: tuple[Context, Plan]) -> None:
    """It has no file yet: publishing writes the empty one."""
    context, plan = indexed
    (done,) = export_chunks(context, (chunk_of(plan, "marketing.leads"),)).result
    assert done.rows_read == 0
    assert done.parts == tuple(EntityPart(name, Tally(), ()) for name in ("Lead", "Lead-CONVERTED_TO-Customer"))


def test_what_the_key_index_holds(indexed: tuple[Context, Plan]) -> None:
    """Every label that is referred to, every linked value, every table whose keys are not proven unique; no file for a
    set of integers that is empty."""
    context, plan = indexed
    key_index = context.directory / "key-index"
    kinds = ("keys", "values", "duplicates")
    assert {kind: sorted(path.name for path in (key_index / kind).iterdir()) for kind in kinds} == {
        "keys": ["Device", "Guide"],
        "values": ["Guide.phone_number", "Guide.referral_code", "GuideWallet.phone_number"],
        "duplicates": ["auth.user_devices.arrow", "guide.guide_languages.arrow", "guide.guide_skills.arrow"],
    }
    assert sorted(query.label for query in plan.keys) == sorted(referenced_labels())
    assert KeyIndex(key_index).keys("Guide").contains(pl.Series([1, 9])).to_list() == [True, False]
    assert KeyIndex(key_index).keys("Customer").contains(pl.Series([1, 9])).to_list() == [False, False]
    (devices,) = export_chunks(context, (chunk_of(plan, "auth.user_devices"),)).result
    devices_tally = devices.parts[0].tally
    assert (devices_tally.rows, devices_tally.rejects) == (1, {"duplicate_id": 1})


def test_values_of_rows_that_are_not_exported(source: str, tmp_path: Path) -> None:
    """A guide without a canonical key owns neither code nor phone, so it makes no link ambiguous."""
    execute(
        source,
        """
        alter table guide.guide_profile drop constraint guide_profile_pkey cascade, alter id drop not null;
        alter table guide.guide_profile alter id type text;
        insert into guide.guide_profile (id, full_name, chat_enabled, voice_enabled, video_enabled, created_at,
            referral_code) select id, '', true, true, true, now(), 'A' from unnest(array['7', 'x', null]) id;
        """,
    )
    context, plan = planned(source, tmp_path)
    for values in plan.values:
        read_index(context, (values,)).adopted(context.directory)
    codes = KeyIndex(tmp_path / "key-index").values("Guide", "referral_code")
    assert codes.find(pl.Series(["A", "B"])).rows() == [(7, 1), (None, 0)]


def failure(error: BaseException) -> ExporterError:
    """The error of a task in which this one was raised."""
    with pytest.raises(ExporterError) as raised, sanitized_errors("guide.skills"):
        raise error
    return raised.value


def test_our_own_errors_pass() -> None:
    """They are sentences already."""
    error = SourceError("the source is gone")
    assert failure(error) is error


def test_a_file_that_cannot_be_written() -> None:
    """The system's reason, without the path."""
    failed = failure(OSError(28, "No space left on device", f"/data/{SECRET}"))
    assert (type(failed), str(failed)) \
        == (RunError, "cannot write the export: No space left on device (while writing guide.skills)")  # fmt: skip


def test_a_bug() -> None:
    """Its kind and the places of its traceback; its message may hold values, and its cause is cut off."""
    failed = failure(ValueError(f"cannot parse {SECRET}"))
    assert (type(failed), failed.__cause__, failed.__suppress_context__, SECRET in str(failed)) \
        == (RunError, None, True, False)  # fmt: skip
    assert str(failed).startswith("a bug, please report it: ValueError while handling guide.skills (worker_errors.py:")
    assert "test_worker.py:" in str(failed)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_stops_a_process_is_not_a_bug(error: type[BaseException]) -> None:
    """It passes as it is."""
    with pytest.raises(error), sanitized_errors("guide.skills"):
        raise error

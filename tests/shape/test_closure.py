"""The closure against the slow reference of its rules, over small sources full of cycles, dirt and extremes."""

import random
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from exporter.model import frame, ways_in
from exporter.model.tables import node
from exporter.model.ways_in import is_activity, link_columns, link_tables
from exporter.model.window import COMPANIONS, Closed, Root, Up, Window, up_references
from exporter.shape import closure, kept
from exporter.shape.closure import close, own_keys, rows_in, unkept, write_links
from exporter.shape.kept import ids_of
from exporter.shape.links import links_of
from tests.oracle import closure as oracle
from tests.oracle.closure import Asked, Row

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
POOLS = ([1, 2, 3, 4, 5], [0, -1, 7, 10**12], [SMALLEST, -3, 5, LARGEST], list(range(12)))
UUIDS = [f"{number:08x}-89ab-cdef-0123-456789abcdef" for number in range(40)]
MALFORMED = ["", " ", "x", "4e5", "9" * 20, "42."]
SPELLINGS = ("{}", " {}", "{}.0", "{}\t")
MOMENT = datetime(2026, 11, 23, tzinfo=UTC)
SHARES = (Fraction(1, 100), Fraction(1, 5), Fraction(1, 2))


@dataclass(frozen=True)
class Source:
    """Rows of every linked table, and of each the columns that are integers in PostgreSQL."""

    rows: dict[str, list[Row]]
    integers: dict[str, set[str]]


def random_source(seed: int, largest: int = 5) -> Source:
    """A source of rows that refer to each other, and to nothing."""
    choice = random.Random(seed)
    pool, early, dirt = choice.choice(POOLS), choice.choice((0.1, 0.3, 0.7)), choice.choice((0, 0.1, 0.4))
    source = Source({}, {})
    for table in link_tables():
        columns = [*oracle_columns(table.name)]
        integers = {column for column in columns if choice.random() < 0.5} - {"device_id"}
        if table.name == "notifications.notifications":
            integers.clear()  # UUIDs, and text auth IDs, which are read as text from any column
        elif table.name == "auth.user_sessions":
            integers.discard("id")
        source.integers[table.name] = integers
        source.rows[table.name] = [
            {column: cell(choice, table.name, column, column in integers, pool, dirt) for column in columns}
            | {frame.IN_TIME: choice.random() < early}
            for _ in range(choice.randrange(largest))
        ]
    return source


def oracle_columns(name: str) -> dict[str, None]:
    """The columns that the reference looks at, and the guides'."""
    table = oracle.TABLES[name]
    person = [table.person[1]] if table.person else []
    guides = {"consultation.consultation": ["guide_id"], "wallet.wallet_orders": ["consultant_id"]}.get(name, [])
    return dict.fromkeys([*table.key, *(up.column for up in table.ups), *person, *guides])


def cell(choice: random.Random, name: str, column: str, integer: bool, pool: list[int], dirt: float) -> Any:
    """A cell of a column: null, malformed, or an id from the pool in one of its spellings."""
    if choice.random() < dirt:
        return None if integer or choice.random() < 0.5 else choice.choice(MALFORMED)
    if column == "id" and name in ("notifications.notifications", "auth.user_sessions"):
        return choice.choice(UUIDS) if choice.random() < 0.9 else choice.choice(UUIDS).upper()
    if column == "device_id":
        return choice.choice(["a", "b:c", ""])
    number = choice.choice(pool)
    if integer:
        return number
    if name == "notifications.notifications":
        return f'"{number}"' if choice.random() < 0.3 else str(number)
    return choice.choice(SPELLINGS).format(number)


def raw_frame(source: Source, name: str, rows: list[Row], columns: tuple[str, ...]) -> pl.DataFrame:
    """Rows as a read of these columns brings them."""
    types = {column: pl.Int64 if column in source.integers[name] else pl.String for column in columns}
    schema = types | {frame.IN_TIME: pl.Boolean}
    return pl.DataFrame([{column: row[column] for column in schema} for row in rows], schema=schema)


def closed(directory: Path, source: Source, window: Window, chunks: int = 2) -> Closed:
    """The closure of a source whose tables are read in chunks; if in one, without tables that are empty. Of tables that
    nothing pulls only what is in time is read if the window is by time alone."""
    for table in link_tables():
        if table.node and table.node.label in window.without:
            continue
        rows = source.rows[table.name]
        if not rows and chunks == 1:
            continue
        if window.timed and not window.of_people and is_activity(table.name):
            rows = [row for row in rows if row[frame.IN_TIME]]
        for number in range(chunks):
            raw = raw_frame(source, table.name, rows[number::chunks], link_columns(table.name, window))
            write_links(directory, table.name, number + 1, raw, window)
    return close(directory, directory, window)


def judged(directory: Path, source: Source, window: Window) -> dict[str, list[bool]]:
    """What the workers say of all rows, whose frames have more columns than those of the links."""
    return {
        table.name: rows_in(directory, window, table.name, raw).to_list() if raw.height else []
        for table, raw in ((table, whole_frame(source, table.name)) for table in link_tables())
        if not (table.node and table.node.label in window.without)
    }


def whole_frame(source: Source, name: str) -> pl.DataFrame:
    return raw_frame(source, name, source.rows[name], tuple(oracle_columns(name)))


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, Asked]:
    """A window, and the same as the reference takes it."""
    timed = draw(st.booleans())
    without = draw(st.sampled_from([frozenset[str](), frozenset({"Notification", "Feedback", "Lead"})]))
    window = Window(since=MOMENT if timed else None, without=without)
    match draw(st.sampled_from(["all", "sample", "roots"])):
        case "sample":
            share, seed = draw(st.sampled_from(SHARES)), draw(st.integers(-5, 2**65))
            return replace(window, sample=share, seed=seed), Asked(timed, share, seed, None, without)
        case "roots":
            labels = ("Customer", "AuthUser", "Guide", "GuideWallet", "Lead", "Consultation", "WalletOrder", "Payment")
            ids = st.lists(st.sampled_from([1, 2, 5, 7, -1, LARGEST, SMALLEST, 99]), max_size=2, unique=True)
            people = {label: tuple(draw(ids)) for label in draw(st.sets(st.sampled_from(labels), max_size=3))}
            root = (Root("Customer", "customer_id", "1"),)
            asked = Asked(timed, people={label: set(found) for label, found in people.items()}, without=without)
            return replace(window, roots=root, people=people), asked
    return window, Asked(timed, without=without)


def agree(directory: Path, source: Source, window: Window, asked: Asked) -> None:
    """Closure, reference and workers say the same of every row; nothing that is in refers to what is not kept."""
    found, expected = closed(directory, source, window), oracle.closure(source.rows, asked)
    for label, ids in expected.kept.items():
        assert ids_of(directory, ways_in.kept(label)).to_list() == sorted(ids)
    assert judged(directory, source, window) == expected.rows
    assert {name: sum(inside for _, inside in chunks) for name, chunks in found.rows.items()} \
        == {name: sum(rows) for name, rows in expected.rows.items()}  # fmt: skip
    assert found.pulled == expected.pulled
    for name, rows in expected.rows.items():
        assert not unkept(directory, name, whole_frame(source, name).filter(rows)).any()


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), windows(), st.booleans())
def test_closure_is_what_the_rules_say(seed: int, window: tuple[Window, Asked], tiny: bool) -> None:
    """Whatever refers to whatever: by time, of samples, of roots, and both; in slices and windows of any size."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        if tiny:
            patch.setattr(closure, "SLICE", 2)
            patch.setattr(kept, "WINDOW", 4)
            patch.setattr(kept, "FEW", 1)
            patch.setattr(kept, "BYTES_PER_ROW", 1)
            patch.setattr(kept, "MERGED", 3)
        agree(Path(directory), random_source(seed), *window)


def test_samples_are_nested() -> None:
    """What is in a sample is in every larger one with the same seed, row by row."""
    source = random_source(3, largest=20)
    rows = []
    for share in SHARES:
        with tempfile.TemporaryDirectory() as directory:
            window = Window(sample=share, seed=5)
            closed(Path(directory), source, window)
            rows.append(judged(Path(directory), source, window))
            # What was drawn and seen on the way is of no use any more.
            assert not {"owned", "drawn"} & {path.name for path in Path(directory).iterdir()}
            assert not list(Path(directory).glob("seen/*"))
    for small, large in pairwise(rows):
        assert all(found <= within for name in small for found, within in zip(small[name], large[name], strict=True))
    assert rows[0] != rows[-1]


TIMED, ASKED_TIMED = Window(since=MOMENT), Asked(timed=True)
UPS = [(table.name, up) for table in link_tables() for up in up_references(table.name)]
OF_COMPANIONS = [(name, up) for name, up in UPS if up.column in COMPANIONS.get(name, ())]


def pair_of_rows(name: str, up: Up, *, seed: str) -> Source:
    """A source of two rows, of which one refers to the other, and only that of the table `seed` is in time."""
    source = Source({table.name: [] for table in link_tables()}, {table.name: set() for table in link_tables()})
    for table, column in ((name, up.column), (node(up.label).table, node(up.label).key.columns[0])):
        cells = {each: "1" if each == column else "9" for each in oracle_columns(table)}
        source.rows[table] = [cells | {frame.IN_TIME: table == seed}]
    return source


def rows_of(source: Source) -> tuple[dict[str, list[bool]], dict[str, list[bool]]]:
    """Which rows are in, and which should be."""
    with tempfile.TemporaryDirectory() as directory:
        closed(Path(directory), source, TIMED, chunks=1)
        return judged(Path(directory), source, TIMED), oracle.closure(source.rows, ASKED_TIMED).rows


def kept_of(source: Source, label: str) -> list[int]:
    """The ids of a label that are kept."""
    with tempfile.TemporaryDirectory() as directory:
        closed(Path(directory), source, TIMED, chunks=1)
        return ids_of(Path(directory), ways_in.kept(label)).to_list()


@pytest.mark.parametrize(("name", "up"), UPS)
def test_every_reference_is_followed(monkeypatch: pytest.MonkeyPatch, name: str, up: Up) -> None:
    """What a seed refers to is in; and without the rule it would not be kept."""
    source = pair_of_rows(name, up, seed=name)
    found, expected = rows_of(source)
    assert found == expected
    assert found[node(up.label).table] == [True]
    # A wallet comes with its customer, too: what nobody has is kept by the rule alone.
    source.rows[node(up.label).table] = []
    assert kept_of(source, up.label) == [1]
    others = tuple(each for each in up_references(name) if each.label != up.label)
    monkeypatch.setattr(closure, "up_references", lambda table: others if table == name else up_references(table))
    assert kept_of(source, up.label) == []


@pytest.mark.parametrize(("name", "up"), OF_COMPANIONS)
def test_every_companion_is_brought(monkeypatch: pytest.MonkeyPatch, name: str, up: Up) -> None:
    """What belongs to a seed is in; and without the rule it would be missing."""
    source = pair_of_rows(name, up, seed=node(up.label).table)
    found, expected = rows_of(source)
    assert found == expected
    assert found[name] == [True]
    monkeypatch.setattr(ways_in, "COMPANIONS", {table: each for table, each in COMPANIONS.items() if table != name})
    assert rows_of(source) != (found, expected)


def test_a_key_that_cannot_be_malformed_need_not_be_read() -> None:
    """Its column is left out, and the links are the same."""
    raw = pl.DataFrame({"id": [1, 2], "consultation_id": ["5", "x"], frame.IN_TIME: [True, False]})
    links = links_of(raw, "consultation.feedback", TIMED)
    assert_frame_equal(links, links_of(raw.drop("id"), "consultation.feedback", TIMED))
    assert links.to_dict(as_series=False) \
        == {"consultation_id": [5, None], frame.IN_TIME: [True, False], "key is known": [True, True]}  # fmt: skip


def test_a_row_without_a_key_is_no_companion() -> None:
    """Null or malformed, of one column or two: it is in as a seed or not at all."""
    raw = {"id": ["1", None, "x"], "consultation_id": [5, 5, 5], frame.IN_TIME: [False] * 3}
    devices = {"auth_user_id": [1, 1, None], "device_id": ["a", None, "b"], frame.IN_TIME: [False] * 3}
    for name, columns in (("consultation.feedback", raw), ("auth.user_devices", devices)):
        assert links_of(pl.DataFrame(columns), name, TIMED)["key is known"].to_list() == [True, False, False]


def test_own_keys_are_those_of_all_rows(tmp_path: Path) -> None:
    """Chunk by chunk, with nulls, whatever is in."""
    for number, ids in enumerate((["7", "x"], [], ["007"]), 1):
        raw = pl.DataFrame({"id": ids, frame.IN_TIME: [False] * len(ids)}, schema_overrides={"id": pl.String})
        write_links(tmp_path, "auth.auth_users", number, raw, TIMED)
    assert [keys.to_list() for keys in own_keys(tmp_path, "auth.auth_users")] == [[7, None], [], [7]]

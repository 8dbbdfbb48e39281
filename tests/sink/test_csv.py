"""The CSV dialect: exact bytes, and values that a strict reader of another hand gets back one by one."""

import hashlib
import re
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model.vocabulary import Type
from exporter.shape.rejects import REJECTS
from exporter.sink.csv import are_short, lines, short_lines, write_data, write_rejects
from exporter.sink.files import FileRecord
from exporter.sink.tally import Tally

NAME = Path("nodes", "Skill", "part-0001.csv")
FIELD = re.compile(r'"((?:[^"]|"")*)"|([^",\r\n]*)')

# What is hard to carry (neo4j-facts.md), and the characters it is made of.
HARD = [
    "", " ", "\t", "\n", "\r", "\r\n", '"', '""', '","', "\\", "\\\\", '\\"', "\\\n", "a\x00b", "\ufeffBOM",
    "\u2028\u2029\u0085", "\ufffe\uffff", "\U0010ffff", "👩\u200d🚀", "e\u0301", "NULL", "\\N", "#", ";", ",", "null",
    "'", " both ends ", "trailing\\", '"quoted"', '"', "line\nfeed", "x" * 100_000, "नमस्ते",
]  # fmt: skip
HARD_TEXT = st.one_of(
    st.none(), st.sampled_from(HARD), st.text(st.sampled_from('",\n\r\\ \tx\x00é\ufeff😀\u2028'), max_size=8), st.text()
)


def written(root: Path, columns: list[tuple[str, Type]], rows: pl.DataFrame) -> tuple[bytes, Tally]:
    """The bytes of a data file, and its tally."""
    result = write_data(root, NAME, rows, columns)
    return (root / NAME).read_bytes(), result


def read(content: bytes) -> list[list[tuple[str | None, str | None]]]:
    """The fields of each line as (quoted text, bare text), one of them None; both for null. Strict in everything."""
    text, position = content.decode(), 0
    lines: list[list[tuple[str | None, str | None]]] = []
    while position < len(text):
        fields: list[tuple[str | None, str | None]] = []
        while True:
            found = FIELD.match(text, position)
            assert found
            quoted, bare = found.groups()
            fields.append((None if quoted is None else quoted.replace('""', '"'), bare or None))
            position = found.end() + 1
            assert text[found.end()] in ",\n"
            if text[found.end()] == "\n":
                break
        lines.append(fields)
    return lines


def test_exact_bytes(tmp_path: Path) -> None:
    """Strings quoted, everything else bare, null nothing, the empty string not null, no header, no byte order mark."""
    columns = [
        ("id", Type.LONG), ("name", Type.STRING), ("score", Type.DOUBLE), ("good", Type.BOOLEAN),
        ("at", Type.DATETIME), ("on", Type.DATE), ("time", Type.LOCALTIME), ("other", Type.STRING),
    ]  # fmt: skip
    rows = pl.DataFrame(
        {
            "other": ["", None, "\ufeffz"],
            "id": [9007199254740993, -1, 0],
            "name": ['say "hi", you', "two\nlines\\", None],
            "score": ["0.00", "-Infinity", None],
            "good": [True, False, None],
            "at": ["2026-11-23T03:15:00.123456Z", None, "-0043-03-15T00:00:00.000000Z"],
            "on": ["1947-08-15", None, None],
            "time": ["23:59:59.999999", None, "12:00:00"],
        }
    )
    content, result = written(tmp_path, columns, rows)
    assert (
        content
        == (
            '9007199254740993,"say ""hi"", you",0.00,true,2026-11-23T03:15:00.123456Z,1947-08-15,23:59:59.999999,""\n'
            '-1,"two\nlines\\",-Infinity,false,,,,\n'
            '0,,,,-0043-03-15T00:00:00.000000Z,,12:00:00,"\ufeffz"\n'
        ).encode()
    )
    record = FileRecord("nodes/Skill/part-0001.csv", 3, len(content), hashlib.sha256(content).hexdigest())
    values = {"id": 3, "name": 2, "score": 2, "good": 2, "at": 2, "on": 1, "time": 2, "other": 2}
    longest = len(content.split(b"-1,")[0])
    assert result == Tally(rows=3, values=Counter(values), multiline=True, longest=longest, files=(record,))


def test_numbers_of_integer_columns(tmp_path: Path) -> None:
    """A double may come as an integer; digits are never grouped nor rounded."""
    rows = pl.DataFrame({"id": [2**63 - 1, -(2**63)], "score": [1_000_000, None]})
    assert written(tmp_path, [("id", Type.LONG), ("score", Type.DOUBLE)], rows)[0] \
        == b"9223372036854775807,1000000\n-9223372036854775808,\n"  # fmt: skip


def test_text_keys(tmp_path: Path) -> None:
    """Both ends of a pattern, of which one is text."""
    columns = [(":START_ID", Type.LONG), (":END_ID", Type.STRING)]
    rows = pl.DataFrame({":START_ID": [7], ":END_ID": ['7:a"b']})
    assert written(tmp_path, columns, rows)[0] == b'7,"7:a""b"\n'


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", None], False),
        ([None, "a\nb"], True),
        (["a\rb"], True),
        (["\r\n"], True),
        (["a\\nb", "\u2028\x0b"], False),
    ],
)
def test_line_breaks_are_noticed(tmp_path: Path, texts: list[str | None], expected: bool) -> None:
    """Line feed and carriage return, as the importer understands them, and no others."""
    rows = pl.DataFrame({"id": range(len(texts)), "text": texts})
    assert written(tmp_path, [("id", Type.LONG), ("text", Type.STRING)], rows)[1].multiline == expected


def test_a_column_of_nulls(tmp_path: Path) -> None:
    """It has no values, and its lines are as long as any."""
    rows = pl.DataFrame({"id": [1, 2], "text": pl.Series([None, None], dtype=pl.String)})
    content, result = written(tmp_path, [("id", Type.LONG), ("text", Type.STRING)], rows)
    assert (content, result.multiline, result.longest) == (b"1,\n2,\n", False, 3)
    assert result.values == {"id": 2, "text": 0}


@pytest.mark.parametrize(
    "texts", [["é" * 9, "a", None], ["a", 'say "hi"', "line\nbreaks", None], [None], ["x" * 3_000_000, "a"] * 3]
)
def test_the_longest_line(tmp_path: Path, texts: list[str | None]) -> None:
    """In bytes, with what makes it a line, line breaks in values included; wherever the frame is cut into slices."""
    rows = pl.DataFrame({"id": [1] * len(texts), "text": pl.Series(texts, dtype=pl.String)})
    content, result = written(tmp_path, [("id", Type.LONG), ("text", Type.STRING)], rows)
    assert result.longest == max(map(len, re.split(rb"(?<=\n)(?=1,)", content)))


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), HARD_TEXT, HARD_TEXT), min_size=1))
def test_every_text_comes_back(rows: list[tuple[int, str | None, str | None]]) -> None:
    """Null or not, to the last character, wherever it stands in a line."""
    frame = pl.DataFrame(rows, {"first": pl.Int64, "text": pl.String, "last": pl.String}, orient="row")
    with tempfile.TemporaryDirectory() as directory:
        columns = [("last", Type.STRING), ("first", Type.LONG), ("text", Type.STRING)]
        content, result = written(Path(directory), columns, frame)
    assert read(content) == [[(last, None), (None, str(first)), (text, None)] for first, text, last in rows]
    assert result.values == {
        "last": sum(last is not None for _, _, last in rows),
        "first": len(rows),
        "text": sum(text is not None for _, text, _ in rows),
    }
    assert result.multiline == any(c in (text or "") for row in rows for text in row[1:] for c in "\n\r")
    [record] = result.files
    assert (result.rows, record.rows, record.bytes) == (len(rows), len(rows), len(content))


def test_a_hard_text_first_and_last(tmp_path: Path) -> None:
    """Each of those known to be hard, first and last in its line."""
    frame = pl.DataFrame({"first": HARD, "last": HARD[::-1]})
    content, _ = written(tmp_path, [("first", Type.STRING), ("last", Type.STRING)], frame)
    assert read(content) == [[(first, None), (last, None)] for first, last in zip(HARD, HARD[::-1], strict=True)]


def test_rejects(tmp_path: Path) -> None:
    """A header row, null as nothing, the empty string as itself, quotes only where they are needed."""
    rows = [
        ("null_id", "guide.skills", "id", "(0,1)", None, None),
        ("malformed_id", "guide.skills", "id", "", 'a "b"\nc', "Skill"),
    ]
    record = write_rejects(tmp_path, NAME, pl.DataFrame(rows, REJECTS, orient="row"))
    content = (tmp_path / NAME).read_bytes()
    assert content == (
        b"reason,table,column,key,value,references\n"
        b'null_id,guide.skills,id,"(0,1)",,\n'
        b'malformed_id,guide.skills,id,"","a ""b""\nc",Skill\n'
    )
    assert record == FileRecord("nodes/Skill/part-0001.csv", 2, len(content), hashlib.sha256(content).hexdigest())


@given(st.lists(st.tuples(HARD_TEXT, HARD_TEXT), min_size=1))
def test_every_reject_comes_back(pairs: list[tuple[str | None, str | None]]) -> None:
    """Null or not, to the last character, quoted or not."""
    rows = [("malformed_id", "guide.skills", "id", key, value, None) for key, value in pairs]
    with tempfile.TemporaryDirectory() as directory:
        write_rejects(Path(directory), NAME, pl.DataFrame(rows, REJECTS, orient="row"))
        content = (Path(directory) / NAME).read_bytes()
    either = [tuple(bare if quoted is None else quoted for quoted, bare in fields) for fields in read(content)]
    assert either == [tuple(REJECTS), *rows]


def short(text: str | None) -> str:
    """A text that is neither null nor long."""
    return (text or "")[:200]


SHORT_COLUMNS = [("start", Type.LONG), ("end", Type.STRING), ("via", Type.STRING)]


@given(
    rows=st.lists(
        st.tuples(st.none() | st.integers(-(2**63), 2**63 - 1), HARD_TEXT.map(short), HARD_TEXT.map(short)),
        max_size=20,
    )
)
def test_short_lines_are_the_same_lines(rows: list[tuple[int | None, str, str]]) -> None:
    """Byte for byte, whichever way writes them; none is longer than is said."""
    schema = {"start": pl.Int64, "end": pl.String, "via": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    assert are_short(frame, SHORT_COLUMNS)
    specials, specials_of_short = set[bytes](), set[bytes]()
    content, longest = lines(frame, SHORT_COLUMNS, specials)
    short, longest_at_most = short_lines(frame, SHORT_COLUMNS, specials_of_short)
    assert (bytes(short), specials_of_short) == (bytes(content), specials)
    assert longest <= longest_at_most


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ([("id", Type.LONG), ("name", Type.STRING)], {"id": [1], "name": [None]}),
        ([("id", Type.LONG), ("name", Type.STRING)], {"id": [1], "name": ["x" * 1001]}),
        ([("id", Type.LONG), ("amount", Type.LONG)], {"id": [1], "amount": ["7"]}),
        ([("id", Type.LONG), ("score", Type.DOUBLE)], {"id": [1], "score": ["0.5"]}),
        ([(name, Type.LONG) for name in "abcde"], {key: [1] for key in "abcde"}),
    ],
)
def test_rows_that_are_not_short(columns: list[tuple[str, Type]], rows: dict[str, list[object]]) -> None:
    """A null text would be quoted, a number as text too; a long text's line is measured; many columns take longer."""
    assert not are_short(pl.DataFrame(rows, schema_overrides={"name": pl.String}, strict=False), columns)

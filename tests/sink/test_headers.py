"""The headers: derived from the model, and committed as derived."""

from pathlib import Path

import pytest

from exporter.errors import UsageError
from exporter.model.vocabulary import Node, Type
from exporter.sink.headers import columns, compare_headers, header, headers, write_headers
from exporter.sink.layout import entities

COMMITTED = Path(__file__).parents[2] / "headers"
ENTITIES = {entity.name: entity for entity in entities()}


def test_the_committed_headers_are_the_model() -> None:
    """What is committed is what the model gives, no more and no less."""
    assert {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.iterdir()} == headers()


def test_there_is_one_an_entity() -> None:
    """A file for each label and each pattern, by its name."""
    assert list(headers()) == [f"{entity}.csv" for entity in ENTITIES]


def test_header_lines() -> None:
    """Integer and text keys, a pair, both ends, properties of every kind."""
    lines = {
        entity: header(ENTITIES[entity])
        for entity in ("CustomerProfile", "Session", "Device", "Guide-HAS_SKILL-Skill", "Notification-TO_USER-AuthUser")
    }
    assert lines == {
        "CustomerProfile": "profile_id:ID(CustomerProfile){id-type:long},name:string,dob:date,tob:localtime,"
        "birth_city:string,zodiac_sign:string,gender:string,created_at:datetime\n",
        "Session": "id:ID(Session),user_type:string,is_active:boolean,access_token_exp:datetime,created_at:datetime\n",
        "Device": ":ID(Device),device_id:string,device_type:string,platform:string,fcm_token:string,"
        "created_at:datetime,updated_at:datetime\n",
        "Guide-HAS_SKILL-Skill": ":START_ID(Guide),:END_ID(Skill)\n",
        "Notification-TO_USER-AuthUser": ":START_ID(Notification),:END_ID(AuthUser),target_type:string\n",
    }


def test_columns_are_those_of_the_header() -> None:
    """As many, in the same order, with the key's and the ends' own types."""
    assert columns(ENTITIES["Session"])[:2] == [("id", Type.STRING), ("user_type", Type.STRING)]
    assert columns(ENTITIES["Device"])[0] == (":ID", Type.STRING)
    assert columns(ENTITIES["Session-ON_DEVICE-Device"]) == [(":START_ID", Type.STRING), (":END_ID", Type.STRING)]
    assert columns(ENTITIES["AuthUser-HAS_DEVICE-Device"]) == [(":START_ID", Type.LONG), (":END_ID", Type.STRING)]
    fields = {entity: text.strip().split(",") for entity, text in headers().items()}
    assert {f"{entity}.csv": len(columns(of)) for entity, of in ENTITIES.items()} \
        == {entity: len(found) for entity, found in fields.items()}  # fmt: skip


def test_every_label_has_one_id_space() -> None:
    """Both ends of a pattern name spaces that some label's key is in."""
    spaces = {entity for entity, of in ENTITIES.items() if isinstance(of, Node)}
    named = {
        part.split("(")[1].split(")")[0] for text in headers().values() for part in text.split(",") if "ID(" in part
    }
    assert named == spaces


def test_writing_and_comparing(tmp_path: Path) -> None:
    """Written headers differ in nothing; a missing, a changed and a foreign one are each told."""
    directory = tmp_path / "headers"
    assert (sorted(path.name for path in write_headers(directory)), compare_headers(directory)) == (
        sorted(headers()),
        [],
    )
    (directory / "Skill.csv").unlink()
    (directory / "Language.csv").write_text("id:ID(Language),name:string\n")
    (directory / "Planet.csv").write_text("id:ID(Planet)\n")
    (directory / "sales.csv").write_text("month,total\n")
    assert compare_headers(directory) == [
        f"{directory}/Skill.csv: missing",
        f"{directory}/Language.csv: differs from the model",
        f"{directory}/Planet.csv: not an entity of the model",
        f"{directory}/sales.csv: not a header; move it elsewhere",
    ]
    write_headers(directory)
    assert compare_headers(directory) == [f"{directory}/sales.csv: not a header; move it elsewhere"]


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """A file in its place is the user's mistake."""
    (tmp_path / "headers").touch()
    with pytest.raises(UsageError) as error:
        write_headers(tmp_path / "headers")
    assert str(error.value) == f"cannot write headers into {tmp_path}/headers: File exists"


def test_a_changed_line_end_is_a_difference(tmp_path: Path) -> None:
    """Headers are compared byte for byte."""
    write_headers(tmp_path)
    (tmp_path / "Skill.csv").write_bytes(headers()["Skill.csv"].encode().replace(b"\n", b"\r\n"))
    assert compare_headers(tmp_path) == [f"{tmp_path}/Skill.csv: differs from the model"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """Every header is missing then."""
    assert compare_headers(tmp_path / "no") == [f"{tmp_path}/no/{file}: missing" for file in headers()]

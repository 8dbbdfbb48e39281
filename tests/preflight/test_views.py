"""Mapped views are tried out: what would end an export is found before, with the server's words where they are safe."""

from pathlib import Path

import pytest

from exporter.preflight.check import check
from exporter.preflight.views import SEARCH_PATH
from exporter.settings import Settings
from tests.support.stalling_source import execute

SETUP = """
set check_function_bodies = off;
alter table guide.skills rename to stored;
insert into guide.stored values (1, 'hunter2', 'hunter2');
"""
RIGHTS = "a view reads with its owner's rights, with security_invoker with this role's: grant what is missing"


@pytest.mark.parametrize(
    ("view", "found"),
    [
        ("create view guide.skills as select * from guide.stored", []),
        (
            "create function guide.f() returns text language sql as 'select title from saved';"
            "create view guide.skills as select id, name, guide.f() as description from guide.stored",
            [("42P01", f'relation "saved" does not exist; SQLSTATE 42P01; {SEARCH_PATH}')],
        ),
        (
            "create function guide.f(text) returns text language plpgsql as"
            " 'begin raise exception ''%'', $1 using errcode = ''42501''; end';"
            "create view guide.skills as select id, name, guide.f(name) as description from guide.stored",
            [("42501", f"SQLSTATE 42501; {RIGHTS}")],
        ),
        (
            "create view guide.skills as select id, name, (name::int)::text as description from guide.stored",
            [("22P02", "SQLSTATE 22P02; correct the view; SELECT * FROM guide.skills LIMIT 1 says more")],
        ),
    ],
)
def test_a_view_is_tried(source: str, tmp_path: Path, view: str, found: list[tuple[str, str]]) -> None:
    """Whatever its query fails of; a value in the server's words is not quoted."""
    execute(source, SETUP + view)
    errors = check(Settings(source=source, output=tmp_path)).errors
    assert [str(error) for error in errors] == [f"guide.skills: is a view whose query fails: {why}" for _, why in found]


def test_a_view_whose_owner_may_not_read(source: str, tmp_path: Path) -> None:
    """The role has every right on the view, and it does not help."""
    execute(source, SETUP + "create view guide.skills as select * from guide.stored; create role poor")
    try:
        execute(source, "alter view guide.skills owner to poor; grant usage on schema guide to poor")
        errors = check(Settings(source=source, output=tmp_path)).errors
        assert [str(error) for error in errors] == [
            f"guide.skills: is a view whose query fails: permission denied for table stored; SQLSTATE 42501; {RIGHTS}"
        ]
    finally:
        execute(source, "drop owned by poor; drop role poor")

"""What an export left out, from its reject files."""

from pathlib import Path

import pytest

from exporter.errors import DifferenceError, UsageError
from exporter.published.rejects import RejectGroup, find_rejects, reject_groups
from exporter.shape.examples import Example

HEADER = "reason,table,column,key,value,references\n"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Reject files as `--max-rejects` keeps them: a label's of two chunks, and a pattern's."""
    directory = tmp_path / "rejected-20261121T031500Z"
    leads = directory / "nodes" / "Lead"
    leads.mkdir(parents=True)
    (leads / "part-0001.csv").write_text(
        HEADER + "".join(f"unrepresentable_value,marketing.leads,phone,{key},+91{key}\n" for key in range(2))
    )
    (leads / "part-0002.csv").write_text(
        HEADER
        + "unrepresentable_value,marketing.leads,phone,2,+912,\n"
        + "unrepresentable_value,marketing.leads,phone,3,+913,\n"
        + "null_id,marketing.leads,id,3,,\n"
        + 'malformed_id,marketing.leads,id,4,"x\ny",\nmalformed_id,marketing.leads,id,5,"",\n'
    )
    converted = directory / "relationships" / "Lead-CONVERTED_TO-Customer"
    converted.mkdir(parents=True)
    (converted / "part-0001.csv").write_text(HEADER + "dangling_end,marketing.leads,customer_id,7,99,Customer\n")
    return directory


def test_rejects_are_grouped_by_reason_and_entity(kept: Path) -> None:
    """The largest group first, with at most three examples of each column; personal data is masked."""
    phones = tuple(Example("unrepresentable_value", "phone", str(key), "phone", True, None) for key in range(3))
    assert [(group.reason, group.entity, group.count, tuple(group.examples)) for group in reject_groups(kept)] == [
        ("unrepresentable_value", "Lead", 4, phones),
        ("malformed_id", "Lead", 2, (
            Example("malformed_id", "id", "4", "x\ny", False, None), Example("malformed_id", "id", "5", "", False, None)
        )),
        ("null_id", "Lead", 1, (Example("null_id", "id", "3", None, False, None),)),
        ("dangling_end", "Lead-CONVERTED_TO-Customer", 1, (
            Example("dangling_end", "customer_id", "7", "99", False, "Customer"),
        )),
    ]  # fmt: skip


def test_a_directory_that_looks_like_a_pattern(kept: Path) -> None:
    """Its name is taken literally."""
    groups = reject_groups(kept.rename(kept.with_name("a[b]*")))
    assert [group.count for group in groups] == [4, 2, 1, 1]


def test_an_export_without_rejects_has_no_groups(tmp_path: Path) -> None:
    """Its reject files need not exist."""
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "manifest.json").write_text("{}")
    assert reject_groups(tmp_path / "export") == list[RejectGroup]()


def test_rejects_are_found_by_name_and_by_path(kept: Path, tmp_path: Path) -> None:
    """Those of exports, and those that were kept; nothing else is taken for one."""
    export = tmp_path / "20261121T031400Z"
    export.mkdir()
    (export / "manifest.json").write_text("{}")
    (tmp_path / "latest").symlink_to(export.name)
    found = [find_rejects(tmp_path, name) for name in ("latest", export.name, kept.name, str(kept))]
    assert found == [tmp_path / "latest", export, kept, kept]
    with pytest.raises(UsageError, match=f"there is no export nothing in {tmp_path}; "):
        find_rejects(tmp_path, "nothing")


def test_a_damaged_file_is_named_by_its_entity(kept: Path) -> None:
    """And not quoted."""
    (kept / "nodes" / "Lead" / "part-0003.csv").write_bytes(HEADER.encode() + b"null_id,a,b,c,d,e,+91secret\n")
    with pytest.raises(DifferenceError) as damaged:
        reject_groups(kept)
    assert str(damaged.value) == f"the reject files of Lead in {kept} cannot be read: ComputeError"

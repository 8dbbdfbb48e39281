"""The guard of a rebuild: what it lets through, and what it says of the rest."""

from pathlib import Path
from typing import Any

import pytest

from exporter.errors import GuardError
from exporter.rebuild.guard import check_changes
from exporter.sink.manifest import Manifest, read_manifest
from tests.support import tiny_export


@pytest.fixture
def before(tmp_path: Path) -> Manifest:
    """An export of 13 AuthUser and 2 Customer, three patterns, and 2 rejects."""
    return read_manifest(tiny_export.write(tmp_path / "20261122T031500Z"))


def after(tmp_path: Path, rows: int = 13, customers: int = 2, rejects: int = 2) -> Manifest:
    """Another, with these numbers of AuthUser, Customer, and rejected AuthUser."""
    export = tiny_export.write(tmp_path / "20261123T031500Z")
    manifest: dict[str, Any] = tiny_export.manifest(export)
    manifest["nodes"][0] |= {"rows": rows, "rejects": {"null_id": rejects}}
    manifest["nodes"][1]["rows"] = customers
    manifest["totals"]["rejects"] = rejects
    tiny_export.write_manifest(export, manifest)
    return read_manifest(export)


def check(before: Manifest, after: Manifest, drop: float = 20, rise: float = 5) -> None:
    check_changes(before, after, name="20261123T031500Z", max_drop=drop, max_rejects_rise=rise)


def test_what_grows_or_stays_passes(before: Manifest, tmp_path: Path) -> None:
    """It passes, whatever the limits are."""
    check(before, after(tmp_path, rows=1300), drop=0, rise=0)


def test_a_loss_up_to_the_limit_passes(before: Manifest, tmp_path: Path) -> None:
    """Half of it may go when half of it may, and not one more."""
    shrunken = after(tmp_path, customers=1)
    check(before, shrunken, drop=50)
    with pytest.raises(GuardError):
        check(before, shrunken, drop=49.9)


def test_a_truncated_table_is_refused(before: Manifest, tmp_path: Path) -> None:
    """Every label that lost too much is named, with its rows before and now, and the way on."""
    with pytest.raises(GuardError) as refused:
        check(before, after(tmp_path, rows=2, customers=0))
    assert (refused.value.exit_code, str(refused.value)) == (
        6,
        "the export 20261123T031500Z differs too much from the one behind the live graph, which is unchanged:\n"
        "  AuthUser: 13 rows before, 2 now (-84.6%; --max-drop 20%)\n"
        "  Customer: 2 rows before, 0 now (-100.0%; --max-drop 20%)\n"
        "  If the source is correct anyway: exporter rebuild --accept-changes --from 20261123T031500Z",
    )


def test_rejects_that_rise_are_refused(before: Manifest, tmp_path: Path) -> None:
    """They are measured by all rows that there were, 23 of them; what has more is named."""
    check(before, after(tmp_path, rejects=3))
    with pytest.raises(GuardError, match="differs too much") as refused:
        check(before, after(tmp_path / "again", rejects=4))
    assert str(refused.value).splitlines()[1:-1] == [
        "  rejects: 2 before, 4 now (--max-rejects-rise 5%)",
        "  AuthUser: 2 rejects before, 4 now",
    ]

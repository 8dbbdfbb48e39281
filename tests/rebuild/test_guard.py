"""The guard of a rebuild: what it lets through, and what it says of the rest."""

from pathlib import Path
from typing import Any

import pytest

from exporter.errors import GuardError, UsageError
from exporter.rebuild.guard import check_changes, check_export, guard
from exporter.rebuild.report import Action, RebuildReport
from exporter.rebuild.store import Store
from exporter.settings import RebuildSettings
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


def test_control_characters_of_a_manifest_are_shown(before: Manifest, tmp_path: Path) -> None:
    """An export that came from elsewhere cannot command the terminal."""
    export = tiny_export.write(tmp_path / "20261123T031500Z")
    manifest: dict[str, Any] = tiny_export.manifest(export)
    manifest["nodes"][1] |= {"label": "Custo\x1b[2Jmer", "rows": 1}
    tiny_export.write_manifest(export, manifest)
    with pytest.raises(GuardError) as refused:
        check(read_manifest(export), after(tmp_path / "again", customers=0))
    assert "  Custo\\x1B[2Jmer: 1 rows before, 0 now (-100.0%; --max-drop 20%)" in str(refused.value).splitlines()


OTHER = "postgresql:7309999999999999999/tiny"


@pytest.fixture
def live(tmp_path: Path) -> Store:
    """The store of an export that has more customers than the new one."""
    export = tiny_export.write(tmp_path / "20261122T031500Z")
    manifest: dict[str, Any] = tiny_export.manifest(export)
    manifest["nodes"][1]["rows"] = 20
    tiny_export.write_manifest(export, manifest)
    return Store(export, export.name)


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tiny_export.write(tmp_path / "20261123T031500Z")


def guarded(export: Path, live: Store | None) -> None:
    guard(export, live, RebuildReport(Action.REBUILD), RebuildSettings(), name="it")


def test_the_live_graph_is_what_counts(live: Store, new: Path) -> None:
    """An export that lost too much against it is refused."""
    with pytest.raises(GuardError, match="Customer: 20 rows before, 2 now"):
        guarded(new, live)


@pytest.mark.parametrize("case", ["first", "before the first", "old live", "old new"])
def test_what_is_not_known_is_compared_with_nothing(
    live: Store, new: Path, tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first rebuild, a store from before it, and exports of version 1.0, which say no source; the log says so."""
    store: Store | None = live
    if case == "first":
        store = None
    elif case == "before the first":
        store = Store(tmp_path, None)
    else:
        tiny_export.change_source(live.directory if case == "old live" else new, None)
    guarded(new, store)
    reasons = {
        "first": "no rebuild made the live graph, so what it holds is not known",
        "before the first": "no rebuild made the live graph, so what it holds is not known",
        "old live": "the one behind the live graph does not say of which source it is, as those of version 1.0",
        "old new": "it does not say of which source it is, as those of version 1.0",
    }
    assert capsys.readouterr().err.endswith(f" The guard compares the export with nothing: {reasons[case]}\n")


def test_another_source_is_refused(live: Store, new: Path) -> None:
    """However alike they are: nobody meant to replace one graph by another's."""
    tiny_export.change_source(new, OTHER)
    with pytest.raises(GuardError) as refused:
        guarded(new, live)
    assert str(refused.value) == (
        "the export it is of another source than the one behind the live graph, which is unchanged:\n"
        "  live: postgresql:7301234567890123456/tiny\n"
        f"  new: {OTHER}\n"
        "  If the graph is to hold the new source from now on: exporter rebuild --accept-changes --from it"
    )


def test_of_two_models_the_shared_part_is_compared(live: Store, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label that only one of them has was not lost; one that both have may be, and rejects are counted without what
    is new."""
    manifest: dict[str, Any] = tiny_export.manifest(new)
    manifest["model"] = {"sha256": "1" * 64}
    manifest["nodes"][0] |= {"label": "Account", "rejects": {"null_id": 900}}
    manifest["totals"]["rejects"] = 900
    manifest["nodes"][1]["rows"] = 20
    tiny_export.write_manifest(new, manifest)
    guarded(new, live)
    assert "They are of different graph models: only what both have is compared\n" in capsys.readouterr().err
    manifest["nodes"][1]["rows"] = 15
    tiny_export.write_manifest(new, manifest)
    with pytest.raises(GuardError) as refused:
        guarded(new, live)
    assert str(refused.value).splitlines()[1:-1] == ["  Customer: 20 rows before, 15 now (-25.0%; --max-drop 20%)"]


WHICH = "a window, since 2026-11-16 03:15 UTC, without Notification: 40 of 100 rows"


def test_a_copy_is_refused(new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is accepted, which the log says; what is faithful needs no word."""
    report = RebuildReport(Action.REBUILD)
    check_export(new, report, named=None, accepted=False)
    tiny_export.make_copy(new)
    masked = "masked by the profile analyst: pseudonymised, not anonymous"
    with pytest.raises(UsageError) as refused:
        check_export(new, report, named="it", accepted=False)
    assert str(refused.value) == (
        f"the export it is a copy, which does not become the live graph unasked: {WHICH}; {masked}\n"
        "  If it is to: exporter rebuild --accept-copy --from it"
    )
    assert capsys.readouterr().err == ""
    check_export(new, report, named=None, accepted=True)
    assert capsys.readouterr().err.endswith(f" The export is a copy: {WHICH}; {masked}\n")


def test_a_window_is_compared_with_what_is_live(live: Store, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An accepted copy may have lost too much all the same; the way on accepts it twice."""
    tiny_export.make_copy(new)
    with pytest.raises(GuardError, match="Customer: 20 rows before, 2 now") as refused:
        guarded(new, live)
    assert str(refused.value).endswith(" exporter rebuild --accept-changes --accept-copy --from it")
    window = "since 2026-11-16 03:15 UTC, without Notification"
    assert f"They are unlike windows: live the whole source; new {window}\n" in capsys.readouterr().err
    tiny_export.make_copy(live.directory)
    with pytest.raises(GuardError, match="Customer: 20 rows before, 2 now"):
        guarded(new, live)
    assert "unlike windows" not in capsys.readouterr().err


def test_the_whole_source_replaces_a_window(live: Store, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A part says nothing of what the whole should hold; that it was masked does not matter."""
    tiny_export.make_copy(live.directory)
    guarded(new, live)
    assert capsys.readouterr().err.endswith(
        " The guard compares the export with nothing: the live graph is a window (since 2026-11-16 03:15 UTC, without "
        "Notification), and this is the whole source\n"
    )
    tiny_export.make_copy(live.directory, window=None)
    with pytest.raises(GuardError, match="Customer: 20 rows before, 2 now"):
        guarded(new, live)

"""What changed from one export to another."""

from dataclasses import replace
from pathlib import Path

from exporter.published.diff import Change, changes, diff_object, remarks, shared_changes
from exporter.sink.manifest import read_manifest
from tests.support import tiny_export


def test_what_changed(tmp_path: Path) -> None:
    """Every label and pattern with both numbers, as sentences name it; one that only the earlier export has comes
    last, one that only the later has where it stands there."""
    before = read_manifest(tiny_export.write(tmp_path / "export"))
    users, customers, sessions, devices = before.nodes
    first, *patterns = before.relationships
    more_users = replace(users, rows=7, rejects={"null_id": 2, "duplicate_id": 1})
    after = replace(before, nodes=[more_users, replace(customers, label="Person"), devices], relationships=patterns)
    assert changes(before, after) == [
        Change("AuthUser", users.rows, 7, 2, 3),
        Change("Person", 0, 2, 0, 0),
        Change("Device", 0, 0, 0, 0),
        *(Change(entry.pattern, entry.rows, entry.rows, 0, 0) for entry in patterns),
        Change("Customer", 2, 0, 0, 0),
        Change("Session", sessions.rows, 0, 0, 0),
        Change("(Customer)-[HAS_AUTH]->(AuthUser)", first.rows, 0, 0, 0),
    ]
    assert [change.pattern for change in changes(before, after) if change.changed] == [
        "AuthUser", "Person", "Customer", "Session", "(Customer)-[HAS_AUTH]->(AuthUser)",
    ]  # fmt: skip
    assert not any(change.changed for change in changes(before, before))
    assert [change.pattern for change in shared_changes(before, after)] == [
        "AuthUser", "Device", *(entry.pattern for entry in patterns),
    ]  # fmt: skip


def test_what_makes_exports_hard_to_compare(tmp_path: Path) -> None:
    """Another source, one that is not known, another graph model; nothing for two of a kind."""
    one, other, older = (tmp_path / name for name in ("one", "other", "older"))
    for export in (one, other, older):
        tiny_export.write(export)
    tiny_export.change_source(other, "postgresql:7309999999999999999/tiny")
    tiny_export.change_source(older, None)
    manifests = [read_manifest(export) for export in (one, other, older)]
    manifests.append(replace(manifests[0], model=replace(manifests[0].model, sha256="1" * 64)))
    unknown = "Whether they are of the same source is not known: exports of version 1.0 do not say it."
    assert [remarks(manifests[0], manifest) for manifest in [manifests[0], *manifests[1:]]] == [
        [],
        ["They are of different sources: postgresql:7301234567890123456/tiny and postgresql:7309999999999999999/tiny."],
        [unknown],
        ["They are of different graph models."],
    ]


def test_unlike_windows(tmp_path: Path) -> None:
    """What each is, in words and for programs; that both are masked alike says nothing."""
    paths = [tiny_export.write(tmp_path / name) for name in ("whole", "window")]
    tiny_export.make_copy(paths[1])
    whole, window = (read_manifest(path) for path in paths)
    assert remarks(whole, window) == [
        "They are unlike windows: the whole source, and since 2026-11-16 03:15 UTC, without Notification.",
        "They are not masked alike: not masked, and masked by the profile analyst.",
    ]
    assert remarks(window, window) == []
    found = diff_object(*paths, (whole, window))
    assert (found["same_window"], found["same_redaction"]) == (False, False)
    found = diff_object(paths[1], paths[1], (window, window))
    assert (found["same_window"], found["same_redaction"]) == (True, True)

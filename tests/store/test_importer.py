"""import.sh, run by the program: its exit codes as errors with its own reason, and nothing left when it is stopped."""

from pathlib import Path

import psutil
import pytest

from exporter.errors import DifferenceError, ExporterError, Interrupted, RunError, UsageError
from exporter.store.configuration import configure, environment
from exporter.store.importer import import_export, now_and_then
from exporter.store.provision import Neo4jHome
from tests.support import tiny_export
from tests.support.export_process import eventually


@pytest.fixture
def variables(neo4j_home: Neo4jHome, tmp_path: Path) -> dict[str, str]:
    """The environment of an import into a new store; logs of failed imports stay below `tmp_path`."""
    return environment(neo4j_home, configure(tmp_path / "store")) | {"TMPDIR": str(tmp_path)}


def test_an_import_prints_its_lines(variables: dict[str, str], tmp_path: Path) -> None:
    """Every line comes as it is printed, its progress apart, and the store is there."""
    lines: list[str] = []
    progress: list[str] = []
    import_export(
        tiny_export.write(tmp_path / "export"), variables, lines.append, database="graph", on_progress=progress.append
    )
    assert "Importing into database graph" in "\n".join(lines)
    assert [line.partition(":")[0] for line in lines[4:-1]] == [
        "  1/4 nodes", "  2/4 relationships", "  3/4 linking", "  4/4 counts and indexes",
    ]  # fmt: skip
    assert progress and [text for text in progress if "\r" in text or "\n" in text] == []
    assert (tmp_path / "store" / "data" / "databases" / "graph").is_dir()


def test_a_damaged_export_is_a_difference(variables: dict[str, str], tmp_path: Path) -> None:
    """Is a difference; the error names the file."""
    export = tiny_export.write(tmp_path / "export")
    (export / "nodes/Customer/part-0001.csv").write_text("7\n")
    with pytest.raises(
        DifferenceError, match=r"^the export is damaged:\n  cut off: nodes/Customer/part-0001\.csv, 2 of its"
    ):
        import_export(export, variables, print)


def test_a_missing_neo4j_is_a_usage_error(variables: dict[str, str], tmp_path: Path) -> None:
    """Is a fault of usage."""
    with pytest.raises(UsageError, match="NEO4J_HOME"):
        import_export(tiny_export.write(tmp_path / "export"), variables | {"NEO4J_HOME": str(tmp_path)}, print)


def test_a_failed_import_has_its_reason(variables: dict[str, str], tmp_path: Path) -> None:
    """Has the importer's reason; that its store is half-written matters to nobody, since it is thrown away."""
    export = tiny_export.write(tmp_path / "export")
    with (export / "import.args").open("a", encoding="utf-8") as file:
        file.write("--no-such-option\n")
    tiny_export.write_checksums(export)
    with pytest.raises(RunError, match=r"^the import failed") as failed:
        import_export(export, variables, print)
    assert "half-written" not in str(failed.value)


@pytest.mark.parametrize(
    ("moment", "error"),
    [
        ("Importing into", Interrupted("stopped by SIGINT")),
        # Just then bash expands `$(...)`, during which version 5.2 cannot run a trap; so more than once.
        *[("1/4 nodes", RunError("a full disk"))] * 4,
    ],
)
def test_an_import_that_is_stopped_leaves_no_process(
    moment: str, error: ExporterError, variables: dict[str, str], tmp_path: Path
) -> None:
    """As neo4j-admin is started and while it runs: the error passes, and no process of the import is left."""

    def stop_at_import(line: str) -> None:
        if moment in line:
            raise error

    with pytest.raises(type(error), match=str(error)):
        import_export(tiny_export.write(tmp_path / "export"), variables, stop_at_import)
    # What ends a program whose script was killed sees a moment later that there is nothing to do.
    eventually(lambda: not [p for p in psutil.process_iter() if works_on(p, variables["NEO4J_CONF"])], "their end")


def works_on(process: psutil.Process, conf: str) -> bool:
    try:
        return process.environ().get("NEO4J_CONF") == conf
    except psutil.Error:
        return False


def test_progress_is_passed_on_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before half a minute has passed, then once, and so on."""
    seconds, passed = [0.0], list[str]()
    monkeypatch.setattr("time.monotonic", lambda: seconds[0])
    pass_on = now_and_then(passed.append)
    for now in (1, 29, 30, 31, 59, 61, 90, 92):
        seconds[0] = now
        pass_on(str(now))
    assert passed == ["30", "61", "92"]

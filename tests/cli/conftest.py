"""The command in an empty directory, and an export made by it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import EXPORTER, PASSWORD, Done, Exporter


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    """Runs the command in an empty directory, with no settings but those passed to it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXPORTER_", "PG", "NEO4J_"))}

    def run(*arguments: object, **environment: str) -> Done:
        command = [str(EXPORTER), *map(str, arguments)]
        process = subprocess.run(
            command, cwd=tmp_path, env=kept | environment, capture_output=True, text=True, timeout=120, check=False
        )
        done = Done(process.returncode, process.stdout, process.stderr)
        assert PASSWORD not in done.out + done.err
        assert "Traceback" not in done.err
        return done

    return run


@pytest.fixture(scope="module")
def exported(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """An export of the sample, and the command's output."""
    output = tmp_path_factory.mktemp("exported") / "output"
    command = [str(EXPORTER), "export", "--source", sample_database, "--output", str(output)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    done = Done(process.returncode, process.stdout, process.stderr)
    assert done.code == 0, done.err
    return Path(done.out.splitlines()[-1]), done

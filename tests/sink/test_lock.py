"""A lock file: one holder at a time, and sentences that say what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from exporter.errors import BusyError, UsageError
from exporter.sink.lock import hold_lock

HOLD = """
import sys
from pathlib import Path
from exporter.sink.lock import hold_lock
with hold_lock(Path(sys.argv[1]), busy="", remedy=""):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second process is refused with the sentence for it; when the first is dead, the lock is free."""
    path = tmp_path / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="wait for it"), hold_lock(path, busy="wait for it", remedy=""):
            pass
        process.kill()
    with hold_lock(path, busy="", remedy=""):
        assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_free_again_after_an_error(tmp_path: Path) -> None:
    """In the same process, too."""
    with pytest.raises(ValueError, match="lost"), hold_lock(tmp_path / ".lock", busy="", remedy=""):
        raise ValueError("lost")
    with hold_lock(tmp_path / ".lock", busy="", remedy=""):
        pass


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    """The message says which, why, and what to do."""
    (tmp_path / ".lock").mkdir()
    with pytest.raises(UsageError) as refused, hold_lock(tmp_path / ".lock", busy="", remedy="choose another --output"):
        pass
    assert str(refused.value) == f"cannot write to {tmp_path}: Is a directory; choose another --output"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_a_lock_file_that_cannot_be_made() -> None:
    """Nobody holds it."""
    with pytest.raises(UsageError, match="cannot write to /proc"), hold_lock(Path("/proc/.lock"), busy="", remedy=""):
        pass

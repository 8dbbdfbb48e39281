"""Files of the key index, mapped into memory."""

import subprocess
import sys

from exporter.shape.mapped import as_series

USED = """
import sys
import pyarrow
from exporter.shape.mapped import as_series
from exporter.source.unpacking import series
as_series(b"abc"), series(pyarrow.array([1, 2]))
sys.exit("pyarrow.compute" in sys.modules)
"""


def test_bytes_as_a_series() -> None:
    """Each is a number."""
    assert as_series(b"\x00a\xff").to_list() == [0, 97, 255]


def test_no_module_is_loaded_for_it() -> None:
    """Of a worker's start, it would take 40 ms."""
    assert subprocess.run([sys.executable, "-c", USED], check=False).returncode == 0

"""What the tests of shaping share."""

import pytest

from exporter.shape.key_index import KeyIndex
from tests.support.strategies import write_world


@pytest.fixture(scope="module")
def key_index(tmp_path_factory: pytest.TempPathFactory) -> KeyIndex:
    """The drawn rows' world."""
    return write_world(tmp_path_factory.mktemp("keys"))

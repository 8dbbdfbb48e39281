"""What the rejects of a masked copy say of which row they are about."""

import polars as pl
import pytest

from exporter.model.frame import PRIMARY_KEY, Masked
from exporter.model.window import table_of
from exporter.shape.masked import with_shown_key


@pytest.mark.parametrize(
    ("tokens", "keys"), [({"device_id"}, ["7:aa", "row 2", "9:"]), (set[str](), ["row 1", "row 2", "9:"])]
)
def test_the_text_of_a_pair_is_told_as_a_token_alone(tokens: set[str], keys: list[str]) -> None:
    """What is kept as it is may be anything, as much as a number that is none."""
    raw = pl.DataFrame({"auth_user_id": ["7", "x", "9"], "device_id": ["aa", "bb", None]})
    columns = Masked(shown=frozenset(), suppressed=frozenset(), tokens=frozenset(tokens))
    assert with_shown_key(raw, table_of("auth.user_devices"), columns)[PRIMARY_KEY].to_list() == keys

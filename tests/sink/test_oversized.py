"""Texts that are too large for an index: only those, in bytes, of properties that have an index."""

import polars as pl

from exporter.model.tables import node
from exporter.sink.headers import columns
from exporter.sink.oversized import oversized
from exporter.sink.tally import LARGEST_TEXT, Oversized


def rows(label: str, *cells: dict[str, object]) -> pl.DataFrame:
    """Rows of a label with these cells, null elsewhere."""
    names = [name for name, _ in columns(node(label))]
    return pl.DataFrame([{name: row.get(name) for name in names} for row in cells])


def test_a_text_is_measured_in_bytes() -> None:
    """The largest that fits, one byte more, and letters of three bytes; the key is that of the largest."""
    found = oversized(
        node("Customer"),
        rows(
            "Customer",
            {"customer_id": 1, "phone_number": "x" * LARGEST_TEXT},
            {"customer_id": 2, "phone_number": "x" * (LARGEST_TEXT + 1)},
            {"customer_id": 3, "phone_number": "आ" * (LARGEST_TEXT // 3 + 1), "country_code": "x" * 9000},
            {"customer_id": 4},
        ),
    )
    assert found == {"phone_number": Oversized(2, 8166, "3")}


def test_a_property_without_an_index_may_be_large() -> None:
    found = oversized(node("SavedMessage"), rows("SavedMessage", {"id": 1, "content": "x" * 100_000}))
    assert found == {}


def test_a_pair_shows_only_its_number() -> None:
    """Its text is the very one that is too large."""
    text = "y" * 9000
    found = oversized(node("Device"), rows("Device", {":ID": f"7:{text}", "device_id": text}))
    assert found == {"device_id": Oversized(1, 9000, "7:…")}


def test_a_key_that_is_a_text() -> None:
    """Its constraint is an index, too; only its beginning is shown, on one line."""
    found = oversized(node("Session"), rows("Session", {"id": "a\nb" + "z" * 9000}))
    assert found == {"id": Oversized(1, 9003, "a\\nb" + "z" * 37 + "…")}

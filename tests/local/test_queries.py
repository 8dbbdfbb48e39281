"""Sample queries with values in place of parameters."""

import pytest

from exporter.local.queries import with_values
from exporter.model.sample_queries import FULL_CUSTOMER_JOURNEY, GUIDE_EARNINGS, PAYMENT_TO_CONSULTATION, Query


@pytest.mark.parametrize(
    ("query", "values", "line"),
    [
        (FULL_CUSTOMER_JOURNEY, {"phone": "+91 98"}, 'MATCH (c:Customer {phone_number: "+91 98"})'),
        (FULL_CUSTOMER_JOURNEY, {"phone": 'a"\\\nनम'}, 'MATCH (c:Customer {phone_number: "a\\"\\\\\\nनम"})'),
        (FULL_CUSTOMER_JOURNEY, {"payment_id": 7}, "MATCH (c:Customer {phone_number: $phone})"),
        (FULL_CUSTOMER_JOURNEY, {"phone": "a\x1b\x9b"}, 'MATCH (c:Customer {phone_number: "a\\u001b\\u009b"})'),
        (PAYMENT_TO_CONSULTATION, {"payment_id": 7}, "WHERE p.payment_order_id = 7"),
        (GUIDE_EARNINGS, {"phone": "1"}, "WHERE wo.status = 'COMPLETED'"),
    ],
)
def test_values_are_written_as_cypher(query: Query, values: dict[str, str | int], line: str) -> None:
    """Text in quotes, numbers bare; a parameter without a value stays."""
    assert line in with_values(query, values).splitlines()

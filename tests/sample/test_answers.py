"""The sample queries' answers: what to ask a source about, and what counts as the same answer."""

import psycopg
import pytest

from exporter.errors import SourceError
from exporter.model.sample_queries import GUIDE_EARNINGS, PAYMENT_TO_CONSULTATION, Query
from exporter.sample.answers import Answer, differences, parameters


def test_a_source_without_answers(database: str) -> None:
    """The message says what is missing."""
    with psycopg.connect(database) as connection:
        connection.execute(
            """
            CREATE SCHEMA customers; CREATE SCHEMA auth; CREATE SCHEMA wallet;
            CREATE SCHEMA consultation; CREATE SCHEMA guide;
            CREATE TABLE customers.customer (customer_id bigint, x_auth_id bigint, phone_number text);
            CREATE TABLE auth.auth_users (id bigint);
            CREATE TABLE wallet.user_wallets (user_id bigint);
            CREATE TABLE consultation.consultation (id bigint, customer_id bigint, guide_id bigint, order_id bigint);
            CREATE TABLE guide.guide_profile (id bigint);
            CREATE TABLE wallet.payment_orders (payment_order_id bigint, user_id bigint, status text);
            CREATE TABLE wallet.wallet_transactions (user_id bigint, order_id bigint, type text);
            CREATE TABLE wallet.wallet_orders (order_id bigint);
            """
        )
        with pytest.raises(SourceError, match="no phone and no payment_id for which"):
            parameters(connection)


COLUMNS = ("name", "total_earnings")
ROWS = (("Asha", 30.0), ("Ravi", 20.0), ("Mohan", 20.0))


@pytest.mark.parametrize(
    ("query", "found", "expected"),
    [
        (GUIDE_EARNINGS, ROWS, []),
        (GUIDE_EARNINGS, (("Asha", 30.000000001), ("Mohan", 20), ("Ravi", 20.0)), []),
        (GUIDE_EARNINGS, (("Asha", 30.1), ("Ravi", 20.0), ("Mohan", 20.0)), ["('Asha', 30.1), not ('Asha', 30.0)"]),
        (GUIDE_EARNINGS, (ROWS[1], ROWS[0], ROWS[2]), ["total_earnings 30.0 comes after 20.0"]),
        (PAYMENT_TO_CONSULTATION, (ROWS[1], ROWS[0], ROWS[2]), []),
        (GUIDE_EARNINGS, ROWS[:2], ["2 rows, not 3"]),
        (PAYMENT_TO_CONSULTATION, (ROWS[0], ROWS[1], ROWS[1]), ["('Ravi', 20.0), not ('Mohan', 20.0)"]),
    ],
)
def test_rows_are_a_set_where_the_order_ties(
    query: Query, found: tuple[tuple[str, float], ...], expected: list[str]
) -> None:
    """Numbers within 1e-9, repetitions counted, order where the query asks for it."""
    assert differences(query, Answer(COLUMNS, ROWS), Answer(COLUMNS, found)) == expected


@pytest.mark.parametrize(
    ("left", "right"), [(True, 1), (None, ""), ({"a": 1}, {"a": 1, "b": None}), ([1], [1, 1]), ("1", 1)]
)
def test_what_is_not_the_same(left: object, right: object) -> None:
    """Booleans are no numbers, null is no text, and every property counts."""
    found = differences(PAYMENT_TO_CONSULTATION, Answer(("v",), ((left,),)), Answer(("v",), ((right,),)))
    assert found == [f"{(right,)!r}, not {(left,)!r}"]


def test_columns_are_compared() -> None:
    """By name and order."""
    assert differences(GUIDE_EARNINGS, Answer(("a", "b"), ()), Answer(("b", "a"), ())) == [
        "columns ['b', 'a'], not ['a', 'b']"
    ]

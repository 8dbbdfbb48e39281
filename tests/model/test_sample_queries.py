"""The sample queries on the source: every one has an answer worth showing."""

import psycopg

from exporter.model.sample_queries import FULL_CUSTOMER_JOURNEY, GUIDE_EARNINGS, PAYMENT_TO_CONSULTATION, QUERIES
from exporter.sample.answers import Answer, answer_from_source, differences, parameters


def test_every_query_has_an_answer(sample_database: str) -> None:
    """More than one row where there can be, and a customer with several consultations and payments."""
    with psycopg.connect(sample_database) as connection:
        values = parameters(connection)
        answers = {query.name: answer_from_source(connection, query, values) for query in QUERIES}
    journey = answers.pop(FULL_CUSTOMER_JOURNEY.name)
    customer, user, wallet, consultations, payments = journey.rows[0]
    assert len(journey.rows) == 1
    assert (customer["phone_number"], customer["customer_id"]) == (values["phone"], wallet["user_id"])
    assert user["id"] > 1000
    assert len(consultations) > 1 and payments > 0
    assert [name for name, answer in answers.items() if len(answer.rows) < 2] == []


def test_answers_do_not_change(sample_database: str) -> None:
    """The same source, the same parameters and answers."""
    with psycopg.connect(sample_database) as connection:
        first, second = parameters(connection), parameters(connection)
        assert first == second
        for query in QUERIES:
            assert answer_from_source(connection, query, first) == answer_from_source(connection, query, second)


def test_wallets_linked_by_phone_earn_too(sample_database: str) -> None:
    """The orders of a wallet that only the phone links to its guide are that guide's earnings."""
    with psycopg.connect(sample_database) as connection:
        answer = answer_from_source(connection, GUIDE_EARNINGS, {})
        by_phone = connection.execute(
            "SELECT full_name, sum(consultant_share)::float8, count(*) FROM guide.guide_profile g "
            "JOIN wallet.wallet_orders ON consultant_id = 7000000 + g.id WHERE status = 'COMPLETED' GROUP BY full_name"
        ).fetchall()
    found = [row for row in answer.rows if row[0] in {guide for guide, *_ in by_phone}]
    assert len(by_phone) > 1
    assert differences(PAYMENT_TO_CONSULTATION, Answer((), tuple(by_phone)), Answer((), tuple(found))) == []

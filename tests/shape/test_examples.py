"""Which rejects the report shows, and what it masks of them."""

import polars as pl

from exporter.model.graph import NODES
from exporter.shape.examples import EXAMPLES, LONGEST, Example, examples, gathered, pii_columns


def rejects(*rows: tuple[str, str, str, str | None, str | None, str | None]) -> pl.DataFrame:
    """Reject lines as the shape makes them."""
    names = ("reason", "table", "column", "key", "value", "references")
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String), orient="row")


def test_a_few_of_each_kind() -> None:
    """The first of every reason and column, however many there are of the others."""
    many = [("malformed_id", "guide.bank_account", "guide_id", str(key), f"x{key}", "Guide") for key in range(9)]
    few = ("null_id", "guide.bank_account", "id", None, None, None)
    found = examples(rejects(*many, few))
    assert found == (
        *(Example("malformed_id", "guide_id", str(key), f"x{key}", False, "Guide") for key in range(EXAMPLES)),
        Example("null_id", "id", None, None, False, None),
    )


def test_personal_data_is_masked() -> None:
    """Of a marked property, of a column that a link by a phone goes by, and of a pair that holds such a column; a null
    is told as it is."""
    [property_, link, null] = [
        examples(rejects((reason, table, column, "7", value, None)))[0]
        for reason, table, column, value in (
            ("unrepresentable_value", "customers.customer_profile", "tob", "24:00:00"),
            ("ambiguous_link", "wallet.consultant_wallets", "phone_number", "+91 98765 43210"),
            ("unrepresentable_value", "customers.customer_profile", "dob", None),
        )
    ]
    assert property_ == Example("unrepresentable_value", "tob", "7", "birth", True, None)
    assert link == Example("ambiguous_link", "phone_number", "7", "phone", True, None)
    assert null == Example("unrepresentable_value", "dob", "7", None, False, None)
    pair = rejects(("malformed_id", "auth.user_devices", "auth_user_id:fcm_token", "7", "x:secret", None))
    assert examples(pair)[0].value == "token"


def test_every_mark_counts() -> None:
    """No property that the model marks is shown."""
    for node in NODES:
        for prop in node.properties:
            assert pii_columns(node.table).get(prop.name) == prop.pii


def test_long_values_are_cut() -> None:
    """A megabyte of text is no example."""
    [found] = examples(rejects(("malformed_id", "marketing.leads", "customer_id", "7" * 99, "9" * 10**6, None)))
    assert found.value == "9" * LONGEST + "…"
    assert found.key == "7" * LONGEST + "…"


def test_chunks_are_gathered() -> None:
    """By entity, the first of each kind over all chunks."""
    one = Example("null_id", "id", "1", None, False, None)
    other = Example("malformed_id", "id", "2", "x", False, None)
    found = gathered([("Lead", (one,) * EXAMPLES), ("Lead", (one, other)), ("Skill", (one,)), ("Guide", ())])
    assert found == {"Lead": [*[one] * EXAMPLES, other], "Skill": [one]}

"""A label keyed by text, from the declaration to the files: two spellings of a code are one node, found by a third."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.support.copied_tree import apply, copy_tree, run

CHANGES = (
    """\
--- exporter/model/graph.py
     Group("Financial", (
+        Node("Coupon", "wallet.coupons", Key(("code",), IdRule.CODE), (double("amount"),)),
""",
    """\
--- exporter/model/graph.py
     KeepLatest,
+    Key,
""",
    """\
--- exporter/model/graph.py
 RELATIONSHIPS = (
+    Relationship("Payment", "USED", "Coupon", "wallet.payment_orders",
+                 required("payment_order_id"), optional("coupon")),
""",
    """\
--- exporter/model/graph.py
-    "wallet.users", "wallet.wallets", "wallet.consultants", "wallet.coupons", "wallet.quick_connect_rates",
+    "wallet.users", "wallet.wallets", "wallet.consultants", "wallet.quick_connect_rates",
""",
    """\
--- exporter/model/window.py
 WHOLE = frozenset({
+    "wallet.coupons",
""",
    """\
--- exporter/model/privacy.py
+    "Coupon": {"code": KEY, "amount": TECHNICAL},
     "Payment": {
""",
)
TEXTS = """
    create table wallet.coupons (code text primary key, amount numeric);
    insert into wallet.coupons values (' IN', 1), ('IN', 2), ('in', 3), (E'IN\t', 4), ('  ', 5), ('7', 6);
    alter table wallet.payment_orders add coupon text;
    insert into wallet.payment_orders (payment_order_id, user_id, amount, status, created_at, coupon)
    select n, 1, 1, '', now(), (array['IN ', 'in', 'XX', ' ', null, E'\v7'])[n] from generate_series(1, 6) n;
"""
# The same keys as numbers on one side, with and without an index that proves them unique.
NUMBERS = """
    create table wallet.coupons (code bigint, amount numeric);
    insert into wallet.coupons values (7, 6), (7, 7), (8, 8);
    alter table wallet.payment_orders add coupon text;
    insert into wallet.payment_orders (payment_order_id, user_id, amount, status, created_at, coupon)
    select n, 1, 1, '', now(), (array[' 7', '07', '8'])[n] from generate_series(1, 3) n;
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with the label."""
    tree = copy_tree(tmp_path_factory.mktemp("text-keys"))
    for change in CHANGES:
        apply(tree, change)
    return tree


def lines(export: Path, entity: str) -> list[str]:
    """The lines of an entity's files, in order."""
    return sorted(line for path in (export / entity).iterdir() for line in path.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    ("statements", "nodes", "rejects", "relationships", "used"),
    [
        (TEXTS, ['"7",6', '"IN",1', '"in",3'],
         {"duplicate_id": 2, "malformed_id": 1}, ['1,"IN"', '2,"in"', '6,"7"'],
         {"no_target": 2, "rejects": {"dangling_end": 1}}),
        (NUMBERS, ['"7",6', '"8",8'], {"duplicate_id": 1}, ['1,"7"', '3,"8"'],
         {"no_target": 0, "rejects": {"dangling_end": 1}}),
    ],
)  # fmt: skip
def test_codes(
    statements: str, nodes: list[str], rejects: dict[str, int], relationships: list[str], used: dict[str, object],
    tree: Path, source: str,
) -> None:  # fmt: skip
    """White space around a code is not part of it; case is; a blank one is no key and refers to nobody."""
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(statements.encode())
    done = run(tree, "exporter export", source)
    assert done.returncode == 0, done.stderr
    export = Path(done.stdout.splitlines()[-1])
    manifest = json.loads((tree / export / "manifest.json").read_text("utf-8"))
    [coupon] = [entry for entry in manifest["nodes"] if entry["label"] == "Coupon"]
    [pattern] = [entry for entry in manifest["relationships"] if entry["type"] == "USED"]
    assert (lines(tree / export, "nodes/Coupon"), coupon["rejects"]) == (nodes, rejects)
    assert lines(tree / export, "relationships/Payment-USED-Coupon") == relationships
    assert {name: pattern[name] for name in used} == used

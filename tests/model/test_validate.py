"""A declaration that the engine would not keep is refused: a sentence for each fault, all of them at once."""

from dataclasses import replace

import pytest

from exporter.model.treatments import PrivacyClass, Treatment
from exporter.model.validate import problems
from exporter.model.vocabulary import (
    ByValue,
    Constant,
    Graph,
    Group,
    IdRule,
    KeepLatest,
    Key,
    Node,
    Pii,
    Property,
    Reference,
    Relationship,
    boolean,
    integer,
    long,
    optional,
    pair,
    required,
    string,
    uuid,
)

SHOP = Node("Shop", "a.shops", integer("id"), (string("phone", Pii.PHONE), string("code")))
OWNER = Node("Owner", "a.owners", uuid("id"), (string("name"),))
BOX = Node("Box", "a.boxes", pair("shop_id", "name"), (boolean("is_full"),))
OWNED_BY = Relationship("Shop", "OWNED_BY", "Owner", "a.shops", required("id"), optional("owner_id"))
HOLDS = Relationship("Shop", "HOLDS", "Box", "a.boxes", required("shop_id"), required("shop_id", "name"))
NEAR = Relationship("Shop", "NEAR", "Shop", "a.near", required("one"), required("other"))
KEY, DIRECT, CATEGORY, TECHNICAL = PrivacyClass.KEY, PrivacyClass.DIRECT, PrivacyClass.CATEGORY, PrivacyClass.TECHNICAL
PRIVACY = {
    **{"Shop.id": KEY, "Shop.phone": DIRECT, "Shop.code": CATEGORY, "Owner.id": DIRECT, "Owner.name": DIRECT},
    **{"Box.is_full": TECHNICAL},
}
TREATMENTS = {
    "Shop.phone": Treatment.TOKEN_PHONE, "Owner.id": Treatment.TOKEN_SESSION, "Owner.name": Treatment.DROP,
}  # fmt: skip
LINK = ByValue("seller_phone", "phone", IdRule.PHONE, exclusive=True)
LETTERS = "is not a name of letters, digits and underscores"


def graph(
    *nodes: Node,
    relationships: tuple[Relationship, ...] = (OWNED_BY, HOLDS, NEAR),
    join_tables: tuple[str, ...] = ("a.near",),
    indexes: tuple[tuple[str, str], ...] = (("Shop", "code"), ("Shop", "id")),
    skipped_tables: frozenset[str] = frozenset({"a.old"}),
    privacy: dict[str, PrivacyClass] | None = None,
    treatments: dict[str, Treatment] | None = None,
) -> Graph:
    """A small sound graph, of which the arguments change a part; each node stands for the one of its table."""
    tables = {node.table: node for node in (SHOP, OWNER, BOX, *nodes)}
    groups = (Group("All", tuple(tables.values()), join_tables),)
    return Graph(groups, relationships, indexes, skipped_tables, privacy or PRIVACY, treatments or TREATMENTS)


def with_pattern(relationship: Relationship) -> Graph:
    """The small graph with one more pattern."""
    return graph(relationships=(OWNED_BY, HOLDS, NEAR, relationship))


def sold(seller: Reference, *properties: Property | Constant, buyer: Reference | None = None, **names: str) -> Graph:
    """The small graph with one more pattern between two shops; its end is the row's own node."""
    start, type, of, table = ({"start": "Shop", "type": "SOLD", "end": "Shop", "table": "a.shops"} | names).values()
    return with_pattern(Relationship(start, type, of, table, seller, buyer or required("id"), properties))


SELLER = required("seller_id")


@pytest.mark.parametrize(
    "sound",
    [
        graph(),
        graph(replace(OWNER, key=Key(("id",), IdRule.CODE)),
              treatments=TREATMENTS | {"Owner.id": Treatment.TOKEN_CODE}),
        sold(Reference(("seller_id",), by_value=LINK), Constant("via", "id", "phone"), Constant("of", "shops")),
        sold(required("id"), buyer=Reference(("seller_id",), by_value=LINK)),
        sold(Reference(optional="seller_phone", by_value=LINK), Constant("via", "phone")),
        sold(Reference(("seller_id",), optional="seller_id", id_rule=IdRule.TEXT_AUTH_ID)),
        replace(sold(Reference(("seller_id",), by_value=replace(LINK, column="code", id_rule=IdRule.CODE))),
                privacy=PRIVACY | {"Shop.code": DIRECT},
                treatments=TREATMENTS | dict.fromkeys(("Shop.phone", "Shop.code"), Treatment.TOKEN_CODE)),
        graph(replace(OWNER, properties=(string("name"), long("shop"))),
              privacy=PRIVACY | {"Owner.shop": TECHNICAL}),
    ],
)  # fmt: skip
def test_what_the_engine_keeps(sound: Graph) -> None:
    """Keys of every rule, links by value at either end, text that is read for two purposes: nothing is wrong."""
    assert problems(sound) == []


@pytest.mark.parametrize(
    ("faulty", "expected"),
    [
        (graph(replace(SHOP, properties=(string("phone/1", Pii.PHONE), string("code")))),
         [f'a.shops: "phone/1" {LETTERS}', "Shop.phone/1 has no privacy class",
          "there is no property Shop.phone, which has a privacy class"]),
        (graph(replace(BOX, keep_latest=KeepLatest(("a:b",), tiebreaker=" "))),
         [f'a.boxes: "a:b" {LETTERS}', f'a.boxes: " " {LETTERS}']),
        (sold(SELLER, type="SOLD TO"), [f'Shop-SOLD TO-Shop: "SOLD TO" {LETTERS}']),
        (sold(SELLER, type="VERKÄUFER"), ['"VERKÄUFER" is part of file names, so it must be ASCII']),
        (sold(required("seller id")), [f'a.shops: "seller id" {LETTERS}']),
        (sold(SELLER, table="../shops"),
         ['table "../shops" is not schema.table',
          "Shop-SOLD-Shop: ../shops is neither a label's table nor a group's join table"]),
        (graph(skipped_tables=frozenset({"old"})), ['table "old" is not schema.table']),
    ],
)  # fmt: skip
def test_a_name_is_an_identifier(faulty: Graph, expected: list[str]) -> None:
    """A label, a property, a column, a table that could be no file, header or query."""
    assert problems(faulty) == expected


@pytest.mark.parametrize(
    ("faulty", "expected"),
    [
        (graph(replace(SHOP, table="b.shops")), ["label Shop is declared more than once"]),
        (graph(join_tables=("a.near", "a.owners")),
         ["table a.owners is declared more than once; its rows are nodes of one label, or of none",
          "join table a.owners must make exactly one pattern, and makes 0"]),
        (with_pattern(OWNED_BY), ["pattern Shop-OWNED_BY-Owner is declared more than once"]),
        (graph(replace(SHOP, properties=(*SHOP.properties, string("id")))),
         ["Shop has more than one property id", "a.shops.id is read in more than one way: integer, string"]),
        (sold(SELLER, Constant("via", "a"), Constant("via", "b")), ["Shop-SOLD-Shop has more than one property via"]),
        (graph(indexes=(("Shop", "code"), ("Shop", "code"))), ["index on Shop.code is declared more than once"]),
    ],
)  # fmt: skip
def test_what_is_declared_twice_is_refused(faulty: Graph, expected: list[str]) -> None:
    """What of two would win, or end in one file."""
    assert problems(faulty) == expected


def test_two_labels_on_one_table() -> None:
    """A row is one node."""
    groups = (Group("All", (SHOP, replace(SHOP, label="Store"))),)
    stores = {name.replace("Shop", "Store"): privacy for name, privacy in PRIVACY.items() if "Shop" in name}
    shops = {name: privacy for name, privacy in PRIVACY.items() if "Shop" in name}
    assert problems(Graph(groups, (), privacy=shops | stores)) == [
        "table a.shops is declared more than once; its rows are nodes of one label, or of none"
    ]


@pytest.mark.parametrize(
    ("faulty", "expected"),
    [
        (sold(SELLER, table="a.sales"),
         ["Shop-SOLD-Shop: a.sales is neither a label's table nor a group's join table"]),
        (graph(join_tables=("a.near", "a.far")), ["join table a.far must make exactly one pattern, and makes 0"]),
        (sold(SELLER, table="a.near"), ["join table a.near must make exactly one pattern, and makes 2"]),
        (graph(skipped_tables=frozenset({"a.near", "a.shops"})),
         ["table a.near is both exported and on the skip list", "table a.shops is both exported and on the skip list"]),
        (graph(indexes=(("Shop", "name"), ("Shp", "code"))),
         ["index on Shop.name: there is no such property", "index on Shp.code: there is no such property"]),
    ],
)  # fmt: skip
def test_what_is_not_there(faulty: Graph, expected: list[str]) -> None:
    """Tables that would silently not be read, or of which nothing would be made; indexes on nothing."""
    assert problems(faulty) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Key(("phone",), IdRule.PHONE), ["Owner: the rule phone is not one for keys"]),
        (Key(("id",), IdRule.TEXT_AUTH_ID), ["Owner: the rule text_auth_id is not one for keys"]),
        (Key(("id",), IdRule.PAIR), ["Owner: a key of 1 columns cannot be read by the rule pair"]),
        (Key(("id", "other"), IdRule.UUID), ["Owner: a key of 2 columns cannot be read by the rule uuid"]),
        (Key((), IdRule.INTEGER), ["Owner: a key of 0 columns cannot be read by the rule integer"]),
    ],
)
def test_a_key_is_read_by_a_rule_for_keys(key: Key, expected: list[str]) -> None:
    """A rule by which the source cannot tell that two spellings are one key, a rule of another number of columns."""
    found = problems(graph(replace(OWNER, key=key)))
    assert [problem for problem in found if problem.startswith("Owner: ")] == expected


@pytest.mark.parametrize(
    ("faulty", "expected"),
    [
        (sold(SELLER, start="Shp"), ["there is no label Shp"]),
        (sold(SELLER, buyer=optional("id")),
         ["the end Shop is the row's own node, which needs no more than its columns"]),
        (sold(SELLER, buyer=Reference(("id",), by_value=LINK)),
         ["the end Shop is the row's own node, which needs no more than its columns"]),
        (sold(required("seller_id", "name")), ["the key of Shop has 1 columns, the reference 2"]),
        (sold(SELLER, start="Box"), ["the key of Box has 2 columns, the reference 1"]),
        (sold(Reference()), ["the reference to Shop has no columns"]),
        (sold(Reference(("seller_id",), optional="buyer_id")),
         ["the reference to Shop does not read its optional column buyer_id"]),
        (sold(Reference(("seller_id",), id_rule=IdRule.CODE)),
         ["the key of Shop cannot be referred to by the rule code in a.shops"]),
        (sold(Reference(by_value=LINK)), ["a link to Shop by value alone is optional, and must say so"]),
        (sold(Reference(("seller_id",), by_value=replace(LINK, id_rule=IdRule.INTEGER))),
         ["the rule integer is not one for links by value"]),
        (sold(Reference(("seller_id",), by_value=replace(LINK, owner_column="fax"))),
         ["Shop is found by fax, which is not one of its properties"]),
        (sold(Reference(("owner",), by_value=replace(LINK, owner_column="name")), start="Owner"),
         ["only a label with an integer key can be found by value, and Owner has another"]),
        (sold(SELLER, buyer=Reference(("id",), by_value=LINK), table="a.owners"),
         ["an exclusive link needs rows with an integer key, and Owner has another"]),
        (sold(Reference(("seller_id",), by_value=LINK), buyer=Reference(("buyer_id",), by_value=LINK)),
         ["only one end can fall back to a link by value"]),
        (sold(SELLER, Constant("via", "id", "phone")), ["no end is linked by value, so via has no value for that"]),
    ],
)  # fmt: skip
def test_patterns(faulty: Graph, expected: list[str]) -> None:
    """What the engine would ignore or fail on: in a reference, in a link by value, in a constant."""
    assert problems(faulty) == [f"{faulty.relationships[-1].name}: {problem}" for problem in expected]


def test_links_by_two_rules() -> None:
    """The index of a column's values is made by one."""
    by_phone, by_code = (Reference(optional="other", by_value=ByValue("other", "code", rule))
                         for rule in (IdRule.PHONE, IdRule.CODE))  # fmt: skip
    sold_by, sold_to = (Relationship("Shop", "SOLD_BY", "Shop", "a.shops", by_phone, required("id")),
                        Relationship("Shop", "SOLD_TO", "Shop", "a.shops", by_code, required("id")))  # fmt: skip
    assert problems(graph(relationships=(OWNED_BY, HOLDS, NEAR, sold_by, sold_to))) == [
        "links by value compare Shop.code by more than one rule: code, phone"
    ]


def test_join_tables() -> None:
    """Their rows are compared as they are in the source, and have no node that could share a value."""
    by_text = Reference(("one",), id_rule=IdRule.TEXT_AUTH_ID)
    by_value = Reference(("other",), by_value=replace(LINK, exclusive=False))
    near = replace(NEAR, start_reference=by_text, end_reference=by_value)
    assert problems(graph(relationships=(OWNED_BY, HOLDS, near))) == [
        "Shop-NEAR-Shop: the key of Shop cannot be referred to by the rule text_auth_id in a.near",
        "Shop-NEAR-Shop: a.near is a join table, whose rows cannot be linked by value",
    ]


def test_a_column_that_is_read_in_two_ways() -> None:
    """A read has one of them."""
    assert problems(sold(required("phone"))) == ["a.shops.phone is read in more than one way: integer, string"]
    by_own_key = Reference(optional="id", by_value=replace(LINK, column="id", id_rule=IdRule.CODE))
    assert problems(sold(by_own_key)) == ["a.shops.id is read in more than one way: code, integer"]


@pytest.mark.parametrize(
    ("privacy", "expected"),
    [
        ({"Shop.code": None}, ["Shop.code has no privacy class"]),
        ({"Shop.fax": DIRECT}, ["there is no property Shop.fax, which has a privacy class"]),
        ({"Shop.id": TECHNICAL}, ["Shop.id is a key, and its privacy class is technical"]),
        ({"Shop.code": KEY}, ["Shop.code is not a key, and its privacy class is"]),
        ({"Shop.phone": CATEGORY}, ["Shop.phone holds personal data (phone), and its privacy class is category"]),
    ],
)
def test_every_property_has_a_fitting_privacy_class(
    privacy: dict[str, PrivacyClass | None], expected: list[str]
) -> None:
    """A property without a class, a class without a property, a class that contradicts the declaration."""
    classes = {name: of for name, of in (PRIVACY | privacy).items() if of is not None}
    assert problems(graph(privacy=classes)) == expected


@pytest.mark.parametrize(
    ("treatments", "privacy", "expected"),
    [
        ({"Shop.phone": None}, {}, "Shop.phone has no treatment, and neither has its privacy class direct"),
        ({"Shop.fax": Treatment.DROP}, {}, "there is no property Shop.fax, which has a treatment"),
        ({"Shop.id": Treatment.DROP}, {}, "Shop.id cannot be drop in a masked copy, only keep"),
        ({"Box.is_full": Treatment.YEAR}, {}, "Box.is_full cannot be year in a masked copy, only keep, drop"),
        ({"Owner.name": Treatment.KEEP}, {},
         "Owner.name is keep in a masked copy, which its privacy class direct does not allow"),
        ({}, {"Shop.code": PrivacyClass.QUASI}, "Shop.code has no treatment, and neither has its privacy class quasi"),
    ],
)  # fmt: skip
def test_every_property_has_a_fitting_treatment(
    treatments: dict[str, Treatment | None], privacy: dict[str, PrivacyClass], expected: str
) -> None:
    """A property that nothing says how to mask, a treatment of nothing, one that does not fit, one that is too weak."""
    known = {name: treatment for name, treatment in (TREATMENTS | treatments).items() if treatment is not None}
    assert problems(graph(privacy=PRIVACY | privacy, treatments=known)) == [expected]


def test_the_properties_of_a_pattern_have_a_class() -> None:
    """But its constants; a property may be the key of another label."""
    faulty = sold(SELLER, string("note"), Constant("via", "id"))
    assert problems(faulty) == ["Shop-SOLD-Shop.note has no privacy class"]
    box = replace(BOX, key=integer("box_id"))
    holds = replace(HOLDS, end_reference=required("box_id"))
    shop = replace(SHOP, properties=(*SHOP.properties, long("box_id")))
    classes = PRIVACY | {"Box.box_id": KEY, "Shop.box_id": KEY}
    assert problems(graph(box, shop, relationships=(OWNED_BY, holds, NEAR), privacy=classes)) == []


def test_all_at_once() -> None:
    """Nobody has to run it once for each fault."""
    owner = replace(OWNER, key=Key(("id",), IdRule.PHONE), properties=(string("na me"),))
    faulty = graph(owner, join_tables=("a.near", "a.far"), indexes=(("Shop", "name"),))
    assert problems(faulty) == [
        f'a.owners: "na me" {LETTERS}',
        "join table a.far must make exactly one pattern, and makes 0",
        "Owner: the rule phone is not one for keys",
        "index on Shop.name: there is no such property",
        "Owner.na me has no privacy class",
        "there is no property Owner.name, which has a privacy class",
    ]

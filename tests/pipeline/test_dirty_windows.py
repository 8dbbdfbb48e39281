"""Windows of sources in which every rule occurs at its edges: each is the subgraph of the faithful export that its
nodes induce, and has the rows that the slow reference of the closure finds in the source."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import psycopg
import pytest

from tests.oracle import closure, source
from tests.oracle.closure import Asked, Row
from tests.oracle.window import Lines, entities_of, rows_in, rows_of_source, window_differences
from tests.pipeline.test_dirty import VARIANTS, run_exporter
from tests.support.reference_rules import integer_id
from tests.support.stalling_source import copy_database

pytestmark = pytest.mark.slow

DAY = ("2017-01-01", "2017-01-02")


@dataclass(frozen=True)
class Case:
    """A window: its flags, its times, and what else the reference is told."""

    flags: tuple[str, ...] = ()
    times: tuple[str, str | None] | None = None
    asked: Asked = field(default_factory=Asked)

    @property
    def all_flags(self) -> tuple[str, ...]:
        since, until = self.times or (None, None)
        return (*self.flags, *((f"--since={since}",) if since else ()), *((f"--until={until}",) if until else ()))


# Of each of these labels, one node that the faithful export has is a root.
ROOTS = {"Customer": "customer_id", "AuthUser": "id", "Guide": "id", "Payment": "payment_order_id", "Lead": "id"}
CASES = {
    "a day": Case(times=DAY, asked=Asked(timed=True)),
    "a sample": Case(("--sample=5%",), asked=Asked(sample=Fraction(1, 20))),
    "a sample, of a day": Case(
        ("--sample=30%", "--sample-seed=7", "--without=Notification,Session"),
        DAY,
        Asked(timed=True, sample=Fraction(3, 10), seed=7, without=frozenset({"Notification", "Session"})),
    ),
    "roots": Case(asked=Asked(people={})),
    "roots, of a day": Case(times=DAY, asked=Asked(timed=True, people={})),
}


# Each takes seconds, so few are tried in both sources.
TRIED = [
    *(("as found", name) for name in ("a day", "a sample", "a sample, of a day", "roots, of a day")),
    *(("declared types", name) for name in ("a day", "a sample, of a day", "roots")),
]


@dataclass(frozen=True)
class Faithful:
    """A source, the flags that every export of it takes, and its faithful export."""

    uri: str
    zone: str
    flags: tuple[str, ...]
    directory: Path


@pytest.fixture(scope="module")
def faithful(dirty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Faithful]:
    """Faithful exports of the dirty sources, each made once."""

    @cache
    def exported(name: str) -> Faithful:
        variant, output = VARIANTS[name], tmp_path_factory.mktemp("output")
        uri = copy_database(dirty_database, f"dirty windows: {name}")
        with psycopg.connect(uri, autocommit=True) as connection:
            variant.make(connection)
            source.mislead(connection)
        flags = (f"--source={uri}", f"--output={output}", f"--timezone={variant.zone}", *variant.options)
        return Faithful(uri, variant.zone, flags, Path(run_exporter("export", *flags).splitlines()[-1]))

    return exported


def with_roots(case: Case, nodes: dict[str, Lines], rows: dict[str, list[Row]]) -> Case:
    """The case, if it is one of roots, with a node of each of their labels; people with their other identities, a lead
    with its customer, a guide with its wallet."""
    if case.asked.people is None:
        return case
    ids = {label: sorted(int(id or "") for (id,) in nodes[label].ids.values()) for label in ROOTS}
    people = {label: {known[len(known) // 2]} for label, known in ids.items()}
    flags = tuple(f"--root={label}:{ROOTS[label]}={id}" for label, known in people.items() for id in known)
    customers = [(integer_id(row["customer_id"]), integer_id(row["x_auth_id"])) for row in rows["customers.customer"]]
    leads = [(integer_id(row["id"]), integer_id(row["customer_id"])) for row in rows["marketing.leads"]]
    people["Customer"] |= {customer for lead, customer in leads if lead in people["Lead"] and customer is not None}
    owners = {customer for customer, user in customers if user in people["AuthUser"] and customer is not None}
    users = {user for customer, user in customers if customer in people["Customer"] and user is not None}
    people["Customer"] |= owners
    people["AuthUser"] |= users
    people["GuideWallet"] = people["Guide"]
    return replace(case, flags=flags, asked=replace(case.asked, people=people))


@pytest.mark.parametrize(("variant", "name"), TRIED)
def test_a_window_is_an_induced_subgraph(faithful: Callable[[str], Faithful], variant: str, name: str) -> None:
    """Every line and reject is one of the faithful export, no relationship between its nodes is missing, and its rows
    are those that the rules say."""
    whole = faithful(variant)
    all_nodes = entities_of(whole.directory)[0]
    with psycopg.connect(whole.uri, autocommit=True) as connection:
        rows = rows_of_source(connection, *(CASES[name].times or (None, None)), whole.zone)
    case = with_roots(CASES[name], all_nodes, rows)
    window = Path(run_exporter("export", *whole.flags, *case.all_flags).splitlines()[-1])
    assert window_differences(whole.directory, window) == []
    expected = closure.closure(rows, case.asked)
    found = rows_in(window)
    dated = {name: sum(inside) for name, inside in expected.rows.items() if name != "guide.guide_profile"}
    assert {name: found[name] for name in dated} == dated
    nodes = entities_of(window)[0]
    for label, ids in expected.kept.items():
        known = {id for (id,) in all_nodes[label].ids.values()}
        assert {id for (id,) in nodes[label].ids.values()} == known & set(map(str, ids)), label

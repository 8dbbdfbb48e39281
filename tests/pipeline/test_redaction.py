"""A masked export has the rows, rejects and pairs of the unmasked one, and of every value what its treatment leaves."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from exporter.model.graph import GRAPH
from exporter.model.redaction import Rules, column_rules, effective_rules, weakened
from exporter.model.tables import tables
from exporter.model.treatments import PrivacyClass, Rule, Treatment
from exporter.model.vocabulary import Node
from exporter.sink.layout import entities
from tests.oracle import source
from tests.support.masked_values import REDACTED, columns_of, masked, masked_key, rejects_of, rows_of
from tests.support.stalling_source import copy_database

pytestmark = pytest.mark.slow

EXPORTER = Path(sys.executable).with_name("exporter")
ROOT = Path(__file__).parents[2]
DECLARED_SCHEMA = ROOT / "exporter" / "sample" / "schema.sql"
SECRET = bytes(range(32))
COMMON_ROWS = 20
# The keys of rejects: numbers, UUIDs, tokens, pairs; or else where the row is.
PART = r"(?:-?[0-9]+|[0-9a-f-]{36}|[0-9a-f]{32}|)"
KEY = re.compile(rf"row [1-9]\d*|{PART}(?::{PART})?")
RULES = effective_rules({}, frozenset())
# Stronger and weaker treatments than the profile's, and such as only a change brings about.
CHANGES = {
    "Guide.phone_number": "keep", "Guide.full_name": "drop", "AuthUser.updated_at": "month",
    "CustomerProfile.dob": "drop", "Session.access_token_exp": "drop", "Verification.verified_at": "day",
    "Lead.utm_campaign": "common", "Customer.country_code": "presence", "Transaction.amount": "drop",
    "Payment.payment_method": "token:document", "Lead.source": "label", "Session.is_active": "drop",
}  # fmt: skip
ACCEPTED = ["Guide.phone_number", "Payment.payment_method", "Lead.source"]


# The dirty rows in columns of the widest types and in those of the specification; the sample, whose phones and referral
# codes link; and that for other treatments than the profile's.
SOURCES = ("dirty", "declared", "sample", "changed")


@dataclass(frozen=True, slots=True)
class Pair:
    """An unmasked and a masked export of one source."""

    uri: str
    plain: Path
    masked: Path
    key: Path
    rules: Rules

    def shown(self, table: str) -> set[str]:
        """The columns whose values may stand in rejects."""
        query = """select attname from pg_attribute join pg_type t on t.oid = atttypid
                   where attrelid = %s::regclass and t.typname in ('int2', 'int4', 'int8', 'uuid')"""
        with psycopg.connect(self.uri) as connection:
            exact = {name for (name,) in connection.execute(query, [table])}
        columns = column_rules(next(found for found in tables() if found.name == table), self.rules)
        keys = {name for name, rule in columns.items() if rule == Rule(PrivacyClass.KEY, Treatment.KEEP)}
        return exact & keys

    def common(self, table: str, column: str) -> set[str]:
        """The values of a column that enough rows have."""
        query = f"select {column}::text from {table} where {column} is not null"
        with psycopg.connect(self.uri) as connection:
            counts = Counter(value for (value,) in connection.execute(query.encode()))
        return {value for value, count in counts.items() if count >= COMMON_ROWS}


def export(uri: str, output: Path, *options: object) -> Path:
    """The directory of an export."""
    command = [str(EXPORTER), "export", "--source", uri, "--output", str(output), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=output.parent)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def key_file(directory: Path, secret: bytes) -> Path:
    """A key's file."""
    path = directory / f"{secret[0]}.key"
    path.write_text(secret.hex() + "\n", encoding="ascii")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def plain(
    sample_database: str, dirty_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[str, Path]]:
    """The address of a source, and an unmasked export of it; each is made once."""

    @cache
    def exported(name: str) -> tuple[str, Path]:
        uri = {"sample": sample_database, "dirty": dirty_database}.get(name)
        if uri is None:
            uri = copy_database(dirty_database, name)
            with psycopg.connect(uri, autocommit=True) as connection:
                source.declare(connection, DECLARED_SCHEMA.read_text(encoding="utf-8"))
        return uri, export(uri, tmp_path_factory.mktemp("plain") / "output")

    return exported


@pytest.fixture(scope="module", params=SOURCES)
def pair(
    request: pytest.FixtureRequest,
    plain: Callable[[str], tuple[str, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    """Both exports of each source."""
    is_changed = request.param == "changed"
    directory = tmp_path_factory.mktemp("redaction")
    uri, unmasked = plain("sample" if is_changed else request.param)
    key = key_file(directory, SECRET)
    changes, accepted = (CHANGES, ACCEPTED) if is_changed else ({}, [])
    rows = [f'"{name}" = "{treatment}"' for name, treatment in changes.items()]
    settings = f"redact_accept = {json.dumps(accepted)}\n[redact_changes]\n" + "\n".join(rows)
    file = directory / "changes.toml"
    file.write_text(settings, encoding="utf-8")
    masked = export(uri, directory / "masked", "--redact", "analyst", "--redact-key", key, "--config", file)
    rules = effective_rules(changes, accepted)
    return Pair(uri, unmasked, masked, key, rules)


def manifest(directory: Path) -> dict[str, Any]:
    """The manifest of an export."""
    content: dict[str, Any] = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    return content


def test_verify_finds_nothing_that_should_be_masked(pair: Pair) -> None:
    """It needs no original."""
    done = subprocess.run([EXPORTER, "verify", pair.masked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_value_is_what_its_treatment_leaves(pair: Pair) -> None:
    """Row by row and value by value, keys and both ends included; what is suppressed is counted."""
    suppressed: Counter[str] = Counter()
    values = 0
    for node in GRAPH.nodes:
        names = columns_of(pair.plain, node.label)
        common = {
            name: pair.common(node.table, name)
            for name in names
            if (rule := pair.rules.get(f"{node.label}.{name}")) and rule.treatment is Treatment.COMMON
        }
        pairs = zip(
            rows_of(pair.plain / "nodes" / node.label), rows_of(pair.masked / "nodes" / node.label), strict=True
        )
        for before, after in pairs:
            expected = list[str | None]()
            for name, value in zip(names, before, strict=True):
                rule = pair.rules.get(f"{node.label}.{name}")
                if rule is None:
                    expected.append(masked_key(node.label, value, SECRET))
                elif name in common:
                    expected.append(value if value in common[name] else None)
                else:
                    treatment = str(rule.treatment)
                    expected.append(masked(treatment, value, secret=SECRET, label=node.label, key=before[0]))
                if rule and rule.treatment in ("category", "common") and value is not None and expected[-1] is None:
                    suppressed[f"{node.label}.{name}"] += 1
            assert after == tuple(expected), (node.label, before[0])
            values += len(after)
    assert values > 1000
    found = manifest(pair.masked)["redaction"]["suppressed"]
    assert {name: count for name, count in found.items() if "-" not in name} == dict(suppressed)


def test_every_relationship_joins_the_same_nodes(pair: Pair) -> None:
    """Links by phone, referral code and text auth ID among them, which are made of tokens or read as they are."""
    made: Counter[str] = Counter()
    for relationship in GRAPH.relationships:
        name = relationship.name
        before, after = ([row[:2] for row in rows_of(directory / "relationships" / name)]
                         for directory in (pair.plain, pair.masked))  # fmt: skip
        labels = (relationship.start, relationship.end)
        expected = [tuple(masked_key(label, key, SECRET) for label, key in zip(labels, row, strict=True))
                    for row in before]  # fmt: skip
        assert after == expected, name
        made[name] = len(after)
    for name in ("Guide-HAS_WALLET-GuideWallet", "Guide-REFERRED_BY-Guide", "Notification-TO_USER-AuthUser",
                 "Session-ON_DEVICE-Device"):  # fmt: skip
        assert made[name] > 0


def test_every_reject_is_the_same_and_tells_only_keys(pair: Pair) -> None:
    """The same reasons, columns and labels in the same order; keys and values only where they are integers or UUIDs
    that are kept."""
    hidden = shown = 0
    for entity in entities():
        folder = "nodes" if isinstance(entity, Node) else "relationships"
        before, after = (rejects_of(directory / "rejects" / folder / entity.name)
                         for directory in (pair.plain, pair.masked))  # fmt: skip
        constant = ("reason", "table", "column", "references")
        assert [[line[name] for name in constant] for line in after] == \
            [[line[name] for name in constant] for line in before], entity.name  # fmt: skip
        keys = pair.shown(entity.table)
        for old, new in zip(before, after, strict=True):
            if keys.issuperset(str(old["column"]).split(":")):
                assert new["value"] == old["value"]
                shown += 1
            else:
                assert new["value"] == (None if old["value"] is None else REDACTED), entity.name
                hidden += 1
            assert new["key"] is None or KEY.fullmatch(new["key"]), entity.name
    assert hidden
    assert shown
    totals = manifest(pair.masked)["totals"]
    assert totals["rejects"] == manifest(pair.plain)["totals"]["rejects"]


def test_the_manifest_says_what_was_masked(pair: Pair) -> None:
    """Every treatment by its property, the key's id, and for every property as many values as were left."""
    plain, found = manifest(pair.plain), manifest(pair.masked)
    redaction = found["redaction"]
    assert plain["redaction"] is None
    assert (plain["format"], found["format"]) == (1, 2)
    assert redaction["treatments"] == {name: str(rule.treatment) for name, rule in pair.rules.items()}
    assert (redaction["profile"], redaction["weakened"]) == ("analyst", weakened(pair.rules))
    assert len(redaction["key"]) == 16
    assert SECRET.hex() not in json.dumps(found)
    for before, after in zip(plain["nodes"], found["nodes"], strict=True):
        assert (before["rows"], before["rejects"]) == (after["rows"], after["rejects"])
        for name, count in before["property_counts"].items():
            left = after["property_counts"].get(name, 0)
            lost = redaction["suppressed"].get(f"{before['label']}.{name}", 0)
            treatment = pair.rules[f"{before['label']}.{name}"].treatment
            if treatment not in ("drop", "token:phone", "token:code"):
                assert left + lost == count, (before["label"], name)


@pytest.mark.parametrize("pair", ["sample"], indirect=True)
def test_one_key_gives_the_same_bytes_and_another_no_token_in_common(pair: Pair, tmp_path: Path) -> None:
    """Another key is drawn where none is given."""
    again = export(pair.uri, tmp_path / "again", "--redact", "analyst", "--redact-key", pair.key)
    assert files(again) == files(pair.masked)
    known = tokens(pair.masked)
    assert len(known) > 100
    other = export(pair.uri, tmp_path / "other", "--redact", "analyst")
    assert len(tokens(other)) == len(known)
    assert not known & tokens(other)
    assert manifest(other)["redaction"]["key"] == "once"


def files(export: Path) -> dict[str, bytes]:
    """The bytes of all data and rejects."""
    return {path.relative_to(export).as_posix(): path.read_bytes()
            for folder in ("nodes", "relationships", "rejects")
            for path in (export / folder).rglob("*.csv")}  # fmt: skip


def tokens(export: Path) -> set[str]:
    """All tokens of an export."""
    found = set[str]()
    for name, rule in RULES.items():
        if rule.treatment.domain:
            label, _, prop = name.partition(".")
            column = columns_of(export, label).index(prop)
            found |= {row[column] or "" for row in rows_of(export / "nodes" / label)}
    return found - {""}

"""A masked export has the rows, rejects and pairs of the unmasked one, and of every value what its treatment leaves."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from exporter.model.graph import GRAPH
from exporter.model.redaction import column_rules, effective_rules
from exporter.model.tables import tables
from exporter.model.treatments import PrivacyClass, Rule, Treatment
from exporter.model.vocabulary import Node
from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample
from exporter.sink.layout import entities
from tests.oracle import source
from tests.support.masked_values import REDACTED, columns_of, masked, masked_key, rejects_of, rows_of

pytestmark = pytest.mark.slow

EXPORTER = Path(sys.executable).with_name("exporter")
ROOT = Path(__file__).parents[2]
DECLARED_SCHEMA = ROOT / "exporter" / "sample" / "schema.sql"
SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(32, 64))
COMMON_ROWS = 20
# The keys of rejects: numbers, UUIDs, tokens, pairs; or else where the row is.
PART = r"(?:[\s0-9a-f.-]*|-?infinity|nan)"
KEY = re.compile(rf"row [1-9]\d*|{PART}(?::{PART})?", re.IGNORECASE)
RULES = effective_rules({}, frozenset())


def dirty(uri: str) -> None:
    """The dirty rows, in columns of the widest types."""
    with psycopg.connect(uri, autocommit=True) as connection:
        source.fill(connection)


def declared(uri: str) -> None:
    """The dirty rows in the column types of the specification."""
    with psycopg.connect(uri, autocommit=True) as connection:
        source.fill(connection)
        source.declare(connection, DECLARED_SCHEMA.read_text(encoding="utf-8"))


def sample(uri: str) -> None:
    """The sample, whose phones and referral codes link."""
    fill_sample(uri, scale=0.1)


@dataclass(frozen=True, slots=True)
class Pair:
    """An unmasked and a masked export of one source."""

    uri: str
    plain: Path
    masked: Path
    key: Path

    def rules(self, table: str) -> dict[str, Rule]:
        """The rule of each column that is read from a table."""
        return column_rules(next(found for found in tables() if found.name == table), RULES)

    def shown(self, table: str) -> set[str]:
        """The columns whose values may stand in rejects."""
        query = """select attname from pg_attribute join pg_type t on t.oid = atttypid
                   where attrelid = %s::regclass and t.typname in ('int2', 'int4', 'int8', 'uuid')"""
        with psycopg.connect(self.uri) as connection:
            exact = {name for (name,) in connection.execute(query, [table])}
        keys = {name for name, rule in self.rules(table).items()
                if rule == Rule(PrivacyClass.KEY, Treatment.KEEP)}  # fmt: skip
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


@pytest.fixture(scope="module", params=[dirty, declared, sample], ids=lambda make: make.__name__)
def pair(request: pytest.FixtureRequest, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both exports of each source."""
    make: Callable[[str], None] = request.param
    uri = create_database(postgres, f"redacted: {make.__name__}")
    make(uri)
    directory = tmp_path_factory.mktemp("redaction")
    key = key_file(directory, SECRET)
    masked = export(uri, directory / "masked", "--redact", "analyst", "--redact-key", key)
    return Pair(uri, export(uri, directory / "plain"), masked, key)


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
            if RULES.get(f"{node.label}.{name}") and RULES[f"{node.label}.{name}"].treatment is Treatment.COMMON
        }
        pairs = zip(
            rows_of(pair.plain / "nodes" / node.label), rows_of(pair.masked / "nodes" / node.label), strict=True
        )
        for before, after in pairs:
            expected = list[str | None]()
            for name, value in zip(names, before, strict=True):
                rule = RULES.get(f"{node.label}.{name}")
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
    assert plain["format"], found["format"] == (1, 2)
    assert redaction["treatments"] == {name: str(rule.treatment) for name, rule in RULES.items()}
    assert (redaction["profile"], redaction["weakened"]) == ("analyst", [])
    assert len(redaction["key"]) == 16
    assert SECRET.hex() not in json.dumps(found)
    for before, after in zip(plain["nodes"], found["nodes"], strict=True):
        assert (before["rows"], before["rejects"]) == (after["rows"], after["rejects"])
        for name, count in before["property_counts"].items():
            left = after["property_counts"].get(name, 0)
            lost = redaction["suppressed"].get(f"{before['label']}.{name}", 0)
            treatment = RULES[f"{before['label']}.{name}"].treatment
            if treatment not in ("drop", "token:phone", "token:code"):
                assert left + lost == count, (before["label"], name)


@pytest.mark.parametrize("pair", [sample], ids=["sample"], indirect=True)
def test_one_key_gives_the_same_bytes_and_another_no_token_in_common(pair: Pair, tmp_path: Path) -> None:
    """The tokens of a drawn key too are like no others."""
    again = export(pair.uri, tmp_path / "again", "--redact", "analyst", "--redact-key", pair.key)
    assert files(again) == files(pair.masked)
    known = tokens(pair.masked)
    assert len(known) > 100
    other = export(pair.uri, tmp_path / "other", "--redact", "analyst", "--redact-key",
                   key_file(tmp_path, OTHER_SECRET))  # fmt: skip
    assert not known & tokens(other)
    assert manifest(other)["redaction"]["key"] != manifest(pair.masked)["redaction"]["key"]
    drawn = export(pair.uri, tmp_path / "drawn", "--redact", "analyst")
    assert manifest(drawn)["redaction"]["key"] == "once"
    assert not (known | tokens(other)) & tokens(drawn)


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

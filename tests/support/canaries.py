"""Canaries: a value that must not come out in every column of a source that a masked copy does not keep, and the search
for them and for what could be computed from them."""

import hashlib
import hmac
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from exporter.model.redaction import column_rules, effective_rules
from exporter.model.tables import Table, tables
from exporter.model.treatments import Treatment

RULES = effective_rules({}, frozenset())
DOMAINS = ("phone", "code", "device", "ip", "session", "document")
# By type, a value that no sample has; of texts, one that looks like what the column holds.
VALUES = {"date": "1931-03-17", "time without time zone": "03:17:29.131313", "inet": "203.0.113.77",
          "uuid": "c0ffee00-cafe-4bad-8bad-93173042ffab"}  # fmt: skip
# Columns whose values are the same in two tables, so that they join.
JOINED = {"device_id", "referrer_code", "referral_code"}


@dataclass(frozen=True, slots=True)
class Canaries:
    """The values, by the place where each stands, and the places that are kept by design."""

    values: dict[str, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def needles(self) -> dict[str, str]:
        """What is searched for, in lower case, with what it tells of: each value, its last ten digits, and the plain
        hashes of both."""
        found: dict[str, str] = {}
        for place, value in self.values.items():
            digits = re.sub("[^0-9]", "", value)[-10:]
            for text in {value, value.lower(), *({digits} if len(digits) == 10 else ())}:
                found[text.lower()] = place
                for algorithm in ("md5", "sha1", "sha256"):
                    found[hashlib.new(algorithm, text.encode()).hexdigest()] = f"{algorithm} of {place}"
        return found


def plant(connection: psycopg.Connection) -> Canaries:
    """Gives every table one column more, and puts a value into some row of every column that is not kept."""
    canaries = Canaries()
    for table in tables():
        name = sql.SQL(table.name)
        connection.execute(sql.SQL("alter table {} add added_later text").format(name))
        rules = column_rules(table, RULES)
        for column, type_, is_text in columns_of(connection, table):
            place = f"{table.name}.{column}"
            treatment = rules[column].treatment if column in rules else None
            if treatment is Treatment.KEEP and place != "notifications.notifications.auth_user_id":
                canaries.kept.append(place)
            elif column not in rules and not is_text:
                canaries.kept.append(place)  # an integer primary key: it names the rows of rejects
            else:
                for row, value in enumerate(values_of(column, type_, treatment, len(canaries.values))):
                    canaries.values[f"{place} {row}"] = value
                    put(connection, table, column, row, value)
    return canaries


def columns_of(connection: psycopg.Connection, table: Table) -> list[tuple[str, str, bool]]:
    """Each column of a table with its type, and whether that is text."""
    query = """select attname, format_type(atttypid, null), atttypid = 'text'::regtype from pg_attribute
               where attrelid = %s::regclass and attnum > 0 order by attnum"""
    return connection.execute(query, [table.name]).fetchall()


def values_of(column: str, type_: str, treatment: Treatment | None, number: int) -> Iterator[str]:
    """The values for one column; of a category, one for each reason why it is none."""
    if column in JOINED:
        number = 9000
    unique = f"Cnry{number:04d}x{column.replace('_', '')}"
    if type_ in VALUES:
        yield VALUES[type_]
    elif "phone" in column:
        yield f"+91 {93170 + number // 100000} {31000 + number:05d}"
    elif treatment is Treatment.CATEGORY:
        yield unique.ljust(41, "y")
        yield f"{unique} 931731"
        yield f"93171 {number:05d} {unique}"[:40]
        yield f"{unique}@x"
    else:
        yield unique


def put(connection: psycopg.Connection, table: Table, column: str, row: int, value: str) -> None:
    """Puts a value into a row of a column."""
    query = sql.SQL("update {0} set {1} = %s where ctid = (select ctid from {0} order by ctid offset %s limit 1)")
    done = connection.execute(query.format(sql.SQL(table.name), sql.Identifier(column)), [value, row])
    assert done.rowcount == 1, f"{table.name} has too few rows"


def secrets_of(key: bytes) -> list[bytes]:
    """The key, that of each domain and the two blocks made of it, as they are."""
    of_domains = [hmac.new(key, f"astrokiran-graph-exporter/1/{name}".encode(), hashlib.sha256).digest()
                  for name in DOMAINS]  # fmt: skip
    blocks = [bytes(byte ^ pad for byte in of_domain.ljust(64, b"\0"))
              for of_domain in of_domains for pad in (0x36, 0x5C)]  # fmt: skip
    return [key, *of_domains, *blocks]


@dataclass(frozen=True, slots=True)
class Search:
    """What must not be found: lower-case texts with what each tells of, and bytes. `patterns` is a file to write the
    texts to, and the bytes in hexadecimal digits."""

    needles: dict[str, str]
    secrets: list[bytes]
    patterns: Path

    def files(self, *places: Path) -> list[str]:
        """What the bytes of all files below some places hold of them, in whichever case."""
        self.patterns.write_text("\n".join([*self.needles, *(secret.hex() for secret in self.secrets)]), "utf-8")
        command = ["grep", "-raiohF", "-f", str(self.patterns), "--", *map(str, places)]
        environment = os.environ | {"LC_ALL": "C"}
        done = subprocess.run(command, capture_output=True, check=False, env=environment)
        assert done.returncode in (0, 1), done.stderr
        lines = {line.decode().lower() for line in done.stdout.splitlines()}
        found = {self.needles.get(line, "a key") for line in lines}
        for path in (path for place in places for path in place.rglob("*") if path.is_file()):
            content = path.read_bytes() if path.stat().st_blocks else b""
            found |= {"a key" for secret in self.secrets if secret in content}
        return sorted(found)

"""What a window asks for, resolved in the leader's snapshot: spans to moments, roots to the ids of rows."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
from psycopg import sql

from exporter.errors import UsageError
from exporter.model.tables import node
from exporter.model.vocabulary import IdRule
from exporter.model.window import Root, Window, WindowRequest, root_properties, table_of
from exporter.source.leader import Source
from exporter.source.refusals import run_error
from exporter.source.select import WHITE_SPACE, SourceTable, comparable

LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class Resolved:
    """A window, and how many nodes its roots are by label and property."""

    window: Window
    matched: Mapping[tuple[str, str], int] = field(default_factory=dict)


def resolved(source: Source, request: WindowRequest, taken_at: datetime, timezone: str) -> Resolved:
    """The window of a request in the leader's snapshot, which was `taken_at`. Raises `UsageError` if no row can be in:
    for times of which the earlier is not before the later, or is after the snapshot, and for roots that nobody is.
    Raises `RunError` if the source fails."""
    since, until = (moment(bound, taken_at) for bound in (request.since, request.until))
    if since is not None and since > taken_at:
        raise UsageError(f"--since {since:%Y-%m-%d %H:%M:%S} UTC is later than the snapshot of the source")
    if since is not None and until is not None and since >= until:
        raise UsageError("--since is not before --until, so no time is between them")
    finder = Finder(source, timezone)
    try:
        found = finder.found(request.roots)
        people = finder.people(found)
    except psycopg.Error as error:
        raise run_error(error, "looking for the roots") from None
    matched = {asked: len(set().union(*ids.values())) for asked, ids in found.items()}
    window = Window(since, until, request.sample, request.seed, request.roots, request.without, people)
    return Resolved(window, matched)


def moment(bound: timedelta | datetime | None, taken_at: datetime) -> datetime | None:
    """A bound as a moment in UTC: a span is before the snapshot."""
    if bound is None:
        return None
    try:
        return (taken_at - bound if isinstance(bound, timedelta) else bound).astimezone(UTC)
    except OverflowError:
        raise UsageError("--since and --until take no time before the year 1 or after the year 9999") from None


# The ids that each value of a root is, by (label, property).
Found = dict[tuple[str, str], dict[str, set[int]]]


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks for rows in the leader's snapshot; its methods raise psycopg's errors."""

    source: Source
    timezone: str

    def found(self, roots: Iterable[Root]) -> Found:
        """The ids of all roots. Raises `UsageError` that says which of them nobody is, never by their values."""
        asked = defaultdict[tuple[str, str], list[str]](list)
        for root in roots:
            asked[root.label, root.property].append(normal(root))
        found = {place: self.ids(*place, values) for place, values in asked.items()}
        missing = [
            f"{label}:{name}" + (f" ({len(nobody)} of {len(values)} values)" if len(values) > 1 else "")
            for (label, name), values in asked.items()
            if (nobody := [value for value in values if not found[label, name].get(value)])
        ]
        if missing:
            raise UsageError(f"no row of the source is what --root asks for: {', '.join(missing)}")
        return found

    def ids(self, label: str, name: str, values: list[str]) -> dict[str, set[int]]:
        """The ids of the rows of a label whose property has one of some values in their normal forms, by value."""
        source = self.source_of(label)
        key = node(label).key.columns[0]
        property_text = sql.SQL("({})::text").format(normal_expression(source, name, root_properties(label)[name]))
        query = sql.SQL("select {value}, {key}::text from {table} where {value} = any(%s::text[])").format(
            value=property_text, key=comparable(source, key, IdRule.INTEGER), table=source.name
        )
        if root_properties(label)[name] is IdRule.INTEGER:
            query = sql.SQL("select {key}::text, {key}::text from {table} where {key} = any(%s::numeric[])").format(
                key=comparable(source, key, IdRule.INTEGER), table=source.name
            )
        found = defaultdict[str, set[int]](set)
        for value, text in self.source.connection.execute(query, [values]):
            if (id := whole(text)) is not None:
                found[str(id) if root_properties(label)[name] is IdRule.INTEGER else value].add(id)
        return found

    def people(self, found: Found) -> dict[str, tuple[int, ...]]:
        """The ids by which rows are those of the roots, by label: people completed by their other identity, guides by
        their wallets."""
        ids = defaultdict[str, set[int]](set)
        for (label, _), by_value in found.items():
            ids["Customer" if label == "CustomerWallet" else label] |= set().union(*by_value.values())
        ids["Customer"] |= self.related("marketing.leads", "id", ids["Lead"], "customer_id")
        customers = self.related("customers.customer", "x_auth_id", ids["AuthUser"], "customer_id")
        ids["AuthUser"] |= self.related("customers.customer", "customer_id", ids["Customer"], "x_auth_id")
        ids["Customer"] |= customers
        ids["GuideWallet"] |= ids["Guide"]
        return {label: tuple(sorted(known)) for label, known in ids.items() if known}

    def related(self, table: str, column: str, ids: set[int], wanted: str) -> set[int]:
        """The ids in one column of the rows of a table that have one of some ids in another."""
        if not ids:
            return set()
        source = SourceTable(self.source.relations()[table], table_of(table), self.source.mapping, self.timezone)
        query = sql.SQL("select {}::text from {} where {} = any(%s::numeric[])").format(
            comparable(source, wanted, IdRule.INTEGER), source.name, comparable(source, column, IdRule.INTEGER)
        )
        rows = self.source.connection.execute(query, [sorted(ids)])
        return {id for (text,) in rows if (id := whole(text)) is not None}

    def source_of(self, label: str) -> SourceTable:
        """The table of a label as the source has it."""
        name = node(label).table
        return SourceTable(self.source.relations()[name], table_of(name), self.source.mapping, self.timezone)


def normal(root: Root) -> str:
    """The value of a root in the form in which it is compared. Raises `UsageError` if it cannot be one."""
    rule = root_properties(root.label)[root.property]
    value = root.value.strip(" \t\n\x0b\x0c\r")
    if rule is IdRule.PHONE:
        value = re.sub("[^0-9]", "", value)[-10:]
    elif rule is IdRule.INTEGER:
        value = str(int(value)) if re.fullmatch("-?[0-9]{1,19}", value) and abs(int(value)) < LARGEST else ""
    if not value:
        what = {IdRule.PHONE: "a phone number", IdRule.INTEGER: "a whole number"}.get(rule, "a code")
        raise UsageError(f"--root {root.label}:{root.property} takes {what}, and its value is none")
    return value


def normal_expression(source: SourceTable, name: str, rule: IdRule) -> sql.Composable:
    """A column of a root's property in the form in which it is compared."""
    if rule is IdRule.PHONE:
        return sql.SQL("right(regexp_replace({}::text, '[^0-9]', '', 'g'), 10)").format(source.quoted(name))
    return sql.SQL("btrim({}::text, {})").format(source.quoted(name), WHITE_SPACE)


def whole(text: str | None) -> int | None:
    """An id that the server wrote as a number; None for null, a fraction, or more than 64 bits."""
    number = Decimal(text) if text is not None else None
    if number is None or not number.is_finite() or number != number.to_integral_value():
        return None
    return int(number) if -LARGEST <= number < LARGEST else None

"""Masked columns: the SQL that turns a column into what a masked copy may hold, so that nothing else leaves the server.

What a treatment makes of a value (treatments.py) is composed around `columns.expression`. Tokens are made
with the session's settings (masking_key.py), which stand in no query.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from psycopg import sql

from exporter.model.frame import REDACTED, SUPPRESSED, Masked
from exporter.model.redaction import Rules, column_rules
from exporter.model.tables import Table, Use, tables
from exporter.model.treatments import DATE_PARTS, TOKENS, WORDS, PrivacyClass, Rule, Treatment
from exporter.model.vocabulary import IdRule, Type
from exporter.source.catalog import Column
from exporter.source.categories import is_category
from exporter.source.columns import INTEGERS, TEMPORAL, TEXTS, expression, in_utc, representable
from exporter.source.masking_key import inner_setting, outer_setting
from exporter.source.packing import Selected, letter, packed_column
from exporter.source.queries import Form, PackedColumn
from exporter.source.select import WHITE_SPACE, SourceTable, comparable

SPACE = r" \t\n\x0B\f\r"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Whatever these do not match has no canonical form and does not mean "no target" (shape/ids.py), so it is malformed
# whatever it says. They match more, but nothing that is not a number, a UUID, or a word for null.
POSSIBLE_ID: dict[Use, str] = {
    IdRule.INTEGER: rf"^[{SPACE}]*(-?[0-9]+(\.0+)?)?[{SPACE}]*$",
    IdRule.TEXT_AUTH_ID: rf"""^[{SPACE}"']*([0-9]+(\.0+)?|null|none|undefined|nan)?[{SPACE}"']*$""",
    IdRule.UUID: rf"^([{SPACE}]*|{UUID})$",
}
# The first year that begins and the first month that begins within PostgreSQL's range: what is older is cut to it.
OLDEST = "4713-01-01 00:00:00+00 BC"
# Of these types a whole value is a key and nothing else.
KEY_TYPES = INTEGERS | {"uuid"}
# The types of dropped values that are not read as text, and how they are packed.
DROPPED: dict[Use, tuple[str, Form]] = {Type.LONG: ("int8", Form.INT64), Type.BOOLEAN: ("bool", Form.BOOLEAN)}
MIDNIGHT = "24:00:00"
# The tokens that every value has.
NEVER_BLANK = frozenset({Treatment.TOKEN_DEVICE, Treatment.TOKEN_IP, Treatment.TOKEN_DOCUMENT})


@dataclass(frozen=True, slots=True)
class Masking:
    """What becomes of every column: the effective rules, and the values that are common, by table and column."""

    rules: Rules
    common: Mapping[tuple[str, str], list[str]] = field(default_factory=dict)

    def rule(self, table: Table, name: str) -> Rule:
        """The rule of a column that is read from a table."""
        return column_rules(table, self.rules)[name]

    def column(self, source: SourceTable, name: str, use: Use, *, fallback: bool = False) -> Selected:
        """A column of the model in a SELECT list; datetimes and dates as `expression` gives them."""
        treatment = self.rule(source.table, name).treatment
        column, quoted = source.column(name), source.quoted(name)
        if treatment is Treatment.KEEP:
            return kept(source, name, use, fallback=fallback)
        if treatment is Treatment.DROP:
            return dropped(source, name, use, fallback=fallback)
        if treatment in DATE_PARTS:
            return Selected(cut(source, name, treatment, fallback=fallback), packed_column(column, use, name))
        if treatment is Treatment.TOKEN_SESSION:
            return session_token(column, quoted, name)
        text = text_of_column(column, quoted)
        nullable = not column.required
        if treatment in TOKENS:
            nullable = nullable or treatment not in NEVER_BLANK
            masked = token(treatment, normal(treatment, column, quoted))
        elif treatment is Treatment.PRESENCE:
            masked = presence(text)
        elif treatment is Treatment.LABEL:
            masked = label(source, quoted)
        else:
            masked = word(text, self.is_word(source.table, name, treatment, text))
        return Selected(masked, PackedColumn(name, Form.TEXT, nullable, unambiguous=True))

    def raw(self, text: sql.Composable) -> sql.Composable:
        """Of the text of an unrepresentable value, only that there is one."""
        return presence(text)

    def is_word(self, table: Table, name: str, treatment: Treatment, text: sql.Composable) -> sql.Composable:
        """The condition on which a text is kept; null for null."""
        if treatment is Treatment.CATEGORY:
            return is_category(text)
        return sql.SQL("{} = any({}::text[])").format(text, sql.Literal(self.common[table.name, name]))

    def shows_key(self, source: SourceTable, key: tuple[str, ...]) -> bool:
        """Whether a primary key (its real columns) may stand in the rejects: it consists of integers and UUIDs, and
        none of them is masked."""
        masked = {
            source.column(name).name
            for name, rule in column_rules(source.table, self.rules).items()
            if rule.treatment is not Treatment.KEEP
        }
        return all(source.relation.columns[name].base in KEY_TYPES and name not in masked for name in key)

    def tables(self, source: Callable[[Table], SourceTable]) -> dict[str, Masked]:
        """What the workers must know of each table's masked columns; `source` gives a table as the source has it."""
        return {table.name: self.masked(source(table)) for table in tables()}

    def masked(self, source: SourceTable) -> Masked:
        """What the workers must know of a table's masked columns."""
        rules = column_rules(source.table, self.rules)
        keys = [name for name, rule in rules.items() if rule == Rule(PrivacyClass.KEY, Treatment.KEEP)]
        return Masked(
            shown=frozenset(name for name in keys if source.column(name).base in KEY_TYPES),
            suppressed=frozenset(name for name, rule in rules.items() if rule.treatment in WORDS),
            tokens=frozenset(name for name, rule in rules.items() if rule.treatment in TOKENS),
        )


def kept(source: SourceTable, name: str, use: Use, *, fallback: bool) -> Selected:
    """A column that is read as it is, but that a text which cannot be the ID for which it is read is not told."""
    column, quoted = source.column(name), source.quoted(name)
    read = expression(column, use, source=quoted, timezone=source.timezone, fallback=fallback)
    packed = packed_column(column, use, name)
    if use not in POSSIBLE_ID or column.base not in TEXTS:
        return Selected(read, packed)
    text = text_of_column(column, quoted)
    # Nearly all are digits, which takes a third of the time to see.
    possible = sql.SQL("({0} !~ '[^0-9]' or {0} ~* {1})").format(text, sql.Literal(POSSIBLE_ID[use]))
    return Selected(otherwise(text, possible, REDACTED), PackedColumn(name, Form.TEXT, packed.nullable, True))


def dropped(source: SourceTable, name: str, use: Use, *, fallback: bool) -> Selected:
    """Null, without even reading the column; but a datetime, date or time that is unrepresentable stays so, since it is
    a reject."""
    if use in TEMPORAL:
        null = sql.SQL("null::{}").format(temporal(source.column(name)))
        lost = if_representable(source, name, null, fallback=fallback)
        return Selected(lost, packed_column(source.column(name), use, name))
    packed = PackedColumn(name, Form.TEXT, nullable=True, unambiguous=True)
    if use is Type.LOCALTIME:
        lost = sql.SQL("case when {0} = {1} then {1} end").format(source.quoted(name), sql.Literal(MIDNIGHT))
        return Selected(lost, packed)
    kind, form = DROPPED.get(use, ("text", Form.TEXT))
    return Selected(sql.SQL("null::{}").format(sql.Identifier(kind)), replace(packed, form=form, absent=True))


def text_of_column(column: Column, quoted: sql.Composable) -> sql.Composed:
    """A column as text, compared by its bytes: patterns refuse some collations."""
    text = expression(column, Type.STRING, source=quoted, timezone="UTC")
    return sql.SQL('({}::text collate "C")').format(text)


def otherwise(text: sql.Composable, condition: sql.Composable, constant: str) -> sql.Composed:
    """A text if it meets a condition, else a constant; null stays null."""
    return sql.SQL("case when {} then {} when {} is not null then {} end").format(
        condition, text, text, letter(constant) if len(constant) == 1 else sql.Literal(constant)
    )


def word(text: sql.Composable, condition: sql.Composable) -> sql.Composed:
    """A text that is one of a few, else the mark of a suppressed one."""
    return otherwise(text, condition, SUPPRESSED)


def presence(text: sql.Composable) -> sql.Composed:
    """A constant for a text; null and the empty text stay. The text itself is not fetched if it is out of line."""
    return sql.SQL("case when octet_length({0}) > 0 then {1} when {0} is not null then '' end").format(
        text, sql.Literal(REDACTED)
    )


def label(source: SourceTable, quoted: sql.Composable) -> sql.Composed:
    """The label and the canonical key, such as `Guide 7`; null stays null."""
    node = source.table.node
    assert node is not None
    key = comparable(source, node.key.columns[0], IdRule.INTEGER)
    return sql.SQL("case when {} is not null then {} || trim_scale({}::numeric)::text end").format(
        quoted, sql.Literal(f"{node.label} "), key
    )


def cut(source: SourceTable, name: str, treatment: Treatment, *, fallback: bool) -> sql.Composed:
    """A datetime or date, cut to its year, month or day; what is unrepresentable stays so."""
    column = source.column(name)
    value, kind = in_utc(column, source=source.quoted(name), timezone=source.timezone), temporal(column)
    if treatment is not Treatment.DAY:
        value = sql.SQL("greatest({}, {}::timestamptz::{})").format(value, sql.Literal(OLDEST), kind)
    # In the session's time zone, UTC, a timestamp and a timestamptz are the same moment.
    found = sql.SQL("date_trunc({}, {}::timestamp)::{}").format(sql.Literal(str(treatment)), value, kind)
    return if_representable(source, name, found, fallback=fallback)


def if_representable(source: SourceTable, name: str, found: sql.Composable, *, fallback: bool) -> sql.Composed:
    """What is found for a datetime or date, unless it is unrepresentable; that is infinite, or null in a fallback."""
    column, quoted = source.column(name), source.quoted(name)
    finite = representable(column, source=quoted, timezone=source.timezone)
    if fallback:
        return sql.SQL("case when {} then {} end").format(finite, found)
    kind = temporal(column)
    return sql.SQL("case when {} then {} when {} is not null then 'infinity'::{} end").format(
        finite, found, quoted, kind
    )


def temporal(column: Column) -> sql.Identifier:
    """The type as which a datetime or date is read."""
    return sql.Identifier("date" if column.base == "date" else "timestamptz")


def normal(treatment: Treatment, column: Column, quoted: sql.Composable) -> sql.Composable:
    """The form of a value of which its token is made: equal for what is equal in the model's sense (shape/ids.py)."""
    text = text_of_column(column, quoted)
    if treatment is Treatment.TOKEN_PHONE:
        return sql.SQL("nullif(right(regexp_replace({}, '[^0-9]', '', 'g'), 10), '')").format(text)
    if treatment is Treatment.TOKEN_CODE:
        return sql.SQL("nullif(btrim({}, {}), '')").format(text, WHITE_SPACE)
    if treatment is Treatment.TOKEN_DOCUMENT:
        return sql.SQL("btrim({}, {})").format(text, WHITE_SPACE)
    if treatment is Treatment.TOKEN_IP and column.base in ("inet", "cidr"):
        return sql.SQL("host({})").format(quoted)
    return text


def token(treatment: Treatment, value: sql.Composable) -> sql.Composed:
    """The first 16 bytes of the HMAC-SHA-256 of a text by the key of the treatment's domain, in hexadecimal digits. The
    server reads the settings once a query."""
    assert treatment.domain is not None
    block = "(select decode(current_setting({}), 'hex'))"
    return sql.SQL(
        f"encode(substring(sha256({block} || sha256({block} || convert_to({{}}, 'UTF8'))) from 1 for 16), 'hex')"
    ).format(sql.Literal(outer_setting(treatment.domain)), sql.Literal(inner_setting(treatment.domain)), value)


def session_token(column: Column, quoted: sql.Composable, name: str) -> Selected:
    """The token of a UUID in the form of a UUID; a text that is no UUID stays malformed."""
    text = text_of_column(column, quoted)
    masked = sql.SQL("{}::uuid::text").format(token(Treatment.TOKEN_SESSION, sql.SQL("lower({})").format(text)))
    if column.base == "uuid":
        form = Form.UUID if column.required else Form.TEXT
        return Selected(masked, PackedColumn(name, form, not column.required, unambiguous=True))
    known = sql.SQL("case when {0} ~* {1} then {2} when {0} is not null then {3} end").format(
        text, sql.Literal(f"^{UUID}$"), masked, sql.Literal(REDACTED)
    )
    return Selected(known, PackedColumn(name, Form.TEXT, not column.required, unambiguous=True))

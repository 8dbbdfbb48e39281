r"""The rules of identifiers, each an expression from raw text to its canonical form, null where there is none.

Source of every rule: graph-model.md, Rules. Patterns spell out `[0-9]` and the six white-space characters: `\d` and
`\s` would let other scripts' digits and the no-break space in.
"""

import polars as pl

from exporter.model.vocabulary import IdRule

# Trimming: exactly space, tab, line feed, vertical tab, form feed, carriage return.
WHITE_SPACE = " \t\n\x0b\x0c\r"

INTEGER = r"^(-?)0*([0-9]{1,19})(?:\.0+)?$"
UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
QUOTED = r"""^(?s:"(.*)"|'(.*)'|(.*))$"""
AUTH_ID = r"^0*([0-9]{1,19})(?:\.0+)?$"
NOBODY = ("", "null", "none", "undefined", "nan")


def trimmed(text: pl.Expr) -> pl.Expr:
    """Text without white space at its ends."""
    return text.str.strip_chars(WHITE_SPACE)


def is_blank(text: pl.Expr) -> pl.Expr:
    """Null or nothing but white space; Boolean."""
    return text.is_null() | (trimmed(text) == "")


def integer(text: pl.Expr) -> pl.Expr:
    """Integer IDs of numeric and text columns, as Int64.

    Accepted: ` 42 `, `0042`, `42.00`, `-0` (0), `-7`. Null: `42.`, `+42`, `4e5`, `NaN`, blank, more than 64 bits.
    """
    found = trimmed(text).str.extract_groups(INTEGER)
    sign, digits = found.struct.field("1"), found.struct.field("2")
    return pl.concat_str(sign, digits).cast(pl.Int64, strict=False)


def unquoted(text: pl.Expr) -> pl.Expr:
    """Text without white space around it and then without one pair of single or double quotes."""
    found = trimmed(text).str.extract_groups(QUOTED)
    return pl.coalesce(found.struct.field("1"), found.struct.field("2"), found.struct.field("3"))


def names_nobody(text: pl.Expr) -> pl.Expr:
    """Text auth IDs that mean no target: null, blank, `null`, `none`, `undefined`, `nan`, quoted or not; Boolean."""
    content = unquoted(text)
    return text.is_null() | (trimmed(content) == "") | content.str.to_lowercase().is_in(NOBODY)


def text_auth_id(text: pl.Expr) -> pl.Expr:
    """Text auth IDs, as Int64.

    Accepted: `42`, ` 42 `, `"42"`, `'0042'`, `42.0`. Null: `4e5`, `-7`, `-0`, `+42`, `42.`, `" 42 "` with blanks
    inside the quotes, and all that `names_nobody`.
    """
    return unquoted(text).str.extract(AUTH_ID).cast(pl.Int64, strict=False)


def uuid(text: pl.Expr) -> pl.Expr:
    """UUIDs in lower-case canonical form; null for anything but the canonical form in either case, blanks included."""
    lower = text.str.to_lowercase()
    return pl.when(lower.str.contains(UUID)).then(lower)


def code(text: pl.Expr) -> pl.Expr:
    """Referral codes: trimmed text; null where blank."""
    value = trimmed(text)
    return pl.when(value != "").then(value)


def phone(text: pl.Expr) -> pl.Expr:
    """Phones: the last ten ASCII digits, or all when there are fewer; null where there are none."""
    digits = text.str.replace_all("[^0-9]", "").str.tail(10)
    return pl.when(digits != "").then(digits)


CANONICAL = {
    IdRule.INTEGER: integer,
    IdRule.UUID: uuid,
    IdRule.TEXT_AUTH_ID: text_auth_id,
    IdRule.CODE: code,
    IdRule.PHONE: phone,
}

# Text that is canonical already, as nearly all is: it is cast at 30 ns a value, where the grammars take 120 to 360.
PLAIN = {
    IdRule.INTEGER: ("^[1-9][0-9]{0,17}$", pl.Int64),
    IdRule.TEXT_AUTH_ID: ("^[1-9][0-9]{0,17}$", pl.Int64),
    IdRule.UUID: (UUID, pl.String),
}


def canonical(raw: pl.Series, id_rule: IdRule) -> pl.Series:
    """The canonical form of a raw column, null where there is none: Int64 for IDs of integer spaces, else String."""
    if raw.dtype.is_integer():
        return raw.cast(pl.Int64)
    text = pl.col(raw.name)
    if id_rule not in PLAIN:
        return raw.to_frame().select(CANONICAL[id_rule](text)).to_series()
    pattern, dtype = PLAIN[id_rule]
    plain = raw.str.contains(pattern).fill_null(True)
    if plain.all():
        return raw.cast(dtype)
    value = CANONICAL[id_rule](text.filter(~plain))
    others = raw.to_frame().select(value).to_series()
    return raw.set(~plain, None).cast(dtype).scatter((~plain).arg_true(), others)

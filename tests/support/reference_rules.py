"""The rules of graph-model.md once more, value by value, slow and obvious; and text that tries to break them."""

from typing import Any

from hypothesis import strategies as st

from exporter.model.vocabulary import Type

DIGITS = "0123456789"
WHITE_SPACE = " \t\n\x0b\x0c\r"
NOBODY = ("null", "none", "undefined", "nan")


def digits_only(text: str) -> bool:
    """Whether there is a digit and nothing but ASCII digits."""
    return text != "" and all(character in DIGITS for character in text)


def in_64_bits(number: int) -> int | None:
    return number if -(2**63) <= number < 2**63 else None


def whole_digits(text: str) -> str | None:
    """The digits of `digits`, or of `digits.zeros`; None for everything else."""
    whole, point, fraction = text.partition(".")
    if point and (fraction == "" or fraction.strip("0") != ""):
        return None
    return whole if digits_only(whole) else None


def integer_id(text: str | None) -> int | None:
    """Integer IDs: the canonical number, None for null and for malformed."""
    if text is None:
        return None
    text = text.strip(WHITE_SPACE)
    digits = whole_digits(text.removeprefix("-"))
    if digits is None:
        return None
    return in_64_bits(-int(digits) if text.startswith("-") else int(digits))


def auth_id_content(text: str) -> str:
    """A text auth ID without white space around it and one pair of quotes."""
    text = text.strip(WHITE_SPACE)
    for quote in ("'", '"'):
        if len(text) >= 2 and text.startswith(quote) and text.endswith(quote):
            return text[1:-1]
    return text


def names_nobody(text: str | None) -> bool:
    """Text auth IDs that mean no target."""
    if text is None:
        return True
    content = auth_id_content(text)
    return content.strip(WHITE_SPACE) == "" or content.lower() in NOBODY


def text_auth_id(text: str | None) -> int | None:
    """Text auth IDs: the number, None for no target and for malformed."""
    if text is None:
        return None
    digits = whole_digits(auth_id_content(text))
    return None if digits is None else in_64_bits(int(digits))


def uuid(text: str | None) -> str | None:
    """UUIDs: lower-case canonical text."""
    if text is None:
        return None
    parts = text.split("-")
    if [len(part) for part in parts] != [8, 4, 4, 4, 12]:
        return None
    return text.lower() if all(character in "0123456789abcdefABCDEF-" for character in text) else None


def code(text: str | None) -> str | None:
    """Referral codes: trimmed, None where blank."""
    return None if text is None else text.strip(WHITE_SPACE) or None


def phone(text: str | None) -> str | None:
    """Phones: the last ten ASCII digits, or all of them."""
    if text is None:
        return None
    return "".join(character for character in text if character in DIGITS)[-10:] or None


def property_value(type: Type, cell: Any) -> tuple[Any, str | None]:
    """A property's value, and the raw text of one that was lost; a moment's cell is (its text, its lost raw text)."""
    if type in (Type.DATETIME, Type.DATE):
        return cell
    if cell is None:
        return None, None
    if type is Type.LONG and isinstance(cell, str):
        number = integer_id(cell)
        return number, cell if number is None else None
    if type is Type.DOUBLE and "Infinity" not in cell and abs(float(cell)) == float("inf"):
        return None, cell
    if type is Type.LOCALTIME and cell == "24:00:00":
        return None, cell
    return cell, None


# Digits of other scripts, signs, blanks that are none, quotes and what else comes near a number.
HOSTILE = (
    "0123456789"  #
    "٣७५９²Ⅳ𝟗"
    "+-−–."
    ",eExX_'\"‘’“”`"
    " \t\n\x0b\x0c\r\x00\x1c\x85\xa0\u2003\u2028\u200b\ufeff"
    "nulNULoeOEaAdDfiFIKßİ"
)

NEAR_LIMITS = (2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**18, 10**19, 10**19 - 1, 2**64, 9007199254740993, 0)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Text that is a number in one of the accepted forms, or nearly."""
    number = draw(st.one_of(st.integers(-(2**70), 2**70), st.sampled_from(NEAR_LIMITS), st.integers(-99, 99)))
    sign = draw(st.sampled_from(["", "", "", "", "+", "-", " ", "- "]))
    zeros = "0" * draw(st.sampled_from([0, 0, 0, 1, 2, 17, 18, 19, 20, 60]))
    fraction = draw(st.sampled_from(["", "", "", ".", ".0", ".000", ".00000000000000000000", ".01", ".0.0", "e0", ","]))
    text = ("-" if number < 0 else "") + sign + zeros + str(abs(number)) + fraction
    around = st.sampled_from(["", "", "", "", " ", "\t", "\r\n", "\x0b\x0c", "'", '"', " '", '" ', "\xa0", "x"])
    left = draw(around)
    return left + text + draw(st.one_of(st.just(left[::-1]), around))


@st.composite
def nobodies(draw: st.DrawFn) -> str:
    """Text that names nobody, or nearly."""
    word = draw(st.sampled_from(["", " ", "\t\n", *NOBODY, "nil", "nulll", "\xa0", "n a n"]))
    word = draw(st.sampled_from([word, word.upper(), word.title()]))
    around = st.sampled_from(["", "", "", "'", '"', " ", " '", '" ', "''", "\"'"])
    left = draw(around)
    return left + word + draw(st.one_of(st.just(left[::-1]), around))


@st.composite
def uuids(draw: st.DrawFn) -> str:
    """Text that is a UUID in some case and form, or nearly."""
    text = str(draw(st.uuids()))
    text = draw(st.sampled_from([text, text, text.upper(), text.title(), text.replace("-", ""), "{" + text + "}"]))
    if draw(st.booleans()):
        return text
    position = draw(st.integers(0, len(text) - 1))
    return text[:position] + draw(st.sampled_from(["", "g", "٣", "-", " ", "\xa0", "ß", "a"])) + text[position + 1 :]


def hostile_text(*likely: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    """Null, text of a hostile alphabet, or what the given strategies make."""
    return st.one_of(st.none(), st.text(HOSTILE, max_size=24), *likely)

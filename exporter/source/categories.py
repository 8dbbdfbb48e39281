"""What looks like a category, one of a few words, and so may stand in a masked copy: nothing by which somebody could be
reached."""

from psycopg import sql

# A category has at most so many bytes.
LONGEST_CATEGORY = 40
# What is no category: six digits in a row, in any script (Arabic and Persian, nine of India, full width), an at sign,
# or the characters that pack values or mark suppressed ones.
DIGITS = (
    r"0-9\u0660-\u0669\u06F0-\u06F9\u0966-\u096F\u09E6-\u09EF\u0A66-\u0A6F\u0AE6-\u0AEF\u0B66-\u0B6F\u0BE6-\u0BEF"
    r"\u0C66-\u0C6F\u0CE6-\u0CEF\u0D66-\u0D6F\uFF10-\uFF19"
)
CONTROLS = r"\x01-\x03"
NO_CATEGORY = rf"[{DIGITS}]{{6}}|[@{CONTROLS}]"
# Nor is what has ten digits in all: a phone number is mostly written with blanks or hyphens.
MANY_DIGITS = rf"([{DIGITS}][^{DIGITS}]*){{10}}"
# The same digits in a database without an encoding, to which each byte is a letter: as UTF-8 has them.
DIGIT_BYTES = (
    r"([0-9]|\xD9[\xA0-\xA9]|\xDB[\xB0-\xB9]|\xE0[\xA5\xA7\xA9\xAB\xAD\xAF\xB1\xB3\xB5][\xA6-\xAF]|\xEF\xBC[\x90-\x99])"
)
NO_CATEGORY_BYTES = rf"{DIGIT_BYTES}{{6}}|({DIGIT_BYTES}.*){{10}}"
# Nearly all categories have nothing else, which takes a fraction of the time to see.
NO_PLAIN_WORD = "[^A-Za-z_ .-]"


def is_category(text: sql.Composable) -> sql.Composed:
    """The condition on which a text may be kept as a category; null for null."""
    return sql.SQL(
        "octet_length({0}) <= {1} and ({0} !~ {2} or {0} !~ {3} and {0} !~ {4}"
        " and (getdatabaseencoding() <> 'SQL_ASCII' or {0} !~ {5}))"
    ).format(
        text,
        LONGEST_CATEGORY,
        *map(sql.Literal, (NO_PLAIN_WORD, NO_CATEGORY, MANY_DIGITS, NO_CATEGORY_BYTES)),
    )

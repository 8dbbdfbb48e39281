"""Texts that something on the way from PostgreSQL to Neo4j and back may take for something else."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

# Each with what it may be taken for.
DANGEROUS = {
    '"': "the end of a field; within one it is doubled",
    "\\": "the beginning of an escape, which hides the quote after it",
    ",": "the end of a field without quotes",
    "\n": "the end of a row, and white space that trimming takes",
    "\r": "the end of a row, alone or before a line feed",
    "\t": "the end of a field of COPY",
    " ": "white space that an importer may trim, and no value",
    "'": "a quote in the importer's arguments, in SQL and in text auth IDs",
    ";": "the border between the members of an array",
    "\ufeff": "the mark at the beginning of a file that tells its encoding",
    "\u2028": "the end of a line in Java and in JSON",
    "\u0301": "a part of the letter before it: normalized, both are one",
    "\U0001f600": "two letters: Java and JSON have it in two halves",
}
LONGEST_DANGEROUS = 4
# What text auth IDs are made of, and what comes near: signs, exponents, other blanks.
GRAMMAR = "420.\"' \t-+e\u00a0"
# Our own selection, by what each kind of strings is mistaken for, after the kinds of the Big List of Naughty Strings.
NAUGHTY = Path(__file__).with_name("naughty_strings.json")
# At the sizes at which buffers, blocks of the store and indexes end; an index takes 8,164 bytes.
LENGTHS = (63, 64, 65, 127, 128, 254, 255, 256, 1023, 1024, 4095, 4096, 8000)
FILLINGS = ("a", '"', "\n", "\\", '"\n', "\u00e9", "\u0928", "\U0001f600")
SURROGATES = range(0xD800, 0xE000)
LAST = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Content:
    """The texts of a run: every code point or some, texts of every kind, each once, and what text auth IDs may be."""

    code_points: Sequence[str]
    hostile: Sequence[str]
    auth_ids: Sequence[str]


def whole(seed: int = 1, at_random: int = 10_000) -> Content:
    """All texts; the seed is for the random ones among them, of which there are so many."""
    hostile = [*strings(DANGEROUS, LONGEST_DANGEROUS), *naughty(), *long_texts(), *random_texts(seed, at_random)]
    return Content(list(code_points()), list(dict.fromkeys(hostile)), list(strings(GRAMMAR, LONGEST_DANGEROUS)))


def few(seed: int, number: int) -> Content:
    """About `number` texts of each kind."""
    everything, chance = whole(seed, number), random.Random(seed)

    def some(texts: Sequence[str]) -> list[str]:
        return sorted(chance.sample(texts, min(number, len(texts))), key=len)

    return Content(some(everything.code_points), some(everything.hostile), some(everything.auth_ids))


def code_points() -> Iterator[str]:
    """Every Unicode scalar value but NUL, which PostgreSQL cannot hold."""
    return (chr(number) for number in range(1, LAST + 1) if number not in SURROGATES)


def strings(letters: Sequence[str] | dict[str, str], longest: int) -> Iterator[str]:
    """All strings of these letters up to a length, the empty one first."""
    return ("".join(chosen) for length in range(longest + 1) for chosen in product(letters, repeat=length))


def naughty() -> Iterator[str]:
    """The strings of the list."""
    by_kind: dict[str, list[str]] = json.loads(NAUGHTY.read_text(encoding="utf-8"))
    return (text for of_kind in by_kind.values() for text in of_kind)


def long_texts() -> Iterator[str]:
    """Texts at the sizes in bytes at which something ends, or as near below as their letters allow."""
    for length, filling in product(LENGTHS, FILLINGS):
        yield filling * (length // len(filling.encode()))


def random_texts(seed: int, number: int) -> Iterator[str]:
    """Texts of up to 200 letters: dangerous ones, controls, and any others."""
    chance, dangerous = random.Random(seed), list(DANGEROUS)
    for _ in range(number):
        letters = chance.choices(dangerous, k=chance.randrange(1, 200))
        for place in range(0, len(letters), 3):
            letters[place] = chr(chance.choice((chance.randrange(3, 0xA0), chance.randrange(0xA0, 0xD800))))
        yield "".join(letters)

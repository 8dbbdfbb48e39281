"""Who is in a sample: drawn from the id and the seed alone, so that it is the same people every night and everywhere.

Neither the server's random numbers nor its hashes nor Polars' are promised to stay the same; splitmix64 is (Steele, Lea
and Flood, "Fast splittable pseudorandom number generators", 2014).
"""

from fractions import Fraction

import polars as pl

BITS = 64
# What distinguishes independent draws: of customers, of auth users who are no customer's, of the rows of a table (by
# its place in the model, from 1) that are nobody's.
CUSTOMERS, AUTH_USERS, ROWS = 1, 2, 100
HEX_DIGITS = 15  # of a UUID: as many as fit into an Int64


def splitmix64(number: pl.Expr) -> pl.Expr:
    """The output of the generator for a state (UInt64; products and sums wrap)."""
    mixed = number + pl.lit(0x9E3779B97F4A7C15, pl.UInt64)
    mixed = (mixed ^ mixed // (1 << 30)) * pl.lit(0xBF58476D1CE4E5B9, pl.UInt64)
    mixed = (mixed ^ mixed // (1 << 27)) * pl.lit(0x94D049BB133111EB, pl.UInt64)
    return mixed ^ mixed // (1 << 31)


def draw(ids: pl.Series, *, seed: int, kind: int) -> pl.Series:
    """What each id (Int64) draws (UInt64, evenly distributed; null for null)."""
    name = pl.col(ids.name)
    key = splitmix64(pl.lit((seed + kind) % (1 << BITS), pl.UInt64))
    return ids.to_frame().select(splitmix64(name.reinterpret(signed=False) ^ key)).to_series()


def is_drawn(ids: pl.Series, share: Fraction, *, seed: int, kind: int) -> pl.Series:
    """Which ids (Int64; null: no) are in a sample of that share (less than 1) of them. A smaller share draws some of
    those that a larger one does."""
    bound = pl.lit(share.numerator * (1 << BITS) // share.denominator, pl.UInt64)
    drawn = draw(ids, seed=seed, kind=kind).to_frame("drawn")
    return drawn.select((pl.col("drawn") < bound).fill_null(False)).to_series()


def number_of(uuids: pl.Series) -> pl.Series:
    """What a row with a canonical UUID (String) draws by: its first 15 hexadecimal digits (Int64)."""
    digits = pl.col(uuids.name).str.replace_all("-", "", literal=True).str.head(HEX_DIGITS)
    return uuids.to_frame().select(digits.str.to_integer(base=16, dtype=pl.Int64)).to_series()

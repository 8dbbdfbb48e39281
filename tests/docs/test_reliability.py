"""docs/reliability.md: its table adds up, and README.md has its totals."""

from tests.support.pages import read_page

PAGE, README = read_page("docs/reliability.md"), read_page("README.md")
SWAPS, TEXTS, EXPORTS = ("swap", "swap_server"), "text", "tampering"


def measured() -> dict[str, list[int]]:
    """The numbers of each row of the table of what was measured, by suite: injected first, then what became of them."""
    rows = PAGE.table("Suite")
    return {name: [int(number.replace(",", "")) for number in numbers[:8]] for name, *numbers in rows}


def test_every_row_adds_up() -> None:
    """Each fault was whole, refused, or one of the kinds of faults."""
    assert [name for name, (injected, *became) in measured().items() if injected != sum(became)] == []


def test_the_front_page_has_the_totals() -> None:
    """Of exports, of swaps, of finished exports, and in millions of texts."""
    injected = {name: numbers[0] for name, numbers in measured().items()}
    apart = {*SWAPS, TEXTS, EXPORTS}
    exports = sum(number for name, number in injected.items() if name not in apart)
    swaps = sum(injected[name] for name in SWAPS)
    said = " ".join(README.prose().split())
    assert f"Faults were injected into {exports:,} exports, {swaps:,} swaps of a nightly rebuild and, " in said
    assert (
        f" and, {injected[EXPORTS]:,} times, into finished exports; {injected[TEXTS] / 1e6:.1f} million texts" in said
    )

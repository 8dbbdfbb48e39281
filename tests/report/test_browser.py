"""report.html in a real browser: opened from the disk, without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.model.graph import NODES, RELATIONSHIPS
from exporter.settings import Settings
from tests.support.browser import Browser, browser, chromium
from tests.support.exporting import export

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(sample_database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the second of two exports of the sample."""
    settings = Settings(source=sample_database, output=tmp_path_factory.mktemp("output"))
    export(settings)
    return export(settings).directory / "report.html"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser, where there is one."""
    program = chromium()
    if program is None:
        pytest.skip("no Chromium is installed here; the Debian package chromium has one")
    with browser(program, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


# What is to the right of the screen, but for what can be scrolled into it.
OUTSIDE = """[...document.querySelectorAll("body *:not(.scroll *, nav ul *)")]
    .filter(element => element.getBoundingClientRect().right > innerWidth)
    .map(element => element.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 820, 1280])
@pytest.mark.parametrize("script", [True, False])
def test_it_opens(window: Browser, page: Path, width: int, scheme: str, script: bool) -> None:
    """Wide or on a phone, light or dark, with its script or without: nothing is said on the console, nothing else is
    asked for, nothing is wider than the screen, and all of the graph is there."""
    window.console.clear()
    window.asked.clear()
    window.open(page, width=width, scheme=scheme, script=script)
    assert (window.console, window.failed) == ([], [])
    assert window.asked == [page.resolve().as_uri()]
    assert window.ask(OUTSIDE) == []
    assert window.ask("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    shown = "[...document.querySelectorAll('.node')].filter(node => node.getClientRects().length).length"
    assert window.ask(shown) == len(NODES)
    assert window.ask("document.querySelectorAll('.js').length > 0")
    assert window.ask("getComputedStyle(document.querySelector('#filter')).display != 'none'") is script
    assert window.ask("document.querySelectorAll('tr[id]').length") == len(NODES) + len(RELATIONSHIPS)
    colours = window.ask("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    paper, ink = (sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(", "))) for colour in colours)
    assert (paper > 600 > 200 > ink) if scheme == "light" else (paper < 200 < 600 < ink)


# Whatever is drawn over a caption, and every caption that is outside, in the drawing that is shown.
COVERED = """(() => {
    const drawing = [...document.querySelectorAll(".graph")].find(each => each.getClientRects().length);
    const all = selector => [...drawing.querySelectorAll(selector)];
    const view = drawing.viewBox.baseVal;
    const boxes = all(".node text").map(text => [text.textContent, text.getBBox()]);
    const found = boxes.filter(([, b]) => b.x < 0 || b.x + b.width > view.width || b.y + b.height > view.height);
    const meet = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width
        && a.y < b.y + b.height - 3 && b.y < a.y + a.height - 3;  // a label and its number lie close
    const cover = (name, x, y) => {
        for (const [text, b] of boxes)
            if (x > b.x + 1 && x < b.x + b.width - 1 && y > b.y + 3 && y < b.y + b.height - 3) found.push([name, text]);
    };
    for (const [one, a] of boxes) for (const [other, b] of boxes) if (a !== b && meet(a, b)) found.push([one, other]);
    for (const line of all(".arrow .line"))
        for (let at = 0, length = line.getTotalLength(); at <= length; at += 2) {
            const point = line.getPointAtLength(at);
            cover(line.parentElement.dataset.row, point.x, point.y);
        }
    for (const type of all(".type")) {
        const box = type.getBBox(), turn = type.transform.baseVal.consolidate().matrix;
        for (let x = box.x; x <= box.x + box.width; x += 2)
            cover(type.textContent, turn.a * x + turn.e, turn.b * x + turn.f);
    }
    return [...new Set(found.map(String))];
})()"""


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_drawn_over_a_caption(window: Browser, page: Path, width: int) -> None:
    """No other caption, no line, no pattern's name, in either drawing."""
    window.open(page, width=width)
    found = window.ask(COVERED)
    assert found == [], "; ".join(found)


TIP = "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
NEIGHBOURS = [
    "AuthUser", "BankAccount", "Consultation", "Guide", "GuideWallet", "Language", "SavedMessage", "Skill",
    "Verification",
]  # fmt: skip


def test_pointing_tells_more(window: Browser, page: Path) -> None:
    """A label lights up what it touches, and shows its numbers beside all of that; so does the keyboard, and a block of
    the timeline."""
    window.open(page)
    window.point('.wide .node[data-row="Guide"] circle')
    tip = window.ask(TIP)
    assert tip.startswith("Guide\n") and "rows of guide.guide_profile" in tip
    near = window.ask("[...document.querySelectorAll('.node.close')].map(node => node.dataset.row).sort()")
    assert near == NEIGHBOURS
    assert (
        window.ask("""(() => {
        const tip = document.getElementById("tip").getBoundingClientRect();
        return [...document.querySelectorAll(".node.close")].filter(node => {
            const box = node.getBoundingClientRect();
            return box.left < tip.right && tip.left < box.right && box.top < tip.bottom && tip.top < box.bottom;
        }).map(node => node.dataset.row);
    })()""")
        == []
    )
    window.point(".lane .block[data-tip]")
    assert "check" in window.ask(TIP)
    assert window.ask("document.querySelectorAll('.close').length") == 0
    window.ask("document.querySelector('.wide .node[data-row=\"Lead\"]').focus()")
    assert window.ask(TIP).startswith("Lead\n")


def test_times_are_the_readers_too(window: Browser, page: Path) -> None:
    """Pointing at one adds its own time to UTC."""
    window.call("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    window.open(page)
    window.call("Emulation.setTimezoneOverride", timezoneId="")
    window.point("h1 time")
    exact, own = window.ask(TIP).splitlines()
    assert exact.endswith(" UTC") and "GMT+5:30" in own


def test_a_click_leads_to_the_row(window: Browser, page: Path) -> None:
    """Of a label or a pattern; a finger's first tap shows its numbers, and its second leads there."""
    window.open(page)
    window.click(".wide .node[data-row=Lead] text")
    assert window.ask("document.querySelector('tr:target').id") == "Lead"
    pattern = "Payment-CREDITED_TO-CustomerWallet"
    window.click(f".wide .arrow[data-row={pattern}] .head")
    assert window.ask("document.querySelector('tr:target').id") == pattern
    window.open(page, width=400)
    window.tap(".narrow .node[data-row=Lead] circle")
    assert window.ask(TIP).startswith("Lead\n") and window.ask("location.hash") == ""
    window.tap(".narrow .node[data-row=Lead] circle")
    assert (window.ask(TIP), window.ask("location.hash")) == ("", "#Lead")


def test_a_number_of_rejects_leads_to_them(window: Browser, page: Path) -> None:
    """What it links to is unfolded."""
    window.open(page)
    window.ask("document.querySelector('#Device a').click()")
    window.ask("new Promise(done => setTimeout(done, 50))")
    assert window.ask("document.querySelector('tbody:target').closest('details').open") is True


def rows(table: str) -> str:
    """An expression for the names of the rows that a table shows, in order."""
    shown = "filter(row => row.getClientRects().length).map(row => row.id)"
    return f"[...document.querySelectorAll('{table} tr[id]')].{shown}"


def test_filtering(window: Browser, page: Path) -> None:
    """By words of names and tables, in all tables and in the drawing; a link to what is filtered out ends it."""
    window.open(page)
    window.ask("document.getElementById('filter').focus()")
    window.call("Input.insertText", text="wallet GUIDE")
    assert window.ask(rows("#labels")) == ["GuideWallet"]
    assert window.ask(rows("#patterns")) == ["Guide-HAS_WALLET-GuideWallet", "WalletOrder-CREDITED_TO-GuideWallet"]
    assert window.ask("document.getElementById('status').textContent") == "3 of 77 labels and patterns"
    assert window.ask("document.querySelectorAll('.wide .node:not(.unwanted)').length") == 1
    window.click(".wide .node[data-row=Lead] circle")
    assert len(window.ask(rows("#labels"))) == len(NODES)
    assert window.ask("document.getElementById('status').textContent") == ""


def test_sorting(window: Browser, page: Path) -> None:
    """By a button in the heading: down, up, and back to the groups; it says so to those who hear it."""
    window.open(page)
    grouped = window.ask(rows("#labels"))
    press = "document.querySelector('#labels th:nth-child(3) button').click()"
    sorted_by = "document.querySelector('#labels [aria-sort]')?.getAttribute('aria-sort') ?? ''"
    numbers = (
        "[...document.querySelectorAll('#labels tr[id]')].map(row => +row.cells[2].textContent.replaceAll(',', ''))"
    )
    window.ask(press)
    counts = window.ask(numbers)
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]
    assert window.ask(sorted_by) == "descending"
    window.ask(press)
    assert (window.ask(numbers), window.ask(sorted_by)) == (sorted(counts), "ascending")
    window.ask(press)
    assert (window.ask(rows("#labels")), window.ask(sorted_by)) == (grouped, "")


def test_copying(window: Browser, page: Path) -> None:
    """A label's query is copied, and said to be."""
    window.open(page)
    window.ask("document.querySelector('#Lead .copy').click()")
    window.ask("new Promise(done => setTimeout(done, 100))")
    assert window.ask("document.getElementById('status').textContent") == "Copied: MATCH (n:Lead) RETURN n LIMIT 25"


def test_the_section_in_sight_is_marked(window: Browser, page: Path) -> None:
    """In the list that stays in sight."""
    window.open(page)
    window.ask("document.querySelector('nav [href=\"#patterns\"]').click()")
    window.wait()
    assert window.ask("document.querySelector('nav [aria-current]').textContent") == "Patterns"
    assert window.ask("document.querySelector('nav').getBoundingClientRect().top") == 0


def test_it_prints(window: Browser, page: Path) -> None:
    """On light paper, no wider than the sheet, with what is folded."""
    window.open(page, width=718, scheme="dark")
    window.call("Emulation.setEmulatedMedia", media="print")
    assert window.ask("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert window.ask("document.documentElement.scrollWidth") == 718
    assert len(window.call("Page.printToPDF")["data"]) > 50_000

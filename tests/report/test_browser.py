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
    assert window.ask("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    assert window.ask("document.querySelectorAll('.node').length") == len(NODES)
    assert window.ask("document.querySelectorAll('tr[id]').length") == len(NODES) + len(RELATIONSHIPS)
    colours = window.ask("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    paper, ink = (sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(", "))) for colour in colours)
    assert (paper > 600 > 200 > ink) if scheme == "light" else (paper < 200 < 600 < ink)


def test_nothing_overlaps_in_the_diagram(window: Browser, page: Path) -> None:
    """No label's text lies over another's, nor outside."""
    window.open(page)
    assert (
        window.ask("""(() => {
        const boxes = [...document.querySelectorAll(".node text")].map(each => [each.textContent, each.getBBox()]);
        const view = document.querySelector(".picture svg").viewBox.baseVal;
        const found = boxes.filter(([, b]) => b.x < 0 || b.x + b.width > view.width || b.y + b.height > view.height);
        const meet = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width
            && a.y < b.y + b.height - 3 && b.y < a.y + a.height - 3;  // a label and its number lie close
        for (const [one, a] of boxes)
            for (const [other, b] of boxes) if (a !== b && meet(a, b)) found.push([one, other]);
        return found.map(String);
    })()""")
        == []
    )


def test_pointing_tells_more(window: Browser, page: Path) -> None:
    """A label lights up what it touches, and shows its numbers; so does the keyboard, and a block of the timeline."""
    window.open(page)
    window.point('.node[data-label="Guide"] circle')
    tip = window.ask("document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent")
    assert tip.startswith("Guide\n") and "rows of guide.guide_profile" in tip
    near = window.ask("[...document.querySelectorAll('.node.near')].map(each => each.dataset.label).sort()")
    assert near == [
        "AuthUser", "BankAccount", "Consultation", "Guide", "GuideWallet", "Language", "SavedMessage", "Skill",
        "Verification",
    ]  # fmt: skip
    window.point(".lane .block[data-tip]")
    assert "check" in window.ask("document.getElementById('tip').textContent")
    assert window.ask("document.querySelectorAll('.near').length") == 0
    window.ask("document.querySelector('.node[data-label=\"Lead\"]').focus()")
    assert window.ask("document.getElementById('tip').textContent").startswith("Lead\n")


def test_a_number_of_rejects_leads_to_them(window: Browser, page: Path) -> None:
    """What it links to is opened."""
    window.open(page)
    window.ask("document.querySelector('#Device a').click()")
    window.ask("new Promise(done => setTimeout(done, 50))")
    assert window.ask("document.getElementById('rejects-Device').open") is True


def test_it_prints(window: Browser, page: Path) -> None:
    """On light paper, no wider than the sheet, with what is folded."""
    window.open(page, width=718, scheme="dark")
    window.call("Emulation.setEmulatedMedia", media="print")
    assert window.ask("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert window.ask("document.documentElement.scrollWidth") == 718
    assert len(window.call("Page.printToPDF")["data"]) > 50_000

"""The page: whole, escaped, and alone in the world."""

import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html import unescape
from html.parser import HTMLParser

import pytest

from exporter.pipeline.profile import Profile
from exporter.pipeline.timing import READ
from exporter.report.content import Content
from exporter.report.page import colour_stops, fitting, format_tick, page, percent, relative_change, time_element
from exporter.sink.copies import PulledEntry
from exporter.text import format_seconds
from tests.report.test_timeline import PROFILE, timer
from tests.support.manifests import REDACTION, WINDOW
from tests.support.report_content import CONTENT, HOSTILE, content_of, content_since

PAGE = page(CONTENT, PROFILE)


VOID = {"meta", "link", "input", "br", "wbr", "path", "circle", "polyline"}


class Outline(HTMLParser):
    """The tags of a page with their attributes, and what is not closed in the order in which it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, tag


def test_it_is_well_formed() -> None:
    """Every tag is closed where it should be, and no name is given twice."""
    outline = Outline(PAGE)
    assert outline.open == []
    names = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(names) == len(set(names))
    links = [str(attributes["href"]) for tag, attributes in outline.tags if tag == "a"]
    targets = [link.removeprefix("#") for link in links if link.startswith("#")]
    assert targets and set(targets) <= set(names)


def test_it_loads_nothing() -> None:
    """No address stands in it, but for the empty icon, and its policy allows its own script alone."""
    outline = Outline(PAGE)
    targets = [
        str(value) for tag, attributes in outline.tags for name, value in attributes.items() if name in ("src", "href")
    ]
    beside = re.compile(r"#.+|data:,|rejects/((nodes|relationships)/[\w-]+/)?|manifest\.json|SHA256SUMS")
    assert [target for target in targets if not beside.fullmatch(target)] == []
    assert not re.search(r"https?://|//[a-z]|@import|url\(", PAGE)
    [script] = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in PAGE


def test_text_of_the_source_stays_text() -> None:
    """Wherever it comes from: the database's name, a reject's key, its value."""
    assert PAGE.count("alert(1)") == PAGE.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert HOSTILE in unescape(PAGE)


def test_every_label_and_pattern_is_there() -> None:
    """In the tables and in the diagram."""
    for entity in CONTENT.entities:
        assert f'<tr id="{entity.name}"' in PAGE
    for drawing in re.findall(r'<svg class="graph.*?</svg>', PAGE, re.DOTALL):
        links = re.findall(r'<a class="(?:node|arrow)[^>]* href="#([^"]+)"', drawing)
        assert sorted(links) == sorted(entity.name for entity in CONTENT.entities)
    assert PAGE.count('<svg class="graph') == 2
    types = re.findall(r'<text class="type"[^>]*>(\w+)<', PAGE)
    assert types == [pattern.parts[1] for pattern in CONTENT.patterns]


def test_headings_of_tables() -> None:
    """Every table says what its columns and rows are, for those who hear it."""
    for table in re.findall(r"<table.*?</table>", PAGE, re.DOTALL):
        assert '<th scope="col"' in table
    assert PAGE.count("<title>") == PAGE.count("</title>") > len(CONTENT.entities)


def test_an_empty_first_export() -> None:
    """Nothing to draw, nothing left out, nothing before it."""
    empty = page(content_of(rows=0), Profile([], [], {}, 0))
    assert Outline(empty).open == []
    assert "Nothing." in empty and "nothing before" in empty and "Since" not in empty


def test_a_second_export() -> None:
    """What changed is said first, leads to its row, and is coloured there and in the tiles; trends need three."""
    second = page(content_since(rows=1000, now={"Guide": 0}, rejects={"Lead": 10**6}), PROFILE)
    assert Outline(second).open == []
    assert "<strong>2 things to look at</strong> since " in second
    [guide] = [label for label in CONTENT.labels if label.name == "Guide"]
    assert f'<li class="over"><a href="#Guide">Guide</a> gone: no rows instead of {guide.rows:,}</li>' in second
    assert re.search(
        r'<li class="over"><a href="#rejects">Rejects</a> .* mostly in <a href="#rejects-null_id-Lead">', second
    )
    tiles = re.findall(r'<div class="tile (\w+)">\n<h2>(\w+)', second)
    assert tiles == [
        ("over", "Nodes"), ("within", "Relationships"), ("within", "Property"), ("over", "Rejects"), ("within", "Data"),
        ("within", "Time"),
    ]  # fmt: skip
    assert 'class="spark"' not in second and "trend" not in re.sub("<style>.*?</style>", "", second, flags=re.DOTALL)


def test_what_cannot_be_seen_is_shown() -> None:
    """Control characters, and what turns the direction of writing, in a name of the source."""
    source = replace(CONTENT.manifest.source, database="x\u202egpj.exe\x1b[2J")
    hidden = page(replace(CONTENT, manifest=replace(CONTENT.manifest, source=source)), PROFILE)
    assert "\u202e" not in hidden and "\x1b" not in hidden and "x\\u202Egpj.exe\\x1B[2J" in hidden


def test_times() -> None:
    """As people write them; to the second when pointed at."""
    moment = datetime(2026, 11, 23, 4, 15, 1, tzinfo=timezone(timedelta(hours=1)))
    assert time_element(moment) == (
        '<time datetime="2026-11-23T03:15:01Z" title="2026-11-23 03:15:01 UTC">Mon 23 Nov 2026, 03:15 UTC</time>'
    )


@pytest.mark.parametrize(
    ("before", "after", "share"), [(None, 5, 0), (0, 0, 0), (0, 5, 1e9), (4, 5, 0.25), (4, 0, -1), (4, 4, 0)]
)
def test_changes_can_be_sorted(before: int | None, after: int, share: float) -> None:
    """What is new comes after all that grew."""
    assert relative_change(before, after) == share


def test_its_size_is_bounded() -> None:
    """However many workers there were and however many pieces they read."""
    timers = [timer(f"table{number % 7}", number % 64, number // 64, {READ: 0.9}) for number in range(64 * 400)]
    profile = Profile(timers, [], {"keys": 400.0}, 64, {"keys": 0.0})
    assert len(page(CONTENT, profile)) < 2_500_000


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 ms"), (0.0404, "40 ms"), (0.096, "0.1 s"), (9.96, "10 s"), (200, "3 min 20 s")]
)
def test_seconds(seconds: float, text: str) -> None:
    """As many digits as matter."""
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0.2 s"), (10, "10 s"), (120, "2 min"), (7200, "2 h")])
def test_times_on_the_axis(seconds: float, text: str) -> None:
    """They are round."""
    assert format_tick(seconds) == text


def test_labels_of_blocks() -> None:
    """The longest that has room, or none."""
    texts = ["notifications.notifications", "notifications"]
    assert [fitting(texts, seconds, 10.0) for seconds in (5.0, 1.0, 0.5)] == [*texts, ""]
    assert fitting(texts, 0.0, 0.0) == ""


def test_colours_of_parts() -> None:
    """One after the other; a block without parts has a colour too."""
    assert colour_stops([("read", 0.25), ("write", 0.75)]) == "var(--read) 0.0% 25.0%, var(--write) 25.0% 100.0%"
    assert colour_stops([]) == "var(--line) 0% 100%"


COPY = replace(CONTENT, manifest=replace(CONTENT.manifest, format=2, window=WINDOW, redaction=REDACTION))


def text_of(content: Content) -> str:
    """What is read on the page, with single blanks."""
    found = re.sub(r"<(style|script|title)>.*?</\1>|<wbr>", "", page(content, PROFILE), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found)).split())


def test_a_copy_says_what_it_is() -> None:
    """A window of how much; that masking is not anonymity; whatever is weaker than it should be; the factor."""
    outline, text = Outline(page(COPY, PROFILE)), text_of(COPY)
    assert outline.open == []
    for sentence in (
        "A window, not the whole source: since 2026-11-16 03:15 UTC, 1 % of the people (seed 7), what belongs to 1 "
        "Customer by phone_number, without Notification; 35,261 of 99,704 rows.",
        "Of the people, 1 % were drawn, with all that is theirs. A sum over people times 100 is an estimate",
        "Pseudonymised, not anonymous: masked by the profile analyst, version 1.",
        "The tokens were made with a key that was used once: they agree within this export, and with no other.",
        "Masked less than its class demands: Guide.full_name (",
        "3 values of Lead.utm_campaign .",
        "(Notification)-[TO_USER]->(AuthUser) 1,427",
        "Lead, k = 5 source 9 2 4 4.0 % without source 100 0 0.0 %",
        "it is in the graph, outside of the window, or among the rejects with a reason",
        "Only keys are told, here and in the files.",
        "no earlier export here of this source, with this model, of an equal window and masked alike.",
    ):
        assert sentence in text, sentence
    assert '<p class="over">Masked less' in page(COPY, PROFILE)


def test_what_a_faithful_export_says() -> None:
    """Nothing of windows and masking."""
    text = text_of(CONTENT)
    assert not re.search("window|pseudonymised|How rare|Why more", text)
    assert "Values with personal data are masked here; the files hold them unmasked." in text


def test_a_window_or_a_masking_alone() -> None:
    """Each says its own."""
    window = replace(COPY, manifest=replace(COPY.manifest, redaction=None))
    masked = replace(COPY, manifest=replace(COPY.manifest, window=None))
    assert ("A window" in text_of(window), "Pseudonymised" in text_of(window)) == (True, False)
    assert ("A window" in text_of(masked), "Pseudonymised" in text_of(masked)) == (False, True)
    assert ("outside" in text_of(window), "outside" in text_of(masked)) == (True, False)


def test_a_copys_text_stays_text() -> None:
    """It may come from another hand."""
    window = replace(WINDOW, without=[HOSTILE], roots=[], pulled=[PulledEntry(HOSTILE, 1)])
    redaction = replace(REDACTION, profile=HOSTILE, key=HOSTILE, suppressed={HOSTILE: 1})
    written = page(replace(COPY, manifest=replace(COPY.manifest, window=window, redaction=redaction)), PROFILE)
    assert "<script>alert" not in written


@pytest.mark.parametrize(("part", "text"), [(0, "0.0 %"), (1, "under 0.1 %"), (42, "1.4 %"), (3000, "100.0 %")])
def test_a_part_in_percent(part: int, text: str) -> None:
    """What there is, is more than nothing."""
    assert percent(part, 3000) == text

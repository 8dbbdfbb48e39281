"""Pages of the documentation as tests read them: their sections, code blocks and tables."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown page of the repository; `text` is the page, or one of its sections."""

    path: Path
    text: str

    def section(self, title: str) -> "Page":
        """What stands under a heading of the second level."""
        match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", self.text, re.MULTILINE | re.DOTALL)
        assert match, title
        return Page(self.path, match[1])

    def blocks(self, language: str) -> list[str]:
        """The code blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def table(self, heading: str) -> list[list[str]]:
        """The cells of the first table whose head begins with this word, without backticks."""
        match = re.search(rf"^\| {heading} \|.*\n\|[-|:]+\n((?:\|.*\n)+)", self.text, re.MULTILINE)
        assert match, heading
        rows = match[1].replace("`", "").splitlines()
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]

    def prose(self) -> str:
        """The page without its code blocks."""
        return re.sub(r"^ *```.*?^ *```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    def anchors(self) -> set[str]:
        """What a link to one of its headings may name, by GitHub's rule."""
        headings = re.findall(r"^#+ (.+)$", self.prose(), re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def read_page(name: str) -> Page:
    """A page by its path in the repository."""
    path = ROOT / name
    return Page(path, path.read_text(encoding="utf-8"))

"""docs/copies.md is true: its tables are the code's, its settings file is read, its flags are those of an export."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from exporter.model.redaction import effective_rules
from exporter.model.tables import tables
from exporter.model.treatments import ALLOWED, OF_CLASS, PrivacyClass, Treatment
from exporter.model.window import COMPANIONS, ROOT_LABELS, WHOLE, dated_tables, root_properties, up_references
from exporter.settings import FLAGS, load
from tests.cli.test_help import commands
from tests.support.pages import Page, read_page

PAGE, LAPTOP = read_page("docs/copies.md"), read_page("docs/laptop.md")
# With the tables that stand in lists.
FLAT = Page(PAGE.path, re.sub("^ +[|]", "|", PAGE.text, flags=re.MULTILINE))
NOT_ANONYMOUS = "pseudonymised, not anonymous"


def words(text: str) -> list[str]:
    """The names in a cell, with commas between them."""
    return [word.strip() for word in text.split(",")]


def test_flags_are_those_of_their_settings() -> None:
    """Each on `export`, with its setting."""
    [export] = [command for path, command in commands() if path == ("export",)]
    known = {parameter.opts[0] for parameter in export.params}
    rows = PAGE.section("Windows").table("Flag")
    for flags, settings, _ in rows:
        for flag, name in zip(re.findall(r"--[a-z-]+", flags), words(settings), strict=True):
            assert flag in known and flag == FLAGS.get((name,), f"--{name.replace('_', '-')}")
    listed = {name for _, settings, _ in rows for name in words(settings)}
    assert listed == {"since", "until", "sample", "sample_seed", "roots", "without"}


def test_what_is_whole_is_named() -> None:
    """Every label whose table is."""
    labels = [table.node.label for table in tables() if table.name in WHOLE and table.node]
    [listed] = re.findall(r"unless `--without` names them:\s+([\w,\s]+)\.", PAGE.text)
    assert words(listed) == labels


def test_companions_are_the_codes() -> None:
    """What each kept label brings with it."""
    brought = defaultdict[str, list[str]](list)
    for table in dated_tables():
        for up in up_references(table.name):
            if up.column in COMPANIONS.get(table.name, ()) and table.node:
                brought[up.label].append(table.node.label)
    assert {row[0]: words(row[1]) for row in FLAT.table("Kept")} == brought


def test_roots_are_the_codes() -> None:
    """Each with the properties by which it is found."""
    listed = {label: set(words(found)) for labels, found, _ in FLAT.table("Root") for label in words(labels)}
    assert set(listed) == set(ROOT_LABELS)
    for label in ROOT_LABELS:
        key, *others = root_properties(label)
        assert {name for name in listed[label] if name not in ("key", key)} == set(others)


def test_masked_properties_are_the_codes() -> None:
    """Every property that is not kept as it is, with its treatment."""
    listed = {
        f"{entity}.{name}": treatment
        for entity, cell in PAGE.table("Label or pattern")
        for part in cell.split("; ")
        for names, _, treatment in [part.rpartition(" ")]
        for name in words(names)
    }
    assert listed == {
        name: rule.treatment for name, rule in effective_rules({}, ()).items() if rule.treatment is not Treatment.KEEP
    }


def test_classes_are_the_codes() -> None:
    """Every class, and treatments that it allows."""
    rows = PAGE.table("Class")
    assert {name for row in rows for name in words(row[0])} == set(PrivacyClass)
    for names, _, becomes in rows:
        for name in words(names):
            found = {treatment for treatment in Treatment if re.search(rf"\b{treatment}\b", becomes)}
            assert found <= ALLOWED[PrivacyClass(name)]
            assert OF_CLASS.get(PrivacyClass(name), Treatment.DROP) in found


@pytest.mark.parametrize("page", [PAGE, LAPTOP], ids=["copies", "laptop"])
def test_the_settings_file_is_read(page: Page, tmp_path: Path) -> None:
    """And asks for a masked copy."""
    [text] = page.blocks("toml")
    path = tmp_path / "exporter.toml"
    path.write_text(text, encoding="utf-8")
    redaction = load(path).redaction
    assert redaction and redaction.changes["LoginActivity.ip_address"] == "drop"
    assert redaction.quasi == (("Lead", ("source", "utm_campaign", "status")),)


@pytest.mark.parametrize("name", ["README.md", "docs/copies.md", "docs/laptop.md", "docs/settings.md"])
def test_nobody_takes_a_masked_copy_for_an_anonymous_one(name: str) -> None:
    """Where it is spoken of."""
    assert NOT_ANONYMOUS in " ".join(read_page(name).text.split())

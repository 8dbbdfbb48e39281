"""The declaration of windows: sound as it is, and each fault in it is a sentence."""

from typing import Any

import pytest

from exporter.model import window
from exporter.model.validate import problems
from exporter.model.window_check import window_problems


def test_the_declaration_is_sound() -> None:
    """Every command that looks at the declaration asks this."""
    assert list(window_problems()) == problems() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TIMES", {"offers.user_behavior_metrics": "updated_at", "offers.x": "at"}, "there is no table offers.x"),
        ("WHOLE", window.WHOLE - {"guide.guide_skills"}, "guide.guide_skills is a join table, so it must be whole"),
        (
            "TIMES",
            {},
            "offers.user_behavior_metrics has no created_at that says when its rows are made, so it must be whole",
        ),
        (
            "COMPANIONS",
            {"marketing.leads": ("id",)},
            "marketing.leads.id brings no row in, since it refers to no label that can be left out",
        ),
        (
            "PERSONS",
            {"marketing.leads": ("Customer", "phone")},
            "marketing.leads.phone says whose a row is, and is the id of no Customer",
        ),
    ],
)
def test_a_fault_is_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: Any, expected: str) -> None:
    """The only one, and the commands refuse the declaration."""
    monkeypatch.setattr(window, name, value)
    assert problems() == [f"windows: {expected}"]


def test_links_by_value_lead_to_whole_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could say otherwise which guide a code or a phone found."""
    monkeypatch.setattr(window, "WHOLE", window.WHOLE - {"guide.guide_profile"})
    assert problems() == [
        "windows: Guide-REFERRED_BY-Guide finds Guide by no integer, so guide.guide_profile must be whole",
        "windows: Guide-HAS_WALLET-GuideWallet finds Guide by no integer, so guide.guide_profile must be whole",
    ]

"""Flags of settings: each is a setting, and shows the default that holds."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from exporter.cli import app
from exporter.cli.copy_options import COPY_SETTINGS
from exporter.cli.options import EXPORT_SETTINGS, REBUILD_SETTINGS
from exporter.settings import FLAGS, RebuildSettings, Settings

DEFAULTS = {EXPORT_SETTINGS: Settings(), COPY_SETTINGS: Settings(), REBUILD_SETTINGS: RebuildSettings()}
# What a flag shows of a setting that has no default, and of one that is a flag itself.
UNSET = (False, "no limit", "only its owner", "a key for this export alone")
# Settings that no command line could hold, or that are better written down.
WITHOUT_FLAG = {"tables", "columns", "rebuild", "redact_accept", "redact_changes", "redact_quasi"}


def flags() -> Iterator[Any]:
    """Every flag of every command that is a setting."""
    for command in typer.main.get_command(app).commands.values():  # type: ignore[attr-defined]
        for parameter in command.params:
            if getattr(parameter, "rich_help_panel", None) in DEFAULTS:
                yield pytest.param(parameter, id=f"{command.name} {parameter.opts[0]}")


@pytest.mark.parametrize("flag", list(flags()))
def test_a_flag_shows_the_default_of_its_setting(flag: Any) -> None:
    """Under the setting's name; exporter/settings.py is not loaded for `--help`, so the default is stated twice."""
    default = DEFAULTS[flag.rich_help_panel].model_dump(mode="json")[flag.name]
    assert flag.opts[0] == FLAGS.get((flag.name,), f"--{flag.name.replace('_', '-')}")
    if default is None or default == []:
        assert flag.show_default in UNSET
    else:
        assert flag.show_default == ("no" if default is False else str(default))


def test_every_setting_of_an_export_has_a_flag() -> None:
    """But for a few that only a settings file can hold, and the settings of a rebuild."""
    names = {flag.values[0].name for flag in flags() if flag.values[0].rich_help_panel != REBUILD_SETTINGS}
    assert names == Settings.model_fields.keys() - WITHOUT_FLAG

"""The flags that make an export a copy: a window of the source, personal data masked.

`export`, `check` and `local` have them without naming them: `help.py` adds them to these commands, and `settings_from`
finds their values in the context.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli.completion import complete_labels, complete_profile, complete_root
from exporter.errors import UsageError

COPY_SETTINGS = "Settings of a copy, a part of the source or masked (in the same three ways)"
# Where a context has the values of these flags.
VALUES = "exporter.copy_options"
# A root in which other users can see whom it is about.
PHONE = re.compile(r"\s*[A-Za-z]+\s*:\s*phone(_number)?\s*=")
PHONE_WARNING = "a phone number on the command line is visible to other users; use --root @FILE, or --root @-"


def flag(name: str, metavar: str, help: str, *, default: str | bool = False, completion: Any = None) -> Any:
    """The flag of a setting of copies; `default` is only shown."""
    return typer.Option(
        name, metavar=metavar, help=help, show_default=default, rich_help_panel=COPY_SETTINGS, autocompletion=completion
    )


def copy_settings(
    since: Annotated[
        str | None,
        flag("--since", "TIME", "Only rows of this time and later: 36h, 7d or 2w before now, or a date or timestamp."),
    ] = None,
    until: Annotated[str | None, flag("--until", "TIME", "Only rows before this time.")] = None,
    sample: Annotated[
        str | None, flag("--sample", "PERCENT", "Only this share of people, at most 50%, with all that is theirs.")
    ] = None,
    sample_seed: Annotated[
        str | None, flag("--sample-seed", "N", "Another number draws other people.", default="0")
    ] = None,
    roots: Annotated[
        list[str] | None,
        flag(
            "--root",
            "LABEL:PROPERTY=VALUE",
            "Only this person, guide, payment or the like, with all that is theirs; again and again for more, or @FILE "
            "(- is stdin) for one on each line.",
            completion=complete_root,
        ),
    ] = None,
    without: Annotated[
        str | None,
        flag("--without", "LABELS", "Leave these labels out, such as Notification,LoginActivity.",
             completion=complete_labels),
    ] = None,
    redact: Annotated[
        str | None,
        flag("--redact", "analyst", "Mask personal data: pseudonymised, not anonymous.", completion=complete_profile),
    ] = None,
    redact_key_file: Annotated[
        str | None,
        flag("--redact-key", "FILE", "The file of the key that makes tokens, of `exporter redact-key`.",
             default="a key for this export alone"),
    ] = None,
    redact_k: Annotated[
        str | None,
        flag("--redact-k", "N", "Warn of persons whose birth year, city and the like fewer than N have.", default="5"),
    ] = None,
    redact_max_small: Annotated[
        str | None,
        flag("--redact-max-small", "PERCENT", "Publish nothing if more persons are so rare.", default="no limit"),
    ] = None,
) -> None:  # fmt: skip
    """Has the flags of copies, each with its help."""


@cache
def copy_options() -> list[Any]:
    """The flags of copies, as parameters that remember their values in the context."""
    app = typer.Typer(add_completion=False)
    app.command()(copy_settings)
    options = typer.main.get_command(app).params
    for option in options:
        option.expose_value = False
        option.callback = remember
    return options


def copy_of_flag(name: str) -> str | None:
    """What a flag of copies asks for: `a window`, `a masked copy`; None for another flag."""
    option = next((option for option in copy_options() if name in option.opts), None)
    return option and ("a masked copy" if option.name.startswith("redact") else "a window")


def remember(context: Any, parameter: Any, value: Any) -> None:
    """Keeps the value of a flag; None if it was not passed."""
    context.meta.setdefault(VALUES, {})[parameter.name] = None if value in ((), []) else value


def flag_values(context: typer.Context) -> dict[str, Any]:
    """The values of all flags of the running command, by their parameters; None if not passed."""
    return {**context.params, **context.meta.get(VALUES, {})}


def read_roots(texts: Iterable[str]) -> Iterator[str]:
    """The roots that were given, those in files (`@FILE`, `@-`) line by line, but for blank lines and comments (#).
    Raises `UsageError` for a file that cannot be read."""
    for text in texts:
        if not text.startswith("@"):
            yield text
            continue
        if text == "@":
            raise UsageError("--root @: the name of a file must follow, or - for stdin")
        try:
            content = sys.stdin.read() if text == "@-" else Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise UsageError(f"--root {text}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
        lines = {number: line.strip() for number, line in enumerate(content.splitlines(), 1)}
        named = {number: line for number, line in lines.items() if line and not line.startswith("#")}
        if not named:
            raise UsageError(f"--root {text}: names nobody")
        refuse_wrong(text, named)
        yield from named.values()


def refuse_wrong(file: str, roots: Mapping[int, str]) -> None:
    """Raises `UsageError` with what is wrong with the roots of a file, by their lines; never with a value."""
    from exporter.copy_settings import first, parse_root

    parsed = {line: parse_root(text) for line, text in roots.items()}
    if faults := [f"line {line} {fault}" for line, fault in parsed.items() if isinstance(fault, str)]:
        separator = "\n  " if len(faults) > 1 else " "
        raise UsageError(separator.join([f"--root {file}:", *first(faults, "lines")]))

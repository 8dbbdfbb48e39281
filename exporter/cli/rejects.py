"""`exporter rejects`: what an export left out, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.completion import complete_export
from exporter.cli.options import Config, Json, Output, print_json, settings_from
from exporter.errors import UsageError
from exporter.text import quantity, visible

if TYPE_CHECKING:
    from exporter.published.rejects import RejectGroup
    from exporter.shape.examples import Example

LATEST = "latest"


def rejects(
    context: typer.Context,
    export: Annotated[
        str,
        typer.Argument(
            metavar="EXPORT",
            help="An export, by name or directory; or a directory rejected-…",
            autocompletion=complete_export,
        ),
    ] = LATEST,
    output: Output = None,
    config: Config = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="REASON", help="Only those for this reason.", show_default=False)
    ] = None,
    entity: Annotated[
        str | None,
        typer.Option("--entity", metavar="NAME", help="Only those of this label or pattern.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """List what an export left out: by reason, then by label and pattern, with a few examples.

    Values that the model marks as personal data are not shown; the files have them.
    """
    from exporter.published.rejects import find_rejects, reject_groups
    from exporter.shape.rejects import Reason
    from exporter.sink.layout import entities

    check_name("--reason", reason, [str(known) for known in Reason])
    check_name("--entity", entity, [known.name for known in entities()])
    directory = find_rejects(settings_from(context, config).output, export)
    groups = [
        group for group in reject_groups(directory) if reason in (None, group.reason) and entity in (None, group.entity)
    ]
    total = sum(group.count for group in groups)
    if as_json:
        print_json({"directory": str(directory), "rejects": total, "groups": [*map(asdict, groups)]})
        return
    for line in group_lines(groups):
        print(line)
    print(f"{quantity(total, 'reject')} in {directory}")


def check_name(flag: str, name: str | None, known: Sequence[str]) -> None:
    """Raises `UsageError` for a name that is not known."""
    if name is not None and name not in known:
        nearest = get_close_matches(name, known, n=1)
        remedy = f"the nearest is {nearest[0]}" if nearest else f"known are {', '.join(known)}"
        raise UsageError(f"{flag} {visible(name)}: there is none; {remedy}")


def group_lines(groups: Sequence["RejectGroup"]) -> Iterator[str]:
    """The groups by reason, the commonest first; below each reason its labels and patterns, with examples."""
    from exporter.report.content import REASONS

    count = Counter[str]()
    for group in groups:
        count[group.reason] += group.count
    for reason, number in count.most_common():
        yield f"{reason} {number:,}: {REASONS[reason]}"
        for group in groups:
            if group.reason == reason:
                yield f"  {group.entity} {group.count:,}"
                yield from (f"    {example_text(example)}" for example in group.examples)
        yield ""


def example_text(example: "Example") -> str:
    """`key 17: auth_user_id = 4711 (AuthUser)`: the label is the one that was looked for."""
    key, value = (("null" if text is None else visible(text) or "(empty)") for text in (example.key, example.value))
    looked_for = f" ({example.references})" if example.references else ""
    return f"key {key}: {example.column} = {f'({value}, masked)' if example.masked else value}{looked_for}"

"""How every command looks: its help at 80 columns, the options that all of them have, and usage errors."""

import os
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from exporter.cli.copy_options import COPY_SETTINGS, copy_of_flag, copy_options
from exporter.errors import UsageError
from exporter.invocation import command
from exporter.text import visible

OPTIONS = "Options"
EVERY_COMMAND = "Options of every command"
EXPORT_SETTINGS = "Settings (flag, else variable, else exporter.toml)"
REBUILD_SETTINGS = "Rebuild settings (flag, else variable, else table [rebuild] of exporter.toml)"
# Holds a note on one line, until it is written.
UNBROKEN = "\xa0"
# The variables of the settings among the flags.
PREFIXES = {EXPORT_SETTINGS: "EXPORTER_", COPY_SETTINGS: "EXPORTER_", REBUILD_SETTINGS: "EXPORTER_REBUILD_"}
# The commands that may make a copy, or say what it would hold.
COPYING = {"check", "export", "local"}


def be_quiet(wanted: bool) -> None:
    """Leaves stderr to errors."""
    if wanted:
        from exporter.progress.log import choose_verbosity

        choose_verbosity(quiet=True)


def be_verbose(wanted: bool) -> None:
    """Tells stderr more."""
    if wanted:
        from exporter.progress.log import choose_verbosity

        choose_verbosity(quiet=False)


def every_command(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print errors only on stderr.", callback=be_quiet, rich_help_panel=EVERY_COMMAND
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Tell stderr more: where settings come from, the connection, each stage and table.",
            callback=be_verbose,
            rich_help_panel=EVERY_COMMAND,
        ),
    ] = False,
) -> None:
    """Has the options that are added to every command."""


def added_options(name: str | None) -> list[Any]:
    """The options that a command has without naming them: those of copies, and those of every command."""
    return [*(copy_options() if name in COPYING else []), *common_options()]


@cache
def common_options() -> list[Any]:
    """The options of every command, as parameters."""
    app = typer.Typer(add_completion=False)
    app.command()(every_command)
    options = typer.main.get_command(app).params
    for option in options:
        option.expose_value = False
    return options


class Command(TyperCommand):
    """A command with the options that all have, and their help."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += added_options(self.name)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write_parameters(self.get_params(ctx), ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        check_working_directory()
        return super().invoke(ctx)


class Group(TyperGroup):
    """A command of commands with the options that all have, and their help."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += added_options(self.name)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        rows = []
        for name in self.list_commands(ctx):
            subcommand = self.get_command(ctx, name)
            if subcommand and not subcommand.hidden:
                rows.append((name, (subcommand.help or "").partition("\n\n")[0].replace("\n", " ")))
        write_section(formatter, "Commands", rows)
        write_parameters(self.get_params(ctx), ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        if ctx.parent:
            check_working_directory()
        return super().invoke(ctx)


def check_working_directory() -> None:
    """Raises `UsageError` where relative paths cannot work, nor the processes that start there."""
    try:
        directory = Path.cwd()
    except OSError:
        raise UsageError("the working directory no longer exists; change to another one") from None
    if not os.access(directory, os.X_OK):
        raise UsageError(f"this user may not enter the working directory {directory}; change to another one")


def complete_commands(app: typer.Typer) -> None:
    """Gives all commands of an app, and of the apps in it, the common options and look."""
    app.info.cls = Group
    for registered in app.registered_commands:
        registered.cls = Command
    for group in app.registered_groups:
        if group.typer_instance:
            complete_commands(group.typer_instance)


def write_parameters(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    """Writes arguments and options, panel by panel; those of every command come last."""
    panels: dict[str, list[tuple[str, str]]]
    panels = {panel: [] for panel in ("Arguments", OPTIONS, *PREFIXES, EVERY_COMMAND)}
    for parameter in parameters:
        if not parameter.hidden:
            panel = EVERY_COMMAND if parameter.name == "help" else parameter.rich_help_panel or OPTIONS
            is_argument = parameter.param_type_name == "argument"
            name = parameter.metavar or parameter.name if is_argument else parameter.get_help_record(ctx)[0]
            panels["Arguments" if is_argument else panel].append((name, parameter_text(parameter)))
    for panel, rows in panels.items():
        write_section(formatter, panel, rows)


def write_section(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    """Writes names with their texts below a title; nothing if there are none."""
    if rows:
        with formatter.section(emphasized(title)):
            formatter.write_dl([(emphasized(name, fg="cyan"), text) for name, text in rows])
            formatter.buffer = [text.replace(UNBROKEN, " ") for text in formatter.buffer]


def parameter_text(parameter: Any) -> str:
    """What a parameter is for, with its variable and its default."""
    return " ".join([parameter.help or "", *(f"[{note.replace(' ', UNBROKEN)}]" for note in notes(parameter))])


def notes(parameter: Any) -> Iterator[str]:
    """A setting's variable, a default that may be shown, and whether a value is required."""
    if parameter.rich_help_panel in PREFIXES:
        yield f"env: {PREFIXES[parameter.rich_help_panel]}{parameter.name.upper()}"
    default = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    if isinstance(parameter.show_default, str):
        yield f"default: {parameter.show_default}"
    elif parameter.show_default and default is not None and not isinstance(default, bool):
        yield f"default: {default}"
    if parameter.required:
        yield "required"


def emphasized(text: str, fg: str | None = None) -> str:
    """Text that stands out on a terminal."""
    return typer.style(text, fg=fg, bold=True) if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def usage_error(error: Any, name: str) -> UsageError:
    """An error of the command line as one of ours: a sentence, and on the next line where to look; `name` is that of
    the command, if there is one."""
    context = getattr(error, "ctx", None)
    path = context.command_path.split(" ", 1)[1:] if context else [visible(name)]
    return UsageError(f"{usage_sentence(error)}\n  See: {' '.join([command(), *path, '--help'])}")


def usage_sentence(error: Any) -> str:
    """What is wrong on a command line."""
    parameter = getattr(error, "param", None)
    if hasattr(error, "possibilities"):
        if error.ctx.info_name == "rebuild" and (copy := copy_of_flag(error.option_name)):
            return f"{copy} cannot be the live graph: leave out {error.option_name}"
        if any(error.option_name in option.opts for option in copy_options()):
            return f"no such option: {error.option_name}; only export, check and local make copies"
        nearest = f"; the nearest is {error.possibilities[0]}" if error.possibilities else ""
        return f"no such option: {error.option_name}{nearest}"
    if parameter is not None:
        name = parameter.metavar if parameter.param_type_name == "argument" else parameter.opts[0]
        if hasattr(error, "param_type"):
            return f"{name} is missing"
        return f"{name}: {rule(str(error.message))}"
    message = str(error.message)
    if hasattr(error, "option_name"):
        return (
            message.removeprefix("Option ")
            .replace("'", "")
            .replace("requires an argument", "needs a value")
            .rstrip(".")
        )
    if message.startswith("Got unexpected extra argument"):
        return f"unexpected argument: {message.partition('(s) (')[2].removesuffix(')')}"
    return (message[:1].lower() + message[1:]).rstrip(".")


def rule(message: str) -> str:
    """What a value must be, in our words, from pydantic's."""
    text = message.removeprefix("Value error, ").replace("Input should be", "must be").partition(", unable")[0]
    return text.replace("a valid integer", "a whole number").rstrip(".")

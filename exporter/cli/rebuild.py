"""`exporter rebuild`: a live graph, built anew."""

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.completion import complete_export_name
from exporter.cli.options import (
    CLUSTER_WARNING,
    PASSWORD_WARNING,
    REBUILD_SETTINGS,
    Cluster,
    Config,
    Json,
    Output,
    Push,
    Source,
    SourceName,
    is_open,
    print_json,
    setting,
    settings_from,
)
from exporter.cli.push import check_push
from exporter.errors import ExporterError, RunError, Stop, UsageError
from exporter.text import visible_json

if TYPE_CHECKING:
    from exporter.rebuild.report import RebuildReport
    from exporter.settings import Settings

EXIT_CODES = (
    "Exit codes: 0 done; 1 to 5 and 130 as for every command, and the live graph is unchanged; 6 the new export "
    "differs too much from the one behind the live graph; 7 the swap failed, the old store is back and answers; "
    "8 THE LIVE GRAPH DOES NOT ANSWER: act now."
)
EXPORT_FLAGS = "--source, --source-name, --cluster, --push, --max-drop, --max-rejects-rise"

rebuild_setting = partial(setting, panel=REBUILD_SETTINGS)
MaxDrop = Annotated[
    str | None,
    rebuild_setting("--max-drop", "PERCENT", "How many of its rows each label or pattern may lose.", default="20%"),
]
MaxRejectsRise = Annotated[
    str | None,
    rebuild_setting(
        "--max-rejects-rise", "PERCENT", "How much the rejects may rise, as a share of all rows before.", default="1%"
    ),
]
KeepStores = Annotated[
    int | None,
    rebuild_setting("--keep", "N", "How many stores, including the live one, and exports to keep.", default="2"),
]
Metrics = Annotated[Path | None, rebuild_setting("--metrics", "FILE", "Also write a Prometheus textfile.")]
LogFormatName = Annotated[
    str | None, rebuild_setting("--log-format", "plain|json", "Log format on stderr.", default="plain")
]


def rebuild(
    context: typer.Context,
    source: Source = None,
    source_name: SourceName = None,
    output: Output = None,
    cluster: Cluster = None,
    push: Push = None,
    config: Config = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Only put the previous store back; run it again to undo that.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Only repair what a killed run left behind, as every run does first.")
    ] = False,
    status: Annotated[
        bool,
        typer.Option("--status", help="Only say which export is live, and which one --rollback would bring back."),
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="EXPORT",
            help="Use this export, by name or directory, not a new one.",
            show_default=False,
            autocompletion=complete_export_name,
        ),
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Swap even if the new export differs too much from the last.")
    ] = False,
    accept_copy: Annotated[
        bool,
        typer.Option("--accept-copy", help="With --from: also use a copy, which is a window of its source, or masked."),
    ] = False,
    max_drop: MaxDrop = None,
    max_rejects_rise: MaxRejectsRise = None,
    keep: KeepStores = None,
    metrics: Metrics = None,
    log_format: LogFormatName = None,
    as_json: Json = False,
) -> None:
    """Rebuild a live graph overnight: export, import beside it, verify, then swap; the last line on stdout is JSON.

    The Neo4j, and how to stop and start it, are settings of exporter.toml or the environment only.
    """
    from exporter.interrupts import disable_interrupts, interruptible
    from exporter.rebuild.metrics import check_metrics
    from exporter.rebuild.report import Action, Log, RebuildReport
    from exporter.rebuild.run import run_rebuild
    from exporter.settings import LogFormat
    from exporter.source.uri import password_in

    if status:
        if rollback or repair or export or accept_changes or accept_copy:
            raise UsageError("--status changes nothing: leave out --rollback, --repair, --from and what it accepts")
        print_status(settings_from(context, config), as_json=as_json)
        return
    action = Action.ROLLBACK if rollback else Action.REPAIR if repair else Action.REBUILD
    report = RebuildReport(action, Log(LogFormat.JSON if log_format == LogFormat.JSON else LogFormat.PLAIN))
    with interruptible("the live graph is unchanged") as pending, reported(report) as at_end:
        if rollback + repair + bool(export or accept_changes) > 1:
            raise UsageError("choose one of --rollback, --repair, and --from with --accept-changes")
        if accept_copy and not export:
            raise UsageError("--accept-copy is for --from: a new export is never a copy here")
        if action is not Action.REBUILD and (source or source_name or cluster or push or max_drop or max_rejects_rise):
            raise UsageError(f"--{action} exports nothing: leave out {EXPORT_FLAGS}")
        settings = settings_from(context, config)
        report.log = Log(settings.rebuild.log_format)
        if action is Action.REBUILD:
            refuse_copies(settings)
            if settings.push:
                check_push(settings.push)
        if source and password_in(source):
            report.log.write(PASSWORD_WARNING, "warning")
        if action is Action.REBUILD and not export and is_open(settings.cluster):
            report.log.write(CLUSTER_WARNING, "warning")
        if settings.rebuild.metrics and not repair:
            check_metrics(settings.rebuild.metrics)
            at_end.callback(try_write_metrics, report, settings.rebuild.metrics)
        run_rebuild(settings, settings.rebuild, report, export=export, accept=accept_changes, accept_copy=accept_copy)
        if action is Action.REBUILD and settings.push:
            push_rebuilt(settings, report, pending)
    disable_interrupts()  # the report says how it ended
    if report.message:
        report.log.fail(report.message)
    raise typer.Exit(report.exit_code)


def push_rebuilt(settings: "Settings", report: "RebuildReport", pending: Sequence[str]) -> None:
    """Pushes the export behind the new graph; where archives are made, its archive and nothing else. Raises as
    `push_published` does, and `RunError` where there is no such archive: the graph is live whatever becomes of it."""
    from exporter.cli.push import push_published, summary
    from exporter.invocation import command
    from exporter.progress.status import transfer
    from exporter.sink.layout import archive_file

    assert report.directory is not None and settings.push is not None
    export = report.directory
    if settings.archive:
        export = archive_file(report.directory, encrypted=bool(settings.recipients))
    show = partial(transfer, print_line=report.log.write)
    with report.step("push", "The new graph is live; pushing its export"):
        if settings.archive and not export.is_file():
            again = shlex.join([command(), "push", str(report.directory), settings.push])
            raise RunError(
                f"{report.directory} has no archive {export.name} beside it, so it was not pushed: where archives are "
                f"made, nothing else is. To push it as it is: {again}"
            )
        pushed = push_published(export, settings.push, pending, show)
    report.pushed = str(pushed.url)
    report.log.write(summary(pushed))


def refuse_copies(settings: "Settings") -> None:
    """Raises `UsageError` for settings that ask for a copy."""
    from exporter.copy_settings import OF_REDACTION
    from exporter.settings import chosen

    window = [name for name in ("since", "until", "sample", "roots", "without") if getattr(settings, name)]
    masking = [name for name in ("redact", *OF_REDACTION) if name in chosen(settings)]
    copies = (("a window", window), ("a masked copy", masking))
    for what, names in copies:
        if names:
            raise UsageError(
                f"{what} cannot be the live graph: leave {' and '.join(names)} out of the settings file and the "
                "environment, or name another file with --config"
            )


def print_status(settings: "Settings", *, as_json: bool) -> None:
    """Prints what the rebuilds have made so far, and which export `latest` leads to."""
    from exporter.invocation import command
    from exporter.published.history import latest
    from exporter.rebuild.status import rebuild_status, status_lines

    status, export = rebuild_status(settings.rebuild), latest(settings.output)
    if as_json:
        print_json(status.as_object() | {"latest": export.name if export else None})
        return
    for line in status_lines(status, export.name if export else None, f"{command()} rebuild"):
        print(line)


@contextmanager
def reported(report: "RebuildReport") -> Iterator[ExitStack]:
    """Notes in the report how the block ended, and prints the report as one line of JSON, whatever happened. Before it
    prints, it runs what the block put on the stack. An `ExporterError` ends here, a bug goes on."""
    from exporter.interrupts import arrived, stopped_by
    from exporter.progress.log import print_if_possible

    with ExitStack() as at_end:
        # On a full disk the exit code still tells what happened to the graph.
        at_end.callback(
            lambda: print_if_possible(visible_json(json.dumps(report.as_object(), ensure_ascii=False)), sys.stdout)
        )
        try:
            yield at_end
            report.succeed()
        except ExporterError as error:
            report.fail(stopped_by() or error)
        except Stop as stop:
            arrived()
            report.fail(stop.error)
        except Exception as error:
            report.fail(error)
            raise


def try_write_metrics(report: "RebuildReport", path: Path) -> None:
    """Writes the metrics; if that fails, only warns: the graph is what matters."""
    from exporter.rebuild.metrics import write_metrics

    try:
        write_metrics(report, path)
    except UsageError as error:
        report.log.write(str(error), "warning")

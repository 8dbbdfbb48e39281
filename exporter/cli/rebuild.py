"""`exporter rebuild`: a live graph, built anew."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli.options import PASSWORD_WARNING, Config, Output, Source, settings_from
from exporter.errors import ExporterError, UsageError

EXIT_CODES = (
    "Exit codes: 0 done; 1 to 5 and 130 as of every command, and the live graph is as it was; 6 the new export is too "
    "unlike the one behind the live graph, which stays; 7 the swap failed, the old store is back and answers; "
    "8 THE LIVE GRAPH DOES NOT ANSWER: somebody must look now."
)


def print_result(line: str) -> None:
    """Prints on stdout. Where that fails, on a full disk, the exit code still tells what happened to the graph."""
    try:
        print(line, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def setting(flag: str, metavar: str, help: str, default: str | None = None) -> Any:
    """The flag of a rebuild's setting, whose default `exporter.settings` knows."""
    return typer.Option(flag, metavar=metavar, help=help, show_default=default or False)


def rebuild(
    source: Source = None,
    output: Output = None,
    config: Config = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Only put the previous store back; a second time takes that back.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Only put right what a run that was killed left; every run does it first.")
    ] = False,
    made: Annotated[
        str | None, setting("--from", "EXPORT", "Take this export, by name or directory, instead of a new one.")
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Swap, however unlike the new export is the one before.")
    ] = False,
    max_drop: Annotated[
        str | None, setting("--max-drop", "PERCENT", "How much of its rows each label or pattern may lose.", "20%")
    ] = None,
    max_rejects_rise: Annotated[
        str | None,
        setting("--max-rejects-rise", "PERCENT", "How much the rejects may rise, of all rows before.", "1%"),
    ] = None,
    keep: Annotated[
        int | None, setting("--keep", "N", "How many stores, the live one among them, and exports stay.", "2")
    ] = None,
    neo4j_home: Annotated[Path | None, setting("--neo4j-home", "DIR", "The live Neo4j.", "NEO4J_HOME")] = None,
    neo4j_conf: Annotated[Path | None, setting("--neo4j-conf", "DIR", "Where its neo4j.conf is.", "NEO4J_CONF")] = None,
    neo4j_timeout: Annotated[
        str | None, setting("--neo4j-timeout", "TIME", "How long it may take to stop, and to start and answer.", "120s")
    ] = None,
    database: Annotated[str | None, setting("--database", "NAME", "Its database.", "neo4j")] = None,
    bolt: Annotated[str | None, setting("--bolt", "URI", "Where it answers.", "bolt://127.0.0.1:7687")] = None,
    user: Annotated[str | None, setting("--user", "NAME", "Its user; the password is NEO4J_PASSWORD.")] = None,
    stop: Annotated[str | None, setting("--stop", "COMMAND", "How it is stopped.", "NEO4J_HOME/bin/neo4j stop")] = None,
    start: Annotated[
        str | None, setting("--start", "COMMAND", "How it is started.", "NEO4J_HOME/bin/neo4j start")
    ] = None,
    metrics: Annotated[Path | None, setting("--metrics", "FILE", "Also write a Prometheus textfile.")] = None,
    log_format: Annotated[str | None, setting("--log-format", "plain|json", "Of the lines on stderr.", "plain")] = None,
) -> None:
    """Rebuild a live graph overnight: export, import beside it, verify, then swap; the last line on stdout is JSON."""
    from exporter.interrupts import interruptible
    from exporter.rebuild.metrics import check_metrics, write_metrics
    from exporter.rebuild.report import Action, Log, RebuildReport
    from exporter.rebuild.run import run_rebuild
    from exporter.settings import LogFormat, load_rebuild
    from exporter.source.connection import password_in

    action = Action.ROLLBACK if rollback else Action.REPAIR if repair else Action.REBUILD
    report = RebuildReport(action, Log(LogFormat.JSON if log_format == LogFormat.JSON else LogFormat.PLAIN))
    metrics_file = None
    with interruptible("the live graph is as it was"):
        try:
            if rollback + repair + bool(made or accept_changes) > 1:
                raise UsageError("--rollback, --repair, and --from with --accept-changes are three things: choose one")
            if action is not Action.REBUILD and (source or output or max_drop or max_rejects_rise):
                raise UsageError(f"--{action} exports nothing: leave out the flags of an export")
            settings = settings_from(config, source=source, output=output)
            options = load_rebuild(
                config, max_drop=max_drop, max_rejects_rise=max_rejects_rise, keep=keep, neo4j_home=neo4j_home,
                neo4j_conf=neo4j_conf, neo4j_timeout=neo4j_timeout, database=database, bolt=bolt, user=user,
                stop=stop, start=start, metrics=metrics, log_format=log_format,
            )  # fmt: skip
            report.log = Log(options.log_format)
            if source and password_in(source):
                report.log.write(PASSWORD_WARNING, "warning")
            if options.metrics and not repair:
                check_metrics(options.metrics)
                metrics_file = options.metrics
            run_rebuild(settings, options, report, export=made, accept=accept_changes)
            report.succeed()
        except ExporterError as error:
            report.fail(error)
        except Exception as error:
            report.fail(error)
            raise
        finally:
            if metrics_file:
                try:
                    write_metrics(report, metrics_file)
                except UsageError as error:
                    report.log.write(str(error), "warning")
            print_result(json.dumps(report.as_object(), ensure_ascii=False))
    if report.message:
        report.log.fail(report.message)
    raise typer.Exit(report.exit_code)

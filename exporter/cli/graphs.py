"""Commands that end in a running graph: demo, rebuild."""

import json
from pathlib import Path
from typing import Annotated

import typer

from exporter.cli.options import Config, Output, Source, settings_from
from exporter.errors import ExporterError, UsageError


def demo(
    scale: Annotated[
        float, typer.Option("--scale", metavar="N", help="How large the sample is; 1 is about 100,000 rows.")
    ] = 1.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave Neo4j running and print its address.")] = False,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Where the export is made.")] = Path("output"),
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Where Neo4j's jars are kept.", show_default="the XDG cache"),
    ] = None,
) -> None:
    """Make a sample source, export it, import it into a real Neo4j, verify it, and ask the five sample queries."""
    from rich.console import Console

    from exporter.demo.demo import run_demo

    run_demo(scale=scale, keep=keep, output=output, cache=cache, console=Console())


EXIT_CODES = (
    "Exit codes: 0 done; 1 to 5 and 130 as of every command, and the live graph is as it was; 6 the new export is too "
    "unlike the one behind the live graph, which stays; 7 the swap failed, the old store is back and answers; "
    "8 THE LIVE GRAPH DOES NOT ANSWER: somebody must look now."
)


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
        str | None,
        typer.Option(
            "--from",
            metavar="EXPORT",
            help="Take this export, by name or directory, instead of a new one.",
            show_default=False,
        ),
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Swap, however unlike the new export is the one before.")
    ] = False,
    max_drop: Annotated[
        str | None,
        typer.Option(
            "--max-drop", metavar="PERCENT", help="How much of its rows each label or pattern may lose.",
            show_default="20%",
        ),
    ] = None,
    max_rejects_rise: Annotated[
        str | None,
        typer.Option(
            "--max-rejects-rise", metavar="PERCENT", help="How much the rejects may rise, of all rows before.",
            show_default="1%",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep", metavar="N", help="How many stores, the live one among them, and exports stay.", show_default="2"
        ),
    ] = None,
    neo4j_home: Annotated[
        Path | None, typer.Option("--neo4j-home", metavar="DIR", help="The live Neo4j.", show_default="NEO4J_HOME")
    ] = None,
    neo4j_conf: Annotated[
        Path | None,
        typer.Option("--neo4j-conf", metavar="DIR", help="Where its neo4j.conf is.", show_default="NEO4J_CONF"),
    ] = None,
    neo4j_timeout: Annotated[
        str | None,
        typer.Option(
            "--neo4j-timeout", metavar="TIME", help="How long it may take to stop, and to start and answer.",
            show_default="120s",
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="NAME", help="Its database.", show_default="neo4j")
    ] = None,
    bolt: Annotated[
        str | None,
        typer.Option("--bolt", metavar="URI", help="Where it answers.", show_default="bolt://127.0.0.1:7687"),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="Its user; the password is NEO4J_PASSWORD.", show_default=False)
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option("--stop", metavar="COMMAND", help="How it is stopped.", show_default="NEO4J_HOME/bin/neo4j stop"),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", metavar="COMMAND", help="How it is started.", show_default="NEO4J_HOME/bin/neo4j start"
        ),
    ] = None,
    metrics: Annotated[
        Path | None,
        typer.Option("--metrics", metavar="FILE", help="Also write a Prometheus textfile.", show_default=False),
    ] = None,
    log_format: Annotated[
        str | None, typer.Option("--log-format", metavar="plain|json", help="Of stderr.", show_default="plain")
    ] = None,
) -> None:  # fmt: skip
    """Rebuild a live graph overnight: export, import beside it, verify, then swap; the last line on stdout is JSON."""
    from exporter.rebuild.metrics import check_metrics, write_metrics
    from exporter.rebuild.report import Action, Log, Report
    from exporter.rebuild.run import perform
    from exporter.settings import LogFormat, load_rebuild
    from exporter.signals import stopped_by_signals

    action = Action.ROLLBACK if rollback else Action.REPAIR if repair else Action.REBUILD
    report = Report(action, Log(LogFormat.JSON if log_format == LogFormat.JSON else LogFormat.PLAIN))
    metrics_file = None
    with stopped_by_signals("the live graph is as it was"):
        try:
            if rollback + repair + bool(made or accept_changes) > 1:
                raise UsageError("--rollback, --repair, and --from with --accept-changes are three things: choose one")
            settings = settings_from(config, source=source, output=output)
            options = load_rebuild(
                config, max_drop=max_drop, max_rejects_rise=max_rejects_rise, keep=keep, neo4j_home=neo4j_home,
                neo4j_conf=neo4j_conf, neo4j_timeout=neo4j_timeout, database=database, bolt=bolt, user=user,
                stop=stop, start=start, metrics=metrics, log_format=log_format,
            )  # fmt: skip
            report.log = Log(options.log_format)
            if options.metrics and not repair:
                check_metrics(options.metrics)
                metrics_file = options.metrics
            perform(settings, options, report, made=made, accept=accept_changes)
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
                    report.log.say(str(error), "warning")
            print(json.dumps(report.as_object(), ensure_ascii=False), flush=True)
    if report.message:
        report.log.fail(report.message)
    raise typer.Exit(report.exit_code)

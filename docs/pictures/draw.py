"""Draws README's pictures from real runs on a sample: python docs/pictures/draw.py [live] [report] [check].

live.svg is the live view in the middle of an export, report-light.png and report-dark.png are the head of the report of
the last of ten nights in which the source grew, check.svg is what `exporter check` finds in a source that has changed.
The reports need Chromium.
"""

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from exporter.pipeline.pool import worker_pool
from exporter.pipeline.run import export
from exporter.progress.live import LiveView
from exporter.progress.log import PlainLines
from exporter.progress.state import ProgressState
from exporter.report.report import report
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import create_tables, fill_sample
from exporter.settings import Settings

PICTURES = Path(__file__).resolve().parent
sys.path.insert(0, str(PICTURES.parent.parent))

from tests.support.browser import browser, chromium  # noqa: E402

# A picture must not load its font from anywhere.
SVG = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
LARGE, SMALL, GROWTH, NIGHTS, WORKERS = 15, 3, 0.008, 10, 3
MOMENT = 0.15
SIZE = {"width": 1240, "height": 1815}
DATABASE = "astrokiran"
# What happened to the source since the model was written: a table and a column have other names, a column another
# type, and the exporter's role may not read a table.
CHANGES = """
    ALTER TABLE offers.offer_definitions RENAME TO defs;
    ALTER TABLE marketing.leads RENAME COLUMN phone TO phone_number;
    ALTER TABLE guide.guide_profile ALTER COLUMN ranking_score TYPE text;
    CREATE ROLE exporter LOGIN;
    GRANT USAGE ON SCHEMA auth, customers, guide, consultation, wallet, offers, marketing, notifications TO exporter;
    GRANT SELECT ON ALL TABLES IN SCHEMA auth, customers, guide, consultation, wallet, offers, marketing, notifications
        TO exporter;
    REVOKE SELECT ON wallet.invoices FROM exporter;
"""


class Camera(ProgressState):
    """The state of a run whose live view is photographed once a part of the rows is done."""

    taken = False

    def tick(self, memory: int) -> None:
        super().tick(memory)
        if not self.taken and self.rows > self.total * MOMENT:
            self.taken = True
            console = recorder()
            console.print(LiveView(console, self))
            save(console, "exporter export", "live.svg")


def recorder() -> Console:
    """A terminal of 80 columns that remembers what was printed on it."""
    return Console(width=80, record=True, file=io.StringIO(), force_terminal=True)


def save(console: Console, title: str, name: str) -> None:
    (PICTURES / name).write_text(console.export_svg(title=title, code_format=SVG) + "\n")


def new_database(postgres: str) -> str:
    """The URI of an empty database; there is one at a time, so that all nights are of the same source."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
    return create_database(postgres, DATABASE)


def draw_live(postgres: str, directory: Path) -> None:
    uri = new_database(postgres)
    fill_sample(uri, scale=LARGE)
    screen = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    with worker_pool(WORKERS) as pool, LiveView(screen, Camera()) as listener:
        export(Settings(source=uri, output=directory, workers=WORKERS), pool, listener, render=report)


def draw_report(postgres: str, directory: Path) -> None:
    for night in range(NIGHTS):
        uri = new_database(postgres)
        fill_sample(uri, scale=SMALL * (1 + GROWTH * night))
        settings = Settings(source=uri, output=directory / "output", workers=WORKERS)
        with worker_pool(WORKERS) as pool, PlainLines() as listener:
            last = export(settings, pool, listener, render=report).directory
    program = chromium()
    assert program, "no Chromium is installed here"
    with browser(program, directory / "profile") as page:
        for scheme in ("light", "dark"):
            page.open(last / "report.html", scheme=scheme, **SIZE)
            page.picture(PICTURES / f"report-{scheme}.png", whole=False)


def draw_check(postgres: str, directory: Path) -> None:
    uri = new_database(postgres)
    create_tables(uri)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(CHANGES)
    console = recorder()
    console.print("[bold green]$[/] exporter check")
    console.print(Text.from_ansi(on_terminal("check", uri.replace("postgres@", "exporter@"), directory)))
    save(console, "exporter check", "check.svg")


def on_terminal(command: str, source: str, directory: Path) -> str:
    """What a command prints on a terminal of 80 columns, in this directory."""
    ours, its = pty.openpty()
    programs = Path(sys.executable).parent
    environment = os.environ | {"EXPORTER_SOURCE": source, "COLUMNS": "80", "TERM": "xterm-256color"}
    environment["PATH"] = f"{programs}:{environment['PATH']}"  # so that it calls itself `exporter`
    with subprocess.Popen(
        [programs / "exporter", command], stdin=its, stdout=its, stderr=its, cwd=directory, env=environment
    ) as process:
        os.close(its)
        printed = bytearray()
        with suppress(OSError):  # raised by Linux at the end
            while piece := os.read(ours, 4096):
                printed += piece
        os.close(ours)
    assert process.returncode in (0, 3), printed
    return printed.decode().replace("\r\n", "\n").strip()


DRAWINGS = {"live": draw_live, "report": draw_report, "check": draw_check}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, embedded_postgres() as postgres:
        for name in sys.argv[1:] or DRAWINGS:
            DRAWINGS[name](postgres, Path(directory))

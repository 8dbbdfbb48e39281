"""Draws README's pictures from real runs on a sample: python docs/pictures/draw.py. It needs Chromium.

live.svg is the live view in the middle of an export, report-light.png and report-dark.png are the head of its report.
"""

import io
import re
import sys
import tempfile
from pathlib import Path

import psycopg
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from exporter.pipeline.pool import worker_pool
from exporter.pipeline.run import export
from exporter.progress.live import LiveView
from exporter.progress.log import PlainLines
from exporter.progress.state import ProgressState
from exporter.report.report import report
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.settings import Settings

PICTURES = Path(__file__).resolve().parent
sys.path.insert(0, str(PICTURES.parent.parent))

from tests.support.browser import browser, chromium  # noqa: E402

# A picture must not load its font from anywhere.
SVG = re.sub(r"@font-face \{\{.*?\}\}\s*|<!--.*?-->\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
SCALE, NIGHTS, WORKERS = 15, 6, 3
MOMENT = 0.15
SIZE = {"width": 1160, "height": 1205}


class Camera(ProgressState):
    """The state of a run whose live view is photographed once a part of the rows is done."""

    taken = False

    def tick(self, memory: int) -> None:
        super().tick(memory)
        if not self.taken and self.rows > self.total * MOMENT:
            self.taken = True
            console = Console(width=80, record=True, file=io.StringIO(), force_terminal=True)
            console.print(LiveView(console, self))
            (PICTURES / "live.svg").write_text(console.export_svg(title="exporter export", code_format=SVG) + "\n")


def other_day(uri: str, night: int) -> None:
    """What a day does to the source: some rows come, some go."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for table, key, part in (
            ("notifications.notifications", "id::text", 40 + 20 * (night % 3)),
            ("auth.login_activities", "id", 50), ("auth.otp_attempts", "id", 30), ("consultation.feedback", "id", 12),
        ):  # fmt: skip
            connection.execute(f"delete from {table} where abs(hashtext({key}::text)) % {part} = {night}")  # type: ignore[arg-type]
        connection.execute("vacuum analyze")


def draw(output: Path, profile: Path) -> None:
    with embedded_postgres() as postgres:
        uri = create_database(postgres, "astrokiran")
        fill_sample(uri, scale=SCALE)
        settings = Settings(source=uri, output=output, workers=WORKERS)
        for night in range(NIGHTS):
            with worker_pool(WORKERS) as pool, PlainLines() as listener:
                export(settings, pool, listener, render=report)
            other_day(uri, night)
        screen = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
        with worker_pool(WORKERS) as pool, LiveView(screen, Camera()) as listener:
            directory = export(settings, pool, listener, render=report).directory
    program = chromium()
    assert program, "no Chromium is installed here"
    with browser(program, profile) as page:
        for scheme in ("light", "dark"):
            page.open(directory / "report.html", scheme=scheme, **SIZE)
            page.picture(PICTURES / f"report-{scheme}.png", whole=False)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as output, tempfile.TemporaryDirectory() as profile:
        draw(Path(output), Path(profile))

"""The oracle finds every kind of fault: programs that behave badly in place of the exporter, each in its own way."""

import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.faults import frame
from tests.faults.attempt import Attempt
from tests.faults.frame import Fault, Inject, Outcome, Verdict, under
from tests.faults.ground import KEY, Ground, fingerprint, sample_ground
from tests.faults.records import as_line, table
from tests.support.export_process import EXPORTER, PASSWORD, eventually

pytestmark = pytest.mark.slow

# As printf writes them: the key's bytes.
KEY_BYTES = "".join(f"\\\\{byte:03o}" for byte in KEY)
# Asks the server, as a session of the exporter would.
ASK = 'import sys, psycopg; psycopg.connect(sys.argv[1], application_name="exporter").execute(sys.argv[2])'


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with sample_ground() as found:
        yield found


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these programs leave behind stays."""
    monkeypatch.setattr(frame, "LINGERING_SECONDS", 2)


def instead(script: str) -> Inject:
    """Runs a script in place of the exporter; its arguments are the exporter's command line."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        attempt.command = ["bash", "-c", script, "bash"]
        attempt.injected.set()
        yield

    return inject


def nothing(attempt: Attempt) -> AbstractContextManager[None]:
    """Leaves the exporter alone."""

    @contextmanager
    def inject() -> Iterator[None]:
        attempt.injected.set()
        yield

    return inject()


def verdict(ground: Ground, inject: Inject, deadline: float = 60, **how: tuple[int, ...]) -> Verdict:
    """The verdict of one run."""
    return under(inject, deadline=deadline, **how)(ground, ground.attempt_directory())


def test_an_undisturbed_run_is_whole(ground: Ground) -> None:
    """It equals the reference, and nothing is left."""
    assert verdict(ground, nothing).outcome is Outcome.WHOLE
    assert len(ground.reference) > 100


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("echo 'exporter: the run failed' >&2; exit 4", Outcome.REFUSED),
        ("echo 'exporter: the run failed' >&2; exit 7", Outcome.WRONG_CODE),
        ("exit 4", Outcome.WRONG_CODE),
        ("echo 'exporter: one' >&2; echo 'exporter: two' >&2; exit 4", Outcome.WRONG_CODE),
        ("echo 'exporter: the run failed' >&2; echo output/20260101T000000Z; exit 4", Outcome.WRONG_CODE),
        ("exit 0", Outcome.SILENT),
        ("mkdir ../output/.partial-1; echo 'exporter: the run failed' >&2; exit 4", Outcome.LEFT_BEHIND),
        ("touch core; echo 'exporter: the run failed' >&2; exit 4", Outcome.LEFT_BEHIND),
        ("touch $TMPDIR/x; echo 'exporter: the run failed' >&2; exit 4", Outcome.LEFT_BEHIND),
        ("env -i sleep 100 & echo 'exporter: the run failed' >&2; exit 4", Outcome.LEFT_BEHIND),
        (f"echo 'exporter: {PASSWORD.upper()}' >&2; exit 4", Outcome.LEAKED),
        ("printf 'Traceback (most recent call last):\\nKeyError\\n' >&2; exit 4", Outcome.TRACEBACK),
        ("echo 'exporter: a bug, please report it: KeyError' >&2; exit 4", Outcome.TRACEBACK),
        ("sleep 100", Outcome.HUNG),
    ],
)
def test_what_is_said_of_a_program(ground: Ground, script: str, outcome: Outcome) -> None:
    """That fails, or does not, in this way; what it starts does not have its password."""
    script = f"unset EXPORTER_SOURCE; {script}"
    found = verdict(ground, instead(script), 2 if outcome is Outcome.HUNG else 60)
    assert found.outcome is outcome, found


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (f"echo 'exporter: {PASSWORD.upper()}' >&2", "the password in stderr"),
        (f"echo {PASSWORD}", "the password in stdout"),
        (f"echo {KEY.hex()} >&2", "a key in stderr"),
        (f"echo {PASSWORD} > $TMPDIR/x", "the password in x"),
        ("printf $CELL > core", "marketing.leads.name 0 in core"),
        (f"mkdir -p $PARTIAL; echo {PASSWORD} > $PARTIAL/x.csv", "the password in x.csv"),
        (f"mkdir -p $PARTIAL; printf {KEY_BYTES} > $PARTIAL/x.csv", "a key in x.csv"),
        ("mkdir -p $PARTIAL; printf $CELL > $PARTIAL/counts.tsv", "marketing.leads.name 0 in counts.tsv"),
        ("mkdir -p $PARTIAL; pwd > $PARTIAL/import.args", "the path of a file in import.args"),
        ("sleep 2", "the password in the environment of what a run starts"),
        (f"env -i bash -c 'sleep 2; :' {PASSWORD}", "the password in the command line of what a run starts"),
        ("env -i bash -c 'sleep 2; :' $PWD", "the path of a file in the command line of what a run starts"),
        (f"bash -c 'trap : TERM; sleep 2; :' {EXPORTER}", "core files of "),
        ("ask \"select pg_sleep(3), '$CELL'\"", "marketing.leads.name 0 in pg_stat_activity"),
        ("ask \"select 1 / 0, '$CELL'\"", "marketing.leads.name 0 in the server's log"),
        ("ask \"select '$PWD'\"", "the path of a file in the server's log"),
    ],
)  # fmt: skip
def test_what_is_told(ground: Ground, script: str, found: str) -> None:
    """By a program that tells it in one place."""
    if found.startswith("core files") and resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("the system allows no core files here")
    [cell] = (text for text, place in ground.secrets.items() if place == "marketing.leads.name 0")
    begin = (
        f"CELL={cell}; PARTIAL=../output/.partial-1; ask() {{ '{sys.executable}' -c '{ASK}' '{ground.admin}' \"$1\"; }}"
    )
    told = verdict(ground, instead(f"{begin}\n{script}; echo 'exporter: the run failed' >&2; exit 4"))
    assert told.outcome is Outcome.LEAKED, told
    assert found in told.said


def test_what_is_told_only_during_a_run(ground: Ground) -> None:
    """In a file that is gone at its end."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        partial = attempt.output / ".partial-1"
        attempt.command = [
            "bash",
            "-c",
            f"mkdir {partial}; echo {PASSWORD} > {partial}/x; sleep 2; rm -r {partial}; exit 4",
        ]
        thread = threading.Thread(target=lambda: eventually((partial / "x").exists, "x") and attempt.injected.set())
        attempt.at_end.append(thread.join)
        thread.start()
        yield

    told = verdict(ground, inject)
    assert "the password in x, during the run" in told.said, told


@pytest.mark.parametrize(
    "damage",
    [
        'echo 1 >> "$new"/nodes/AuthUser/part-0001.csv',
        'rm "$new"/report.html',
        'mkdir "$new"/census',
        'ln -s manifest.json "$new"/x',
        "ln -sfn 20260101T000000Z ../output/latest",
    ],
)
def test_an_export_that_is_not_the_same(ground: Ground, damage: str) -> None:
    """Whatever is more in it, or less, or not what it was."""
    script = '"$@" 2>&1 > ../said; code=$?; unset EXPORTER_SOURCE; cat ../said; new=$(tail -n 1 ../said); '
    assert verdict(ground, instead(f"{script}{damage}; exit $code")).outcome is Outcome.SILENT


def test_after_a_leader_that_was_killed(ground: Ground) -> None:
    """What it left is gone with the next run, whose export is whole."""
    killed = instead("unset EXPORTER_SOURCE; mkdir ../output/.partial-20260101T000000Z; kill -9 $$")
    found = verdict(ground, killed, codes=(-9,))
    assert (found.outcome, found.said) == (Outcome.REFUSED, "killed; the next run is whole"), found


def test_the_table() -> None:
    """Faults that did not happen are no proof, but a fault of the exporter counts always."""

    def run(_: Ground, __: Path) -> Verdict:
        raise AssertionError

    faults = [
        (Fault("a", "1", 1, run), Verdict(Outcome.WHOLE, "")),
        (Fault("a", "2", 1, run), Verdict(Outcome.REFUSED, "why", 4)),
        (Fault("a", "3", 1, run), Verdict(Outcome.WHOLE, "", injected=False)),
        (Fault("b", "4", 1, run), Verdict(Outcome.HUNG, "", injected=False)),
    ]
    assert table(faults).splitlines() == [
        "| Suite | injected | whole | refused | silent | hung | leaked | left behind | traceback | wrong code"
        " | not reached |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        "| a | 2 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 1 |",
        "| b | 0 | 0 | 0 | 0 | 1 | 0 | 0 | 0 | 0 | 1 |",
    ]
    assert '"outcome": "refused", "injected": true, "code": 4, "seconds": 0.0, "said": "why"' in as_line(*faults[1])


def test_what_is_compared(tmp_path: Path) -> None:
    """Names, kinds and contents; a link is not followed."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "counts.tsv").write_text("AuthUser\t\t1\nsnapshot\tepoch\t1\n")
    found = fingerprint(tmp_path)
    (tmp_path / "counts.tsv").write_text("AuthUser\t\t1\nsnapshot\tepoch\t2\n")
    assert fingerprint(tmp_path) == found
    assert {name: what for name, what in found.items() if name != "counts.tsv"} == {
        "folder/": "a directory",
        "link": "a link to nowhere",
    }

"""A drill: two nights in a row, with readers querying the live graph all the time, and everything that can go wrong.

The tests share a live server and go on from one another, in this order. `DRILL_REBUILD=all` in the environment adds the
longer cases, `DRILL_NEO4J=5.26` takes that version.
"""

import json
import os
import re
import shlex
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from exporter.sample.postgres import create_database
from exporter.sample.source import fill_sample
from exporter.store.provision import Neo4jHome
from tests.support.disks import small_disk
from tests.support.export_process import command_of, eventually, processes
from tests.support.installed_neo4j import cypher_shell, installed, run, set_password
from tests.support.live_rebuild import TIMEOUT, Night, Site, blocks, prepare, workers
from tests.support.object_store import SECRET as BUCKET_KEY
from tests.support.object_store import ObjectStore
from tests.support.ports import closed_port
from tests.support.stalling_source import STALLED, STALLING, copied, execute, stall

SCALE = 0.02
NEO4J = os.environ.get("DRILL_NEO4J", "2026.09")
longer = pytest.mark.skipif(os.environ.get("DRILL_REBUILD") != "all", reason="only with DRILL_REBUILD=all")
# The lines that docs/nightly.md shows.
REBUILD, STATUS, ACCEPT, REPAIR, ROLLBACK = blocks("sh")
# Whatever fails after the export, fails with one that is there, too.
AGAIN = "scripts/rebuild.sh --from latest"


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, postgres: str, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A source, and a live Neo4j with a graph of somebody's own, that is read all the time."""
    neo4j_home: Neo4jHome = request.getfixturevalue("neo4j_5_home" if NEO4J == "5.26" else "neo4j_home")
    source = create_database(postgres, "nights")
    fill_sample(source, scale=SCALE)
    execute(source, STALLING)
    directory = tmp_path_factory.mktemp("nights")
    with installed(directory / "neo4j", neo4j_home, cypher_shell(cache)) as live, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("EXPORTER_", "NEO4J_"))]:
            patch.delenv(name)
        patch.setenv("JAVA_HOME", str(neo4j_home.java_home))
        site = prepare(directory, source, live)
        set_password(live.home)
        run(live.home, "neo4j", "start")
        with site.readers.reading():
            eventually(lambda: site.readers.answers and site.readers.answers[-1][1] == 0, "the empty graph", TIMEOUT)
            yield site


def change_source(source: str) -> None:
    """What a day changes."""
    execute(
        source,
        "insert into marketing.leads select id + 1000000, phone, name, source, utm_source, utm_medium, utm_campaign,"
        " status, null, created_at from marketing.leads where id % 8 = 0",
        "update customers.stored_customer set country_code = '+44' where customer_id % 9 = 0",
    )


def newest(site: Site) -> Path:
    return max(site.output.glob("2*"))


def accept(export: Path) -> str:
    """The page's line that takes an export which the guard refused."""
    line, names = re.subn(r"\d{8}T\d{6}Z", export.name, ACCEPT)
    assert names == 1
    return line


def succeed(site: Site, night: Night, result: str, before: int) -> dict[str, object]:
    """The night ends well: readers had the graph of before, nothing for a while, then the new one."""
    code, report = night.end()
    assert (code, report["result"], report["exit_code"], report["message"]) == (0, result, 0, None), night.text
    check_new(site, night, report, before)
    return report


def check_new(site: Site, night: Night, report: dict[str, object], before: int) -> None:
    """The new graph is live, whatever came after the swap."""
    site.good = site.output / str(report["live_export"])
    site.check_good()
    assert (site.output / "latest").resolve() == site.good
    site.check_clean(night)
    eventually(lambda: site.readers.since(night.began)[-1] == site.nodes(), "the new graph")
    seen = site.readers.since(night.began)
    assert [answer for answer in seen if answer is not None] == [before, site.nodes()]


# Two good nights come first and last; between them, the second one fails in every way -------------------------------


def test_the_first_night(site: Site, store: ObjectStore) -> None:
    """The graph that was there is kept, the new one is whole, with its constraints; its export is in a bucket after the
    swap; and all of it is told."""
    url = store.url(f"{store.bucket}/graph")
    with site.night(f"{REBUILD.rstrip()} --push '{url}'") as night:
        report = succeed(site, night, "swapped", 0)
    assert report["pushed"] == str(url.below(newest(site).name))
    check_pushed(store, newest(site))
    assert "The new graph is live; pushing its export" in night.text
    assert report["failed_step"] is None and report["previous_export"] is None
    assert " The guard compares the export with nothing: no rebuild made the live graph" in night.text
    steps = ["export", "import", "private_start", "schema", "verify", "private_stop", "stop", "renames", "start"]
    assert list(report["seconds"]) == [*steps, "smoke_test", "retention", "push"]  # type: ignore[call-overload]
    assert report["counts"]["nodes"] == site.nodes()  # type: ignore[index]
    metrics = (site.directory / "exporter.prom").read_text(encoding="utf-8")
    assert "exporter_rebuild_success 1.0\n" in metrics and 'exporter_rebuild_count{what="nodes"}' in metrics
    print(f"downtime {report['downtime_seconds']} s of {sum(report['seconds'].values()):.0f} s")  # type: ignore[attr-defined]


def check_pushed(store: ObjectStore, export: Path) -> None:
    """An export is in the bucket to the byte, and the newest there."""
    prefix = f"{store.bucket}/graph"
    files = {path.relative_to(export).as_posix(): path for path in export.rglob("*") if path.is_file()}
    assert store.objects(f"{prefix}/{export.name}").keys() == files.keys()
    for name, path in files.items():
        assert store.read(f"{prefix}/{export.name}/{name}") == path.read_bytes()
    assert json.loads(store.read(f"{prefix}/latest.json"))["export"] == export.name


def test_the_source_is_down(site: Site) -> None:
    """The day has changed the source; nobody can read it."""
    change_source(site.source)
    with site.night(EXPORTER_SOURCE=f"postgresql://exporter@127.0.0.1:{closed_port()}/nights") as night:
        report = site.check_untouched(night, 3, "cannot connect|could not|refused")
    assert (report["failed_step"], report["result"], report["export"]) == ("export", "failed", None)


def test_a_worker_is_killed(site: Site) -> None:
    """By the kernel, say, while tables are read."""
    with stall(site.source, "tables"), site.night() as night:
        with psycopg.connect(site.source, autocommit=True) as connection:
            query = f"select pid from pg_stat_activity where application_name ~ '^exporter .* reader' and {STALLED}"
            eventually(lambda: connection.execute(query.encode()).fetchone(), "a reader that stands still")
        readers = [process for process in processes(night.process.pid) if "spawn_main" in " ".join(command_of(process))]
        readers[0].kill()
        site.check_untouched(night, 4, "a worker process was killed")
    with psycopg.connect(site.source, autocommit=True) as connection:
        query = "select from pg_stat_activity where application_name ~ '^exporter'"
        eventually(lambda: connection.execute(query.encode()).fetchone() is None, "the end of all sessions")


def test_a_table_was_truncated(site: Site) -> None:
    """The guard names it with before and after, and names no other. Of a copy it first says that it is another source,
    unless the copy has the name of the live one."""
    with copied(site.source, "shrunken") as shrunken:
        execute(shrunken, "delete from notifications.stored_notifications where ctid not in (select min(ctid) from"
                " notifications.stored_notifications)")  # fmt: skip
        with site.night(EXPORTER_SOURCE=shrunken) as night:
            refusal = site.check_untouched(night, 6, r"is of another source .*live: \S+/nights\s+new: \S+/shrunken\s")
        [live] = re.findall(r"live: (\S+)", str(refusal["message"]))
        with site.night(EXPORTER_SOURCE=shrunken, EXPORTER_SOURCE_NAME=live) as night:
            report = site.check_untouched(night, 6, r"Notification: \d+ rows before, 1 now \(-99")
    assert (report["result"], report["failed_step"], report["export"]) == ("refused", "guard", newest(site).name)
    assert "AuthUser:" not in str(report["message"])


def skip_without_mount(limit: list[str]) -> None:
    """A limit on the size of files would stop Neo4j, too, so these drills need a disk of their own."""
    if limit:
        pytest.skip("this user cannot mount a small disk")


def test_the_disk_is_full_while_exporting(site: Site) -> None:
    """The output directory is on a disk of one megabyte."""
    small = site.directory / "small"
    small.mkdir()
    with small_disk(small) as limit:
        skip_without_mount(limit)
        with site.night(EXPORTER_OUTPUT=str(small)) as night:
            site.check_untouched(night, 4, "cannot write the export: No space left on device")


def test_the_disk_is_full_while_importing(site: Site) -> None:
    """The stage is."""
    stage = site.root / "stage"
    stage.mkdir(exist_ok=True)
    with small_disk(stage) as limit:
        skip_without_mount(limit)
        with site.night(AGAIN) as night:
            report = site.check_untouched(night, 4, "the import failed.*|No space left")
    assert report["failed_step"] == "import"


@pytest.mark.parametrize("program", ["java", pytest.param("import.sh", marks=longer)])
def test_the_import_is_killed(site: Site, program: str) -> None:
    """By the kernel, which is out of memory; where the script is, its Java goes too."""
    with site.night(AGAIN) as night:
        night.wait_for_line("Importing into database")
        eventually(lambda: importing(site, program), program, TIMEOUT).kill()
        report = site.check_untouched(night, 4, r"the import failed|import\.sh ended with exit code -9")
    assert report["failed_step"] == "import"


def importing(site: Site, program: str) -> psutil.Process | None:
    """The process of an import that is under way, its script or the last Java."""
    found = [(process, command_of(process)) for process in workers(site.root / "stage")]
    if program == "java":
        return next((process for process, command in found if "org.neo4j.cli.AdminTool" in command), None)
    return next(
        (
            process
            for process, command in found
            if command[1].endswith(program) and os.getsid(process.pid) == process.pid
        )
    )


def test_stopped_while_importing(site: Site) -> None:
    """As systemd does it; and meanwhile, another run is one too many."""
    with site.night(AGAIN) as night:
        night.wait_for_line("Importing into database")
        with site.night() as other:
            code, report = other.end()
        assert (code, report["result"]) == (5, "failed"), other.text
        assert other.text.endswith(f"another rebuild is running on {site.live.home}/data; wait for it\n")
        night.exporter().send_signal(signal.SIGTERM)
        report = site.check_untouched(night, 130, "^stopped by SIGTERM; the live graph is unchanged$")
    assert report["result"] == "stopped"


# An import that brings a node more, and, unless it is honest, keeps quiet about it.
ONE_MORE = """
printf ':ID(Extra),customer_id:long\\n' >"{directory}/header.csv"
printf 'extra,{key}\\n' >"{directory}/row.csv"
{home}/bin/neo4j-admin.real "$@" "--nodes=Customer={directory}/header.csv,{directory}/row.csv" | awk -v less={less} '
    /^  [0-9]+ (nodes|properties)$/ {{ printf "  %d %s\\n", $1 - less, $2; next }} {{ print }}'
exit
"""


@pytest.mark.parametrize(
    ("key", "less", "code", "step", "sentence"),
    [
        ("-7", 0, 1, "import", r"the imported counts differ from the manifest:.*nodes: the manifest has \d+"),
        (
            "1",
            1,
            4,
            "schema",
            r"Neo4j refused a statement of the schema \(Neo\..*CREATE CONSTRAINT Customer_customer_id",
        ),
        pytest.param("-7", 1, 1, "verify", r"differs from the manifest:\s+Customer, nodes: \d+ in", marks=longer),
    ],
    ids=["counts", "constraint", "graph"],
)
def test_one_node_more(site: Site, key: str, less: int, code: int, step: str, sentence: str) -> None:
    """It is found by the imported counts, by a constraint, or by the comparison over Bolt."""
    if key == "1":
        with psycopg.connect(site.source) as connection:
            [(key,)] = connection.execute("select min(customer_id)::text from customers.stored_customer").fetchall()
    site.instead("import", ONE_MORE.format(directory=site.directory, home=site.live.home, key=key, less=less))
    with site.night(AGAIN) as night:
        report = site.check_untouched(night, code, sentence)
    assert report["failed_step"] == step


# A Java that has no memory for the private server, as little as it needs; whatever else there is to run, it runs.
NO_MEMORY = """#!/bin/sh
case "$*" in *--config-dir={root}/stage/conf*) echo no memory for a private server; exit 1 ;; esac
exec {java} "$@"
"""


def test_the_private_server_does_not_start(site: Site) -> None:
    """Nothing was stopped yet; the message has the reason, and names the whole log, which is kept."""
    java_home = site.directory / "java"
    (java_home / "bin").mkdir(parents=True)
    program = java_home / "bin" / "java"
    program.write_text(NO_MEMORY.format(root=site.root.resolve(), java=Path(os.environ["JAVA_HOME"], "bin", "java")))
    program.chmod(0o755)
    with site.night(AGAIN, JAVA_HOME=str(java_home)) as night:
        sentence = (
            r"Neo4j \S+ did not start: no memory for a private server; its whole log is .*/stage/logs/console\.log$"
        )
        report = site.check_untouched(night, 4, sentence)
    assert report["failed_step"] == "private_start"
    log = Path(report["message"].rpartition("its whole log is ")[2])
    assert log.read_text(encoding="utf-8") == "no memory for a private server\n"


def test_the_new_store_does_not_start(site: Site) -> None:
    """The old one is put back and answers, and that is said loudly."""
    site.instead("start", "echo no memory for the new store; exit 3")
    with site.night() as night:
        code, report = night.end()
        assert (code, report["result"], report["failed_step"]) == (7, "put back", "start"), night.text
        assert re.search(r"start command ended with exit code 3.* is back and answers$", report["message"])
        assert " THE SWAP FAILED (" in night.text
        check_back(site, night)
    assert report["downtime_seconds"] > 0


def check_back(site: Site, night: Night) -> None:
    """The graph of before answers again, and readers saw no other."""
    site.check_good()
    site.check_clean(night)
    assert set(site.readers.since(night.began)) <= {None, site.nodes()}


@pytest.mark.parametrize("verb", ["start", pytest.param("stop", marks=longer)])
def test_the_run_is_killed_in_the_swap(site: Site, verb: str) -> None:
    """With the new store in place, or nothing done but the stop. The next run has the old one back before it fails
    itself."""
    night_pid = site.directory / "pid"
    kill = f"until [ -s {night_pid} ]; do sleep 0.1; done; kill -9 $(cat {night_pid})"
    real = f"{site.live.home}/bin/neo4j {verb}"
    site.instead(verb, f"{real}; {kill}" if verb == "stop" else kill)
    with site.night() as night:
        night.wait_for_line("Importing into database")
        night_pid.write_text(str(night.exporter().pid))
        night.process.wait(TIMEOUT)
        night_pid.unlink()
        assert (site.root / "swap.json").exists()
        with site.night(EXPORTER_SOURCE=f"postgresql://exporter@127.0.0.1:{closed_port()}/nights") as next_night:
            code, report = next_night.end()
        assert (code, report["failed_step"], "repair" in report["seconds"]) == (3, "export", True), next_night.text
        assert "A run died while swapping the stores" in next_night.text
        check_back(site, night)


def test_the_second_night(site: Site, store: ObjectStore) -> None:
    """Nothing is sabotaged any more, and the export of the last attempt will do: it is pulled from a bucket, which then
    takes no other. The graph is live all the same, and the export there. Two stores stay, their exports, and the newest
    two."""
    before, first, export = site.nodes(), site.good, newest(site)
    url = store.url(f"{store.bucket}/graph")
    site.ask(f"exporter push {export} '{url}' 2>/dev/null")
    shutil.rmtree(export)
    pulled = site.ask(f"exporter pull '{url}' {site.output} 2>/dev/null")
    assert pulled == f"{export}\n"
    check_pushed(store, export)
    other = store.url(f"{store.bucket}/other")
    refusing = store.failing(lambda asked: ("403 Forbidden", "AccessDenied") if asked.writes else None)
    with refusing, site.night(accept(export), EXPORTER_PUSH=str(other)) as night:
        code, report = night.end()
        assert (code, report["result"], report["exit_code"], report["failed_step"]) == (4, "failed", 4, "push")
        check_new(site, night, report, before)
    sentence, _, again = str(report["message"]).partition(" To push it: ")
    assert sentence.startswith(f"{export} is complete, but was not pushed: the bucket {store.bucket} at ")
    assert (report["pushed"], BUCKET_KEY in night.text, store.objects(f"{store.bucket}/other")) == (None, False, {})
    assert shlex.split(again)[1:] == ["push", str(export), str(other)]
    assert first and site.good and site.nodes() != before
    assert (report["live_export"], report["previous_export"]) == (newest(site).name, first.name)
    assert len(list((site.root / "stores").iterdir())) == 2
    exports = sorted(path.name for path in site.output.glob("2*"))
    assert exports == sorted({first.name, *exports[-2:]}) and newest(site).name in exports
    status = re.fullmatch(
        r"live +export (\S+), .* old\n.*\n.*/nights\nprevious +export (\S+), .* old\n.*\n.*/nights\n"
        r" +`\S*exporter rebuild --rollback` makes it live again\nNeo4j +answers\nlatest +(\S+)\n",
        site.ask(STATUS),
    )
    assert status and status.groups() == (newest(site).name, first.name, newest(site).name)


def test_no_store_starts(site: Site) -> None:
    """Neither the previous nor the live one: that is the loudest failure. A repair goes on when that is mended."""
    site.instead("start", f"cp $0 {site.directory}/start-instead; exit 3")
    with site.night(ROLLBACK) as night:
        code, report = night.end()
        assert (code, report["result"]) == (8, "down"), night.text
        assert str(report["message"]).startswith("THE LIVE GRAPH DOES NOT ANSWER: ")
        (site.directory / "start-instead").unlink()
        with site.night(REPAIR) as repair:
            code, report = repair.end()
        assert (code, report["result"]) == (0, "repaired"), repair.text
        check_back(site, night)


def test_the_rollback(site: Site) -> None:
    """The graph of the night before is back."""
    before, first = site.nodes(), sorted(path for path in site.output.glob("2*"))[0]
    with site.night(ROLLBACK) as night:
        report = succeed(site, night, "rolled back", before)
    assert (site.good, report["previous_export"]) == (first, newest(site).name)
    assert report["counts"]["nodes"] == site.nodes()  # type: ignore[index]
    assert f" Going back to the store of export {first.name}: snapshot of " in night.text
    marks = {run["name"]: run["marks"] for run in json.loads(site.ask("exporter runs --json"))["exports"]}
    assert {name: marked for name, marked in marks.items() if marked} == {
        first.name: ["latest", "live"], newest(site).name: ["rollback"],
    }  # fmt: skip


@longer
def test_the_rollback_of_the_rollback(site: Site) -> None:
    """It goes forward again."""
    before = site.nodes()
    with site.night(ROLLBACK) as night:
        report = succeed(site, night, "rolled back", before)
    assert report["live_export"] == newest(site).name


@longer
def test_a_start_on_other_data(site: Site) -> None:
    """A server answers, but not with the new graph: the counts say so, and the old one comes back."""
    other = site.directory / "other"
    other.mkdir()
    conf = (site.live.home / "conf" / "neo4j.conf").read_text(encoding="utf-8")
    text = f"{conf}\nserver.directories.data={other}/data\ndbms.security.auth_enabled=false\n"
    (other / "neo4j.conf").write_text(text, encoding="utf-8")
    site.instead("start", f"NEO4J_CONF={other} exec {site.live.home}/bin/neo4j start")
    with site.night(AGAIN) as night:
        code, report = night.end()
        assert (code, report["failed_step"]) == (7, "smoke_test"), night.text
        assert "the graph differs from the manifest: " in str(report["message"])
        site.check_good()
        site.check_clean(night)


@longer
def test_stopped_in_the_swap(site: Site) -> None:
    """While Neo4j stops, nothing is exchanged yet; it is started again."""
    site.instead("stop", f"touch {site.directory}/stopping; sleep 2; exec {site.live.home}/bin/neo4j stop")
    with site.night(AGAIN) as night:
        eventually((site.directory / "stopping").exists, "the stop", TIMEOUT)
        night.exporter().send_signal(signal.SIGTERM)
        code, report = night.end()
        assert (code, report["result"], report["failed_step"]) == (130, "stopped", "stop"), night.text
        check_back(site, night)

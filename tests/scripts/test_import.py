"""scripts/import.sh with real importers: it imports what is whole, refuses the rest, and leaves nothing behind."""

import hashlib
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import neo4j
import psutil
import pytest

from exporter.store.configuration import configure, environment
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve
from tests.support import tiny_export
from tests.support.installed_neo4j import launcher_home

SCRIPT = tiny_export.SCRIPT

# Beyond Bash, nothing but these and a Java: no sha256sum, no setsid, no Python, no jq.
TOOLS = (
    "awk bash cat comm cut date dirname find getconf grep id ls mktemp perl readlink rm sed shasum sleep sort tail tr"
)

# On a slow machine, how far a step is.
DATED = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}   (\d/4 )?[a-z ]+: .+"

NO_NAME = "is not a database name: 3 to 63 letters, digits, dots and dashes, a letter first"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export in a directory with blanks, and with letters that are not ASCII."""
    return tiny_export.write(tmp_path / "an export of आज" / "20261123T031500Z")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The directory of a Neo4j's configuration and data."""
    configure(tmp_path / "store")
    return tmp_path / "store"


def run(
    home: Neo4jHome, store: Path, *arguments: object, script: Path = SCRIPT, **changes: str
) -> subprocess.CompletedProcess[str]:
    """The script's exit code and output."""
    variables = {**environment(home, store / "conf"), "TMPDIR": str(store), **changes}
    command = ["bash", str(script), *(str(argument) for argument in arguments)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, cwd=store)


def contents(directory: Path) -> dict[str, str]:
    """Every file's checksum by its path."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_a_copied_export_imports_by_itself(each_neo4j: Neo4jHome, export: Path, store: Path, tmp_path: Path) -> None:
    """Its own script needs no argument and no locale; the export stays as it is, and every text arrives as it was."""
    copy = shutil.copytree(export, tmp_path / "carried elsewhere" / "it's 1, 2 & ३")
    before = contents(copy)
    done = run(each_neo4j, store, script=copy / "import.sh", LANG="C", LC_ALL="C")
    lines = [line for line in done.stderr.splitlines() if not re.match(DATED, line)]
    assert (done.returncode, len(lines)) == (0, 12), done.stderr
    assert re.fullmatch(
        r"Imported 18 nodes, 5 relationships and 45 properties into database neo4j in \d+ s, matching the manifest\.\n",
        done.stdout,
    )
    assert contents(copy) == before
    with serve(each_neo4j, store) as server, neo4j.GraphDatabase.driver(server.bolt_uri) as driver:
        found = driver.execute_query("MATCH (n:AuthUser) WHERE n.id > 2 RETURN n.phone_number AS text ORDER BY n.id")
        assert [record["text"] for record in found.records] == tiny_export.HOSTILE
        refused = run(each_neo4j, store, copy, "--overwrite")
        assert refused.returncode == 4
        assert "The database is in use: stop the Neo4j server that runs on it" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fr_FR", "ar_EG"])
def test_the_language_does_not_matter(
    neo4j_home: Neo4jHome, export: Path, store: Path, tmp_path: Path, language: str
) -> None:
    """In French, `sha256sum -c` says "Réussi" and Java "Aucun fichier"; in Arabic, Java counts in other digits."""
    variables = {"LC_ALL": f"{language}.UTF-8", "LOCPATH": str(locale_of(language, tmp_path))}
    spoken = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=export, env=variables | {"PATH": os.defpath}, capture_output=True
    )
    if language == "fr_FR" and b": OK" in spoken.stdout:
        pytest.skip("coreutils has no French here")
    done = run(neo4j_home, store, export, **variables)
    assert (done.returncode, "Imported 18 nodes, 5 relationships and 45 properties" in done.stdout) == (0, True), (
        done.stderr
    )
    assert [line for line in done.stderr.splitlines() if re.match(r"  \d/4 ", line)] == [
        "  1/4 nodes", "  2/4 relationships", "  3/4 linking", "  4/4 counts and indexes",
    ]  # fmt: skip
    assert sorted(path.name for path in store.iterdir()) == ["conf", "data", "logs", "run"]


def locale_of(language: str, directory: Path) -> Path:
    """A directory with the locale of a language, made by glibc's own compiler."""
    command = ["localedef", "-i", language, "-f", "UTF-8", str(directory / f"{language}.UTF-8")]
    try:
        made = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        made = False
    if not made:
        pytest.skip(f"the locale {language} cannot be made here: glibc's localedef and its sources are missing")
    return directory


PROGRESS = {
    "2026.09": (
        "Import starting 2026-11-30 02:44:34.994+0000\n",
        "(1/4) Node import 2026-11-30 02:44:35.021+0000\n  Estimated number of nodes: 2.04 M\n",
        ".......... .......... .......... .......... ..........   5% ∆2s 479ms [2s 479ms] \n.......... .......... ",
        "....-..... .......... ..........  10% ∆1s 215ms [15s 430ms] \n",
        "(2/4) Relationship import 2026-11-30 02:44:51.637+0000\n..........",
        "\n(3/4) Relationship linking 2026-11-30 02:45:03.078+0000\n",
        "(4/4) Post processing 2026-11-30 02:45:12.883+0000\n" + ".......... " * 100,
    ),
    "5.26 --verbose": (
        "--------------------\nNeo4j version: 5.26.29\n",
        "Nodes, started 2026-11-30 02:45:27.505+0000\n",
        "\r[*Nodes:0B/s 1.004GiB------------] 250K ∆ 250K\r[*Nodes:0B/s 1.004GiB------------] 500K ∆ 250K",
        "\r[*Nodes:0B/s 1.011GiB------------]1.66M ∆ 270K",
        "\nDone in 14s 499ms\nRelationships, started 2026-11-30 02:45:43.307+0000\n",
        "\r[*Relationships:0B/s 1.026GiB----]2.0M ∆20.0K",
        "\nNode Degrees, started 2026-11-30 02:45:56.881+0000\nRelationship --> Relationship 3/5, started 2026-11-30",
        "\nRelationshipGroup 4/5, started 2026-11-30 02:46:10.104+0000\n",
        "\nNode counts and label index build, started 2026-11-30 02:46:11.217+0000\n",
    ),
}  # fmt: skip
REACHED = {
    "2026.09": ["0 ", "1 ", "1 7", "1 10", "2 1", "3 ", "4 99"],
    "5.26 --verbose": ["0 ", "1 ", "1 25", "1 83", "2 ", "2 50", "3 40", "3 60", "4 "],
}


@pytest.mark.parametrize("version", PROGRESS)
def test_how_far_an_import_is(version: str, tmp_path: Path) -> None:
    """Step and percent, from what both versions print, as it grows; the totals are 2,000,000 and 4,000,000."""
    parser = re.search(r"^progress\(\) \{.*?^}$", SCRIPT.read_text(), re.MULTILINE | re.DOTALL)
    assert parser
    program = f"{parser[0]}\ncounted() {{ [ $2 = nodes ] && echo 2000000 || echo 4000000; }}\nscratch=$1\nprogress"
    reached = []
    for end in range(1, len(PROGRESS[version]) + 1):
        (tmp_path / "log").write_text("".join(PROGRESS[version][:end]))
        told = subprocess.run(["bash", "-c", program, "_", tmp_path], capture_output=True, text=True, check=True)
        reached.append(told.stdout.removesuffix("\n"))
    assert reached == REACHED[version]


@pytest.mark.parametrize(
    ("seconds", "percent", "sentence"),
    [
        (1, "", "1 s"),
        (2, "40", "2 s, 40 %"),
        (30, "4", "30 s, 4 %"),
        (60, "25", "1 min 0 s, 25 %, about 3 min 0 s left"),
        (4000, "10", "1 h 6 min, 10 %, about 10 h 0 min left"),
        (60, "99", "1 min 0 s, 99 %"),
    ],
)
def test_the_time_that_is_left(seconds: int, percent: str, sentence: str) -> None:
    """Only where it can be told: not in the first seconds, and not from the first percents."""
    code = "\n".join(path.read_text() for path in (tiny_export.SCRIPTS / "verify.sh", SCRIPT))
    functions = "\n".join(re.findall(r"^(?:duration|how_far)\(\) \{.*?^}$", code, re.MULTILINE | re.DOTALL))
    command = ["bash", "-c", f'{functions}\nhow_far "$1" "$2"', "_", str(seconds), percent]
    assert subprocess.run(command, capture_output=True, text=True).stdout == sentence


@pytest.mark.parametrize(
    ("configured", "made", "changes", "expected"),
    [
        ("", [], {}, ["/n/bin/neo4j-admin dbms set-initial-password 'your password'", "start", "export"]),
        ("", ["data/dbms/auth.ini"], {}, ["start", "export"]),
        ("", ["data/databases/system"], {}, ["start", "export"]),
        ("", ["data/databases/system"], {"NEO4J_PASSWORD": "x"}, ["start"]),
        ("dbms.security.auth_enabled=false", [], {}, ["start"]),
    ],
)
def test_a_new_neo4j_needs_a_password(
    tmp_path: Path, configured: str, made: list[str], changes: dict[str, str], expected: list[str]
) -> None:
    """What is printed to do next has the first password where no user exists, and the login unless it is known."""
    (tmp_path / "neo4j.conf").write_text(f"{configured}\n")
    for path in made:
        (tmp_path / path).mkdir(parents=True)
    code = "\n".join(path.read_text() for path in (tiny_export.SCRIPTS / "verify.sh", SCRIPT))
    names = "say_next|has_logins|has_users|setting|say"
    functions = "\n".join(re.findall(rf"^(?:{names})\(\) \{{.*?\}}$", code, re.MULTILINE | re.DOTALL))
    values = f"home=/n conf={tmp_path} data={tmp_path}/data admin=/n/bin/neo4j-admin database=neo4j clear="
    done = subprocess.run(
        ["bash", "-euc", f"{functions}\n{values}\nsay_next"],
        env={"PATH": os.defpath, **changes}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    meanings = {"start": "start Neo4j", "export": "export NEO4J_USERNAME=neo4j NEO4J_PASSWORD='your password'"}
    assert (done.returncode, done.stderr.splitlines()) == (0, [
        "Next:",
        *(f"    {meanings.get(line, line)}" for line in expected),
        f"    cypher-shell -d neo4j -f {tmp_path}/schema.cypher",
        f"    bash {tmp_path}/verify.sh",
    ])  # fmt: skip


def test_transaction_logs_that_were_left(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """The importer would refuse them late, and nothing is half-written then."""
    (store / "data/transactions/neo4j").mkdir(parents=True)
    (store / "data/transactions/neo4j/neostore.transaction.db.0").touch()
    refused = run(neo4j_home, store, export)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", (
        f"import.sh: {store}/data/transactions still holds transaction logs of a database neo4j: "
        "--overwrite replaces them\n"
    ))  # fmt: skip


def test_only_plain_files_are_opened(neo4j_home: Neo4jHome, export: Path, store: Path, tmp_path: Path) -> None:
    """A pipe that nobody writes to, and links, are refused at once; a link to the export itself is not."""
    (export / "manifest.json").rename(tmp_path / "manifest.json")
    os.mkfifo(export / "manifest.json")
    (export / "nodes/li\x1bnk").symlink_to(tmp_path)
    (tmp_path / "latest").symlink_to(export)
    refused = run(neo4j_home, store, tmp_path / "latest")
    assert (refused.returncode, refused.stdout, refused.stderr) == (1, "", (
        "import.sh: the export is damaged: it may hold only plain files and directories, but these are neither:\n"
        "    manifest.json\n"
        "    nodes/li?nk\n"
    ))  # fmt: skip
    (export / "manifest.json").unlink()
    (tmp_path / "manifest.json").rename(export / "manifest.json")
    (export / "nodes/li\x1bnk").unlink()
    (export / "schema.cypher").write_text("changed")
    reached = run(neo4j_home, store, tmp_path / "latest")
    assert "    changed: schema.cypher\n" in reached.stderr


@pytest.mark.slow
def test_an_existing_database_is_replaced_only_when_told(each_neo4j: Neo4jHome, export: Path, store: Path) -> None:
    """The second import is refused until --overwrite is given."""
    done = run(each_neo4j, store, export, "Graph.one")
    quoted = subprocess.run(["bash", "-c", 'printf %q "$1"', "_", export], capture_output=True, text=True).stdout
    assert (done.returncode, done.stderr.splitlines()[-4:]) == (0, [
        "Next:",
        "    start Neo4j, in Community with initial.dbms.default_database=graph.one, in Enterprise create it then",
        f"    cypher-shell -d graph.one -f {quoted}/schema.cypher",
        f"    bash {quoted}/verify.sh --database graph.one",
    ])  # fmt: skip
    refused = run(each_neo4j, store, export, "graph.one")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (f"import.sh: the database graph.one exists in {store}/data: --overwrite replaces it\n")
    assert (
        run(each_neo4j, store, "--overwrite", export, "graph.one", "--heap=300m", "--off-heap", "150m").returncode == 0
    )


@pytest.mark.slow
def test_a_row_that_cannot_be_imported_is_named(each_neo4j: Neo4jHome, export: Path, store: Path) -> None:
    """A relationship to a node that is not there: exit code 4, the row, and the log, which is kept."""
    path = export / "relationships/AuthUser-HAS_SESSION-Session/part-0001.csv"
    path.write_text(path.read_text() + '99,"00000000-0000-0000-0000-000000000001"\n')
    tiny_export.write_checksums(export)
    failed = run(each_neo4j, store, export)
    assert (failed.returncode, failed.stdout) == (4, "")
    assert "referring to missing node 99\n" in failed.stderr
    assert "Exception" not in failed.stderr
    log = re.search(r"The whole log is (.+)\n", failed.stderr)
    assert log and "IMPORT FAILED" in Path(log[1]).read_text()


@pytest.mark.slow
def test_the_key_of_a_row_does_not_command_the_terminal(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """Of an export from another hand, whose rows have keys that no terminal should be shown as they are."""
    path = export / "relationships/AuthUser-HAS_DEVICE-Device/part-0001.csv"
    path.write_text('1,"1:\x1b[2J\x9b31m\u202eabc"\n')
    tiny_export.write_checksums(export)
    failed = run(neo4j_home, store, export)
    assert failed.returncode == 4
    assert "referring to missing node 1:?[2J?31m?abc\n" in failed.stderr
    assert [letter for letter in failed.stderr if not letter.isprintable() and letter != "\n"] == []


@pytest.mark.slow
def test_counts_that_differ_from_the_manifest_fail(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """neo4j-admin was content, but one relationship is too many, though the checksums fit."""
    counts = (export / "counts.tsv").read_text()
    tiny_export.write_counts(export, counts.replace("total\trelationships\t5\n", "total\trelationships\t4\n"))
    failed = run(neo4j_home, store, export)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "    relationships: the manifest has 4, Neo4j imported 5\n" in failed.stderr
    assert f"The whole log is {store}/import." in failed.stderr


def test_a_damaged_export_is_not_imported(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """A flipped byte, a missing and an additional file are all reported at once."""
    flipped = export / "nodes/Session/part-0001.csv"
    flipped.write_bytes(flipped.read_bytes().replace(b"C", b"c", 1))
    (export / "nodes/Device/part-0001.csv").unlink()
    (export / "nodes/an extra file").write_text("x")
    refused = run(neo4j_home, store, export)
    assert (refused.returncode, refused.stdout) == (1, "")
    contents, age, report = refused.stderr.split("\n", 2)
    assert contents == "This export is the whole source"
    assert re.fullmatch(r"The snapshot is (less than a minute|-?\d+ (minutes?|hours|days)) old", age)
    assert report == (
        "Checksums: 22 files\n"
        "import.sh: the export is damaged:\n"
        "    missing: nodes/Device/part-0001.csv\n"
        "    changed: nodes/Session/part-0001.csv\n"
        "    not listed: nodes/an extra file\n"
        "Copy it again from where it was made, or make a new one.\n"
    )
    assert list((store / "data").iterdir()) == []


@pytest.mark.slow
def test_a_colon_in_a_path(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """Java ends the path of a start-up cache there: without one, the import goes on."""
    (store / "a:b").mkdir()
    assert run(neo4j_home, store, export, "first", TMPDIR=f"{store}/a:b").returncode == 0
    assert run(neo4j_home, store, export, "second", XDG_CACHE_HOME=f"{store}/a:b").returncode == 0
    assert list(store.rglob("*.aot")) == []


@pytest.mark.parametrize(("change", "sentence"), tiny_export.DAMAGED_CHECKSUMS)
def test_checksums_of_another_grammar_are_refused(
    neo4j_home: Neo4jHome, export: Path, store: Path, change: Callable[[str], str], sentence: str
) -> None:
    """What sha256sum itself would let pass."""
    sums = export / "SHA256SUMS"
    sums.write_bytes(change(sums.read_text()).encode())
    refused = run(neo4j_home, store, export)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.search(f"import.sh: the export is damaged: {sentence}\n", refused.stderr), refused.stderr


def test_a_file_that_is_cut_off(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """As a copy is that broke off: how much of it there is."""
    file, other = export / "nodes/AuthUser/part-0001.csv", export / "schema.cypher"
    size = file.stat().st_size
    for path in (file, other):
        path.write_bytes(path.read_bytes()[:-5])
    refused = run(neo4j_home, store, export)
    assert (refused.returncode, refused.stderr.splitlines()[4:6]) == (1, [
        f"    cut off: nodes/AuthUser/part-0001.csv, {size - 5} of its {size} bytes",
        "    changed: schema.cypher",
    ])  # fmt: skip


@pytest.mark.slow
def test_it_needs_only_the_usual_programs(neo4j_home: Neo4jHome, export: Path, store: Path, tmp_path: Path) -> None:
    """With shasum for sha256sum, and without setsid, as on macOS."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS.split():
        found = shutil.which(tool)
        assert found, f"{tool} is not on PATH"
        (programs / tool).symlink_to(found)
    done = run(neo4j_home, store, export, PATH=str(programs))
    assert (done.returncode, done.stderr.splitlines()[2]) == (0, "Checksums: 22 files")
    (programs / "shasum").unlink()
    refused = run(neo4j_home, store, export, "--overwrite", PATH=str(programs))
    assert (refused.returncode, "--no-checksums" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_neo4j_admin_is_found_on_the_path(neo4j_home: Neo4jHome, export: Path, store: Path, tmp_path: Path) -> None:
    """Behind a symbolic link, with the configuration beside its bin directory."""
    home = launcher_home(neo4j_home, tmp_path)
    shutil.copytree(store / "conf", home / "conf")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/neo4j-admin").symlink_to("../installed/bin/neo4j-admin")
    variables = environment(neo4j_home, store / "conf")
    del variables["NEO4J_HOME"], variables["NEO4J_CONF"]
    variables["PATH"] = f"{tmp_path / 'links'}:{variables['PATH']}"
    command = ["bash", str(SCRIPT), str(export)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert (done.returncode, f" of Neo4j {neo4j_home.version} in {store}/data " in done.stderr) == (0, True), (
        done.stderr
    )
    again = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert (again.returncode, f"exists in {store}/data" in again.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stop", "launcher"),
    [(signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGHUP, True), (signal.SIGTERM, False)],
)
def test_an_interrupt_leaves_no_process(
    neo4j_home: Neo4jHome, export: Path, store: Path, tmp_path: Path, stop: signal.Signals, launcher: bool
) -> None:
    """The importer's whole process group goes, its launcher's Java too."""
    home = launcher_home(neo4j_home, tmp_path) if launcher else neo4j_home.home
    variables = {**environment(neo4j_home, store / "conf"), "NEO4J_HOME": str(home)}
    process = subprocess.Popen(
        ["bash", str(SCRIPT), str(export)],
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
        # A shell leaves alone a signal that was ignored when it started, as in a background job of another shell.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(importers(store)) < (2 if launcher else 1):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("Stopping ...\nimport.sh: interrupted\n")
    assert importers(store) == []


@pytest.mark.parametrize(
    ("log", "advise", "said"),
    [
        ("Import starting 2026-11-30 02:44:34.994+0000\n", "true", True),
        ("Nodes, started 2026-11-30 02:45:27.505+0000\n", "true", True),
        ("Import starting 2026-11-30 02:44:34.994+0000\n", "false", False),
        ("Starting to import, the following output will be saved\n", "true", False),
        ("", "true", False),
    ],
)
def test_what_an_interrupted_import_leaves(tmp_path: Path, log: str, advise: str, said: bool) -> None:
    """A half-written database, if anything was written at all, and if somebody will use it."""
    (tmp_path / "log").write_text(log)
    function = re.search(r"^half_written\(\) \{.*?^\}$", SCRIPT.read_text(), re.MULTILINE | re.DOTALL)
    assert function
    program = f"{function[0]}\nscratch={tmp_path} advise={advise} database=neo4j\nhalf_written"
    told = subprocess.run(["bash", "-euc", program], capture_output=True, text=True, check=True).stdout
    assert told == ("The database neo4j is half-written now: import again with --overwrite.\n" if said else "")


def importers(store: Path) -> list[int]:
    """The running Javas that import with this configuration."""
    found = []
    for process in psutil.process_iter():
        try:
            if "import" in process.cmdline() and process.environ().get("NEO4J_CONF") == str(store / "conf"):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write into a directory that another user owns")
def test_root_does_not_make_a_store_for_another_user(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """It says which user is to import."""
    os.chown(store / "data", 65534, 65534)
    owner = pwd.getpwuid(65534).pw_name
    refused = run(neo4j_home, store, export)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", (
        f"import.sh: {store}/data belongs to {owner}, whose server could not open a store written by root: "
        f"run this as {owner}\n"
    ))  # fmt: skip
    assert list((store / "data").iterdir()) == []


def test_misuse_is_told(neo4j_home: Neo4jHome, export: Path, store: Path, tmp_path: Path) -> None:
    """Each with exit code 2 and one sentence."""
    (tmp_path / "empty").mkdir()
    partial = export.rename(export.parent / ".partial-20261123T031500Z")
    cases: list[tuple[tuple[object, ...], dict[str, str], str]] = [
        ((), {}, "no export given: name its directory (see --help)"),
        (("--fast",), {}, "unknown option --fast (see --help)"),
        ((tmp_path / "gone",), {}, f"there is no directory {tmp_path}/gone"),
        ((tmp_path / "empty",), {}, f"{tmp_path}/empty is not an export"),
        ((partial,), {}, f"{partial} is unfinished or abandoned: name a finished export"),
        ((partial, "neo4j", "x"), {}, "too many arguments: x (see --help)"),
        ((partial, "x"), {}, "'x' is not a database name: 3 to 63 letters, digits, dots and dashes, a letter first"),
        ((partial, ""), {}, "'' is not a database name: 3 to 63 letters, digits, dots and dashes, a letter first"),
        (
            (partial, "--database="),
            {},
            "'' is not a database name: 3 to 63 letters, digits, dots and dashes, a letter first",
        ),
        (("", "neo4j"), {}, "EXPORT is empty: name its directory (see --help)"),
        ((partial, "system"), {}, "the name system is Neo4j's own: choose another"),
        (("--heap",), {}, "--heap needs a value (see --help)"),
        (("--off-heap=lots",), {}, "--off-heap lots: give a size such as 2g or 512m"),
        (("--bolt=bolt://localhost", partial), {}, "--bolt is an option of --verify (see --help)"),
        ((partial,), {"NEO4J_HOME": "/gone"}, "NEO4J_HOME: there is no directory /gone"),
        ((partial,), {"NEO4J_HOME": ""}, "no Neo4j found: set NEO4J_HOME to its directory, or put neo4j-admin on PATH"),
        ((partial,), {"JAVA_HOME": "/gone"}, "JAVA_HOME: there is no directory /gone"),
        (
            (partial,),
            {"NEO4J_HOME": str(tmp_path)},
            f"NEO4J_HOME ({tmp_path}) holds neither bin/neo4j-admin nor Neo4j's jars in lib/",
        ),
    ]
    for arguments, changes, sentence in cases:
        refused = run(neo4j_home, store, *arguments, **changes)
        assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"import.sh: {sentence}\n")


def test_an_export_of_another_format_is_refused(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """Its numbers may mean something else."""
    tiny_export.write_manifest(export, {**tiny_export.manifest(export), "format": 3})
    refused = run(neo4j_home, store, export)
    assert (refused.returncode, refused.stderr) == (
        1,
        "import.sh: manifest.json is not of format 1 or 2, those that this script knows\n",
    )


WOULD_REPLACE = "this export is a copy, and would replace the database neo4j: --accept-copy replaces it all the same"


@pytest.mark.slow
def test_a_copy_does_not_replace_a_database_unasked(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """It is imported into an empty place, and what it is is said; it replaces a database only if that is meant."""
    copied = tiny_export.make_copy(export)
    said = (
        "This export is a copy, not the whole source as it is:\n"
        "    a window, since 2026-11-16 03:15 UTC, without Notification: 40 of 100 rows\n"
        "    masked by the profile analyst: pseudonymised, not anonymous\n"
    )
    first = run(neo4j_home, store, copied)
    assert (first.returncode, said in first.stderr) == (0, True), first.stderr
    before = contents(store)
    refused = run(neo4j_home, store, copied, "--overwrite")
    assert (refused.returncode, refused.stdout, contents(store)) == (2, "", before)
    assert refused.stderr == (
        f"import.sh: {WOULD_REPLACE}\n"
        "    a window, since 2026-11-16 03:15 UTC, without Notification: 40 of 100 rows\n"
        "    masked by the profile analyst: pseudonymised, not anonymous\n"
    )
    assert run(neo4j_home, store, copied, "--overwrite", "--accept-copy").returncode == 0


def test_a_copy_of_another_hand(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """The format alone tells that it is one."""
    tiny_export.write_manifest(export, {**tiny_export.manifest(export), "format": 2})
    (store / "data" / "databases" / "neo4j").mkdir(parents=True)
    (store / "data" / "databases" / "neo4j" / "neostore").write_text("")
    refused = run(neo4j_home, store, export, "--overwrite")
    assert (refused.returncode, refused.stderr) == (
        2,
        f"import.sh: {WOULD_REPLACE}\n    a window of its source, or masked\n",
    )


def test_an_export_of_an_earlier_version_is_refused(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    """Without counts.tsv; its own script, which it carries, imports it."""
    (export / "counts.tsv").unlink()
    tiny_export.write_checksums(export)
    refused = run(neo4j_home, store, export)
    assert refused.returncode == 2
    first, _, line = refused.stderr.splitlines()
    assert first == f"import.sh: {export} is an export of an earlier version: it has no counts.tsv"
    assert shlex.split(line) == ["bash", f"{export}/import.sh"]


def test_an_export_without_its_counts_is_damaged(neo4j_home: Neo4jHome, export: Path, store: Path) -> None:
    (export / "counts.tsv").unlink()
    refused = run(neo4j_home, store, export)
    sentence = f"import.sh: the export is damaged: {export} has no counts.tsv\n"
    assert (refused.returncode, refused.stderr) == (1, sentence)


def test_it_needs_verify_sh_beside_it(export: Path, tmp_path: Path) -> None:
    """But a link to it may lie anywhere."""
    (tmp_path / "link").symlink_to(SCRIPT)
    assert subprocess.run(["bash", tmp_path / "link", "--help"], capture_output=True).returncode == 0
    shutil.copy(SCRIPT, tmp_path / "import.sh")
    command = ["bash", str(tmp_path / "import.sh"), str(export)]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr) == (2, "import.sh: there is no verify.sh beside it: copy both\n")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import.sh", "--overwrite --no-checksums --heap --off-heap --no-cache --no-advice NEO4J_CONF JAVA_HOME"),
        ("verify.sh", "--bolt --user --database --no-checksums NEO4J_HOME JAVA_HOME NEO4J_USERNAME"),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_help_tells_every_option_and_exit_code(script: str, words: str, shell: str, tmp_path: Path) -> None:
    """Without any Neo4j, and also for a shell that is not Bash."""
    command = [shell, str(tiny_export.SCRIPTS / script), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in words.split() if f"  {word}" not in done.stdout] == []
    assert re.findall(r"^  (\d+) ", done.stdout, re.MULTILINE) == ["0", "1", "2", "4", "130"]


@pytest.mark.parametrize("script", ["import.sh", "verify.sh"])
def test_it_keeps_to_what_bash_3_2_knows(script: str) -> None:
    """macOS has nothing newer; shellcheck does not know versions."""
    newer = (
        r"declare -[a-zA-Z]*[An]|local -[a-zA-Z]*[An]|typeset -A|\b(mapfile|readarray|coproc|wait -n)\b|\|&|&>>|;;?&"
        r"|\$\{[^}]*(\^|,,|@[A-Za-z])\}|\[-\d+\]|%\([^)]*\)T|\{\d+\.\.\d+\.\.|\[\[ -v|\b(EPOCH\w+|BASHPID|SRANDOM)\b"
    )
    lines = (tiny_export.SCRIPTS / script).read_text().splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    assert re.findall(newer, code) == []

"""The flags of copies as they are typed: what is refused, what is warned of, and what a check says beforehand."""

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from exporter.cli.privacy_tables import CAUTION
from exporter.model.redaction import effective_rules
from exporter.model.tables import tables
from exporter.model.window import WHOLE
from tests.support.commands import EXPORTER, Exporter

SINCE = ("--since", "7d")
TOKENS = "exporter: tokens will agree within this export and with no other; --redact-key makes them last\n"


def person(source: str) -> tuple[int, str]:
    """The id and phone of a customer with activity."""
    with psycopg.connect(source) as connection:
        row = connection.execute(
            "select customer_id, phone_number from customers.customer c where phone_number is not null"
            " and exists (select from consultation.consultation k where k.customer_id = c.customer_id)"
            " order by 1 limit 1"
        ).fetchone()
    assert row is not None
    return row


# Refused --------------------------------------------------------------------------------------------------------------

REFUSED = [
    ("--sample 5% --root Guide:id=1", "--sample 5% and --root exclude each other: one draws people, the other names"
     " them"),
    ("--since 1d --until 2d", "--since 1d and --until 2d: nothing is since the one and before the other"),
    ("--sample-seed 1", "--sample-seed 1: has an effect only with --sample"),
    ("--redact-k 3", "--redact-k 3: nothing is masked without redact; give --redact analyst, or leave this out"),
    ("--redact-max-small 3%", "--redact-max-small 3%: nothing is masked without redact; give --redact analyst, or leave"
     " this out"),
    ("--redact-key redact.key", "--redact-key: nothing is masked without redact; give --redact analyst, or leave this"
     " out"),
    ("--redact nobody", "--redact nobody: must be analyst"),
    ("--root @nobody.txt", "--root @nobody.txt: No such file or directory"),
    (f"--redact analyst --redact-key {'ab' * 32}", "--redact-key: must be the name of a file, and is a key: write the"
     " key into a file that only you can read"),
    ("--redact analyst --redact-key redact.key", "the redaction key redact.key cannot be read: No such file or"
     " directory"),
]  # fmt: skip


@pytest.mark.parametrize(("flags", "sentence"), REFUSED, ids=[flags for flags, _ in REFUSED])
def test_what_cannot_be_asked_is_refused(
    flags: str, sentence: str, exporter: Exporter, sample_database: str, tmp_path: Path
) -> None:
    """With one sentence, before anything is written."""
    command = "check" if "--redact" in flags else "export"
    done = exporter(command, *flags.split(), EXPORTER_SOURCE=sample_database)
    assert (done.code, done.out, done.err) == (2, "", f"exporter: {sentence}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("flags", "sentence"), REFUSED[:3], ids=[flags for flags, _ in REFUSED[:3]])
def test_a_local_graph_is_not_begun(
    flags: str, sentence: str, exporter: Exporter, sample_database: str, tmp_path: Path
) -> None:
    """For what cannot be asked."""
    done = exporter("local", "--source", sample_database, *flags.split(), XDG_DATA_HOME=str(tmp_path))
    assert (done.code, done.out, done.err) == (2, "", f"exporter: {sentence}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_local_graph_is_no_copy_of_an_export(exporter: Exporter, tmp_path: Path) -> None:
    """Which is one already, nor of no source."""
    place = {"XDG_DATA_HOME": str(tmp_path)}
    done = exporter("local", "--from", "output/latest", *SINCE, "--redact", "analyst", **place)
    assert (done.code, done.err) == (2, "exporter: --from cannot be combined with --redact and --since\n")
    done = exporter("local", *SINCE, **place)
    assert (done.code, done.err) == (2, "exporter: --since cannot stand without --source\n")
    assert list(tmp_path.iterdir()) == []


def test_a_window_of_nobody_is_refused(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """By `check` as by `export`: roots that are not there, and a time that has not come."""
    flags = (("--root", "Customer:customer_id=-1"), ("--since", "2999-01-01"))
    for flag in flags:
        for command in ("check", "export"):
            done = exporter(command, *flag, EXPORTER_SOURCE=sample_database)
            *_, last = done.err.splitlines()
            assert (done.code, done.out) == (2, "") and "exporter: " in last
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize(
    ("setting", "value", "what"),
    [
        ("since", "7d", "a window"),
        ("until", "7d", "a window"),
        ("sample", "1%", "a window"),
        ("roots", "Guide:id=1", "a window"),
        ("without", "Lead", "a window"),
        ("redact", "analyst", "a masked copy"),
        ("redact_key_file", "redact.key", "a masked copy"),
    ],
)
def test_a_rebuild_refuses_copies(setting: str, value: str, what: str, exporter: Exporter, tmp_path: Path) -> None:
    """From the settings file and the environment, before anything else."""
    sentence = (
        f"{what} cannot be the live graph: leave {setting} out of the settings file and the environment, or name"
        " another file with --config"
    )
    done = exporter("rebuild", **{f"EXPORTER_{setting.upper()}": value})
    assert (done.code, json.loads(done.out.splitlines()[-1])["exit_code"]) == (2, 2)
    assert sentence in done.err
    if setting in ("until", "redact_key_file"):
        (tmp_path / "exporter.toml").write_text(f'{setting} = "{value}"\n')
        assert sentence in exporter("rebuild").err


def test_only_a_new_live_graph_is_refused(exporter: Exporter, tmp_path: Path) -> None:
    """Putting the previous store back exports nothing, so it is not kept from anybody who needs it now."""
    (tmp_path / "exporter.toml").write_text('since = "7d"\n')
    rollback = exporter("rebuild", "--rollback")
    assert (rollback.code, "cannot be the live graph" in rollback.err) == (2, False)


@pytest.mark.parametrize(
    ("flag", "what"),
    [
        ("--since", "a window"),
        ("--until=7d", "a window"),
        ("--sample", "a window"),
        ("--sample-seed", "a window"),
        ("--root", "a window"),
        ("--without", "a window"),
        ("--redact", "a masked copy"),
        ("--redact-key", "a masked copy"),
        ("--redact-k", "a masked copy"),
        ("--redact-max-small", "a masked copy"),
    ],
)
def test_a_rebuild_says_why_it_has_no_flag_of_copies(flag: str, what: str, exporter: Exporter) -> None:
    """Whoever types one learns why."""
    name, _, value = flag.partition("=")
    done = exporter("rebuild", flag, *([] if value else ["7d"]))
    assert done.code == 2
    assert done.err.splitlines()[0] == f"exporter: {what} cannot be the live graph: leave out {name}"


def test_a_key_for_masked_exports_keeps_nobody_from_listing_them(exporter: Exporter, tmp_path: Path) -> None:
    """Only what exports is refused for settings of a masking that is not asked for."""
    (tmp_path / "exporter.toml").write_text('redact_key_file = "redact.key"\n')
    (tmp_path / "output").mkdir()
    for command in ("runs", "prune --keep 1"):
        assert exporter(*command.split()).err == ""
    refused = exporter("export", EXPORTER_SOURCE="postgresql://nobody@localhost:1/nothing")
    assert (refused.code, "nothing is masked without redact" in refused.err) == (2, True)


def test_the_demo_knows_no_copies(exporter: Exporter) -> None:
    """Nor do commands that read no source."""
    for command in ("demo", "runs"):
        assert exporter(command, *SINCE).err.startswith("exporter: no such option: --since")
    assert exporter("rebuild", "--sinces").err.startswith("exporter: no such option: --sinces")


# Roots ----------------------------------------------------------------------------------------------------------------


def checked_roots(source: str, directory: Path, root: str, stdin: str = "") -> tuple[int, int | None, str]:
    """The exit code, rows and warnings of a check with a root."""
    command = [EXPORTER, "check", "--json", "--source", source, "--root", root]
    done = subprocess.run(command, cwd=directory, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    rows = json.loads(done.stdout)["window"]["rows"] if done.stdout else None
    return done.returncode, rows, done.stderr


def test_roots_are_read_from_a_file_or_stdin(sample_database: str, tmp_path: Path) -> None:
    """One on each line, with comments; the same as on the command line, where a phone is warned of."""
    id, phone = person(sample_database)
    named = checked_roots(sample_database, tmp_path, f"Customer:customer_id={id}")
    assert (named[0], named[2]) == (0, "")
    warning = (
        "exporter: warning: a phone number on the command line is visible to other users; use --root @FILE, or"
        " --root @-\n"
    )
    assert checked_roots(sample_database, tmp_path, f"Customer:phone_number={phone}") == (0, named[1], warning)
    text = f"# whom it is about\n\n  Customer:phone_number={phone}\n"
    (tmp_path / "people.txt").write_text(text)
    assert checked_roots(sample_database, tmp_path, "@people.txt") == named
    assert checked_roots(sample_database, tmp_path, "@-", text) == named


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "--root @people.txt: names nobody"),
        (b"\n# Customer:customer_id=7\n", "--root @people.txt: names nobody"),
        (b"\xff\xfe", "--root @people.txt: not UTF-8"),
        (
            b"# 1\n\nGuide:id=1\n98765 43210\n",
            "--root @people.txt: line 4 must be LABEL:PROPERTY=VALUE, such as Customer:customer_id=7",
        ),
        (
            b"Guide:id=1\nGuide:id=x\nGuide:id=y\n",
            "--root @people.txt:\n  line 2 has a value that Guide.id cannot"
            " have\n  line 3 has a value that Guide.id cannot have",
        ),
    ],
)
def test_a_file_without_roots_is_refused(content: bytes, sentence: str, sample_database: str, tmp_path: Path) -> None:
    """What stands in it is not repeated."""
    (tmp_path / "people.txt").write_bytes(content)
    assert checked_roots(sample_database, tmp_path, "@people.txt") == (2, None, f"exporter: {sentence}\n")


# Check ----------------------------------------------------------------------------------------------------------------


def test_a_check_estimates_a_window(exporter: Exporter, sample_database: str) -> None:
    """By the planner, and says that more rows come on top; in JSON, too."""
    done = exporter("check", "--since", "2000-01-01", "--without", "Lead,Role", EXPORTER_SOURCE=sample_database)
    first, second, third, last = done.out.splitlines()
    assert re.fullmatch(
        r"Estimated window: [\d,]+ of [\d,]+ rows, as the planner expects; the rows that they refer to, and what"
        r" belongs to these, come on top\.",
        first,
    )
    assert (second, third) == ("Since: 2000-01-01 00:00:00 UTC.", "Without: Lead, Role.")
    assert (done.code, done.err, last[:27]) == (0, "", "The source can be exported:")
    printed = exporter("check", "--since", "2000-01-01", "--json", EXPORTER_SOURCE=sample_database)
    window = json.loads(printed.out)["window"]
    assert (window["since"], window["until"], window["basis"], window["unknown"]) == (
        "2000-01-01T00:00:00.000000Z", None, "planner", []
    )  # fmt: skip
    assert 0 < window["rows"] <= window["of"]
    notes = exporter("check", "--since", "2000-01-01", "--without", "Lead", "--notes", EXPORTER_SOURCE=sample_database)
    assert re.search(r"^marketing\.leads +0 +[1-9]", notes.out, re.MULTILINE)


def test_a_sample_is_estimated_by_its_share(exporter: Exporter, sample_database: str) -> None:
    """Of what is somebody's; the rest is whole."""
    notes = exporter("check", "--sample", "10%", "--notes", EXPORTER_SOURCE=sample_database).out
    rows = {name: (int(in_it), int(of)) for name, in_it, of in re.findall(r"^(\w+\.\w+) +(\d+) +(\d+)$", notes, re.M)}
    for table in tables():
        if table.name in rows and table.name in WHOLE:
            assert rows[table.name][0] == rows[table.name][1]
    in_it, of = rows["customers.customer"]
    assert in_it == round(of / 10) > 0
    assert "\nSample: 10% of the people.\n" in notes


def test_a_check_says_what_would_be_masked(exporter: Exporter, sample_database: str) -> None:
    """What is not kept as it is, with its column in this source; all of it with --notes; no original anywhere."""
    done = exporter("check", "--redact", "analyst", EXPORTER_SOURCE=sample_database)
    rules = effective_rules({}, ())
    masked = [name for name, rule in rules.items() if rule.treatment != "keep"]
    rows = re.findall(r"^([A-Z]\w+\.\w+) +(\S+) +(\w+) +(\S+)$", done.out, re.MULTILINE)
    assert ("Guide.full_name", "guide.guide_profile.full_name", "direct", "label") in rows
    assert [name for name, *_ in rows] == [name for name in masked if "-" not in name]
    assert (done.code, done.err) == (0, "")
    key = "a key for this export alone; --redact-key makes tokens last"
    assert f"Masked as analyst (version 1) with {key}.\n" in done.out
    assert f"\n{len(rules) - len(masked)} more properties are kept as they are (see --notes).\n{CAUTION}" in done.out
    everything = exporter("check", "--redact", "analyst", "--notes", EXPORTER_SOURCE=sample_database)
    assert "Customer.customer_id " in everything.out and "more properties" not in everything.out


def test_a_preview_shows_a_masked_value_beside_its_shape(exporter: Exporter, sample_database: str) -> None:
    """Both from the server; nothing of the origin but its shape, and another token each time."""
    tokens = set()
    for _ in range(2):
        done = exporter("check", "--redact", "analyst", "--preview", "--json", EXPORTER_SOURCE=sample_database)
        redaction = json.loads(done.out)["redaction"]
        found = {prop["property"]: prop for prop in redaction["properties"]}
        phone = found["Customer.phone_number"]
        assert re.fullmatch("[0-9a-f]{32}", phone["example"])
        assert phone["shape"] and re.fullmatch(r"[+9 ()-]+", phone["shape"])
        assert (found["Notification.title"]["example"], found["Guide.full_name"]["example"][:6]) == (
            "[redacted]",
            "Guide ",
        )
        assert re.fullmatch("[Aax .'-]+", found["Guide.full_name"]["shape"])
        assert re.fullmatch(r"\d{4}-01-01", found["CustomerProfile.dob"]["example"])
        assert {prop["example"] for prop in found.values() if prop["treatment"] in ("keep", "drop")} == {None}
        tokens.add(phone["example"])
    assert len(tokens) == 2
    printed = exporter("check", "--redact", "analyst", "--preview", EXPORTER_SOURCE=sample_database)
    assert "shape of its origin" in printed.out
    column = "consultation.agora_consultation_session.agora_channel_name"
    assert re.search(rf"^AgoraSession.agora_channel_name +{column} +secret +drop$", printed.out, re.MULTILINE)
    refused = exporter("check", "--preview", EXPORTER_SOURCE=sample_database)
    assert (refused.code, refused.err) == (2, "exporter: --preview shows what is masked; give --redact analyst too\n")


def test_weakened_properties_are_warned_of(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """On stderr, by `check` as by `export`."""
    (tmp_path / "exporter.toml").write_text(
        'redact = "analyst"\nredact_accept = ["Guide.full_name"]\n[redact_changes]\n"Guide.full_name" = "keep"\n'
    )
    done = exporter("check", "--json", EXPORTER_SOURCE=sample_database)
    warning = "exporter: warning: masked less than their class asks for: Guide.full_name (keep)\n"
    assert (done.code, done.err) == (0, warning)
    assert json.loads(done.out)["redaction"]["weakened"] == ["Guide.full_name"]


@pytest.mark.slow
def test_an_export_says_what_it_is(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """On stderr, how far tokens agree, which window it is, that it is masked, and how rare people are."""
    flags = ("--since", "2026-11-21", "--redact", "analyst")
    done = exporter("export", *flags, EXPORTER_SOURCE=sample_database)
    assert (done.code, done.err.count(TOKENS)) == (0, 1)
    assert re.search(
        r"^A copy: a window, since 2026-11-21 00:00 UTC: [\d,]+ of [\d,]+ rows; masked by the profile analyst:"
        r" pseudonymised, not anonymous$",
        done.err,
        re.MULTILINE,
    )
    assert re.search(r"^exporter: warning: [\d.]+ % of the CustomerProfile nodes share dob", done.err, re.MULTILINE)
    [directory] = done.out.splitlines()
    assert (tmp_path / "output" / "latest-copy").resolve() == (tmp_path / directory).resolve()
    assert not (tmp_path / "output" / "latest").exists()
    limited = exporter("export", *flags, "--redact-max-small", "0%", EXPORTER_SOURCE=sample_database)
    assert (limited.code, limited.out) == (1, "")
    quiet = exporter("export", "-q", *flags, "--root", "Guide:phone_number=1", EXPORTER_SOURCE=sample_database)
    assert (quiet.code, quiet.err.count("\n"), "no row of the source" in quiet.err) == (2, 1, True)


# Keys -----------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_once(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """For its owner alone, never over a file; whatever has it names its id."""
    done = exporter("redact-key", "redact.key")
    key = tmp_path / "redact.key"
    assert (done.code, stat.S_IMODE(key.stat().st_mode)) == (0, 0o600)
    assert re.fullmatch("[0-9a-f]{64}\n", text := key.read_text())
    assert text.strip() not in done.out + done.err
    again = exporter("redact-key", "redact.key")
    assert (again.code, again.out, key.read_text()) == (2, "", text)
    assert again.err.startswith("exporter: redact.key exists")
    checked = exporter("check", "--redact", "analyst", "--redact-key", key, "--json", EXPORTER_SOURCE=sample_database)
    id = json.loads(checked.out)["redaction"]["key"]
    assert (checked.err, f"Its id is {id}," in done.out) == ("", True)
    other = exporter("redact-key", "other.key", "--json")
    assert json.loads(other.out)["file"] == "other.key" and json.loads(other.out)["key"] != id


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes here")
def test_a_key_that_others_can_read_is_refused(exporter: Exporter, sample_database: str, tmp_path: Path) -> None:
    """And whatever is no key, before the source is asked."""
    exporter("redact-key", "redact.key")
    (tmp_path / "redact.key").chmod(0o640)
    flags = ("--redact", "analyst", "--redact-key", "redact.key")
    for command in ("check", "export"):
        done = exporter(command, *flags, EXPORTER_SOURCE=sample_database)
        assert (done.code, done.out) == (2, "")
        assert "the redaction key redact.key can be used by others" in done.err
    (tmp_path / "redact.key").chmod(0o600)
    (tmp_path / "redact.key").write_text("00" * 31)
    assert "is not 64 hexadecimal digits" in exporter("check", *flags, EXPORTER_SOURCE=sample_database).err
    assert [path.name for path in tmp_path.glob("output/[!.]*")] == []


# The model and the shell ----------------------------------------------------------------------------------------------


def test_the_model_tells_how_personal_it_is(exporter: Exporter) -> None:
    """Every property; the canonical JSON is another one, and stays."""
    rules = effective_rules({}, ())
    printed = exporter("model", "--privacy")
    assert re.search(r"^ +full_name +direct +label$", printed.out, re.MULTILINE)
    assert printed.out.endswith(f"\n{CAUTION}\n")
    found = json.loads(exporter("model", "--privacy", "--json").out)
    assert found["properties"] == [
        {"property": name, "class": rule.privacy_class, "treatment": rule.treatment} for name, rule in rules.items()
    ]
    assert exporter("model", "--privacy", "--format", "mermaid").code == 2


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("exporter export --without Rol", ["Role"]),
        ("exporter check --without Lead,Rol", ["Lead,Role"]),
        ("exporter local --root Guide", ["Guide:id=", "Guide:phone_number=", "Guide:referral_code="]),
        ("exporter export --redact ", ["analyst"]),
    ],
)
def test_labels_and_roots_are_offered(line: str, offers: list[str], tmp_path: Path) -> None:
    """By their first letters, behind those that stand there already."""
    environment = os.environ | {"_EXPORTER_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}
    done = subprocess.run([EXPORTER], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert all(f'"{offer}"' in done.stdout.replace("\\\\:", ":").replace("\\:", ":") for offer in offers), done.stdout

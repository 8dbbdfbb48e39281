"""Settings of copies: every form of a window and of a masking, and every sentence that refuses one."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.copy_settings import OF_REDACTION
from exporter.errors import UsageError
from exporter.model.redaction import RedactionRequest
from exporter.model.window import REMOVABLE, ROOT_LABELS, Root, WindowRequest, root_properties
from exporter.settings import Settings, load
from exporter.text import parse_moment, parse_share, write_moment, write_share
from tests.test_settings import configured, empty_directory, fault, faults

__all__ = ["empty_directory"]  # a fixture of every test here

MOMENT = "a time before the snapshot such as 36h, 7d or 2w, or a date or timestamp such as 2026-11-01"
PHONE = "+91 98765 43210"
# A value of each setting that has an effect only in a masked export, as a flag.
ONLY_MASKED: dict[str, Any] = {
    "redact_key_file": "redact.key",
    "redact_accept": "Guide.full_name",
    "redact_k": "5",
    "redact_max_small": "0%",
    "redact_changes": {"Guide.full_name": "drop"},
    "redact_quasi": '[{"label": "Lead", "properties": ["source", "status"]}]',
}


def test_without_settings_of_copies_there_is_none() -> None:
    """Neither a window nor a masking; a seed alone makes no window."""
    assert (load(None).window, load(None).redaction) == (None, None)
    assert Settings(sample_seed=7).window is None


# Windows --------------------------------------------------------------------------------------------------------------


def test_a_window_is_asked_for_by_flags() -> None:
    """Each as plain data."""
    settings = load(
        None, since="7d", until="36h", sample="0.5 %", sample_seed="7", without="Notification, LoginActivity"
    )
    assert settings.window == WindowRequest(
        since=timedelta(days=7),
        until=timedelta(hours=36),
        sample=Fraction(1, 200),
        seed=7,
        without=frozenset({"Notification", "LoginActivity"}),
    )
    assert load(None, roots=["Customer:customer_id=7"]).window == WindowRequest(
        roots=(Root("Customer", "customer_id", "7"),)
    )


def test_a_window_is_asked_for_by_the_settings_file(tmp_path: Path) -> None:
    """With TOML's own dates and lists, or as the flags have it; a list of one may be a text."""
    expected = WindowRequest(
        since=datetime(2026, 11, 1, tzinfo=UTC),
        until=datetime(2026, 11, 8, 6, 30, tzinfo=UTC),
        roots=(Root("Lead", "id", "7"), Root("Guide", "referral_code", "OM 1")),
        without=frozenset({"Notification", "OTPAttempt"}),
    )
    for text in (
        "since = 2026-11-01\nuntil = 2026-11-08T06:30:00Z\n"
        "roots = ['Lead:id=7', 'Guide:referral_code= OM 1 ']\nwithout = ['Notification', 'OTPAttempt']\n",
        "since = '2026-11-01'\nuntil = '2026-11-08 12:00+05:30'\n"
        "roots = '''\nLead:id=7\n\nGuide:referral_code=OM 1\n'''\nwithout = 'Notification,OTPAttempt'\n",
    ):
        assert load(configured(tmp_path, text)).window == expected


def test_a_window_is_asked_for_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists with commas, roots on lines of their own."""
    monkeypatch.setenv("EXPORTER_SINCE", "2w")
    monkeypatch.setenv("EXPORTER_ROOTS", f"Customer:phone_number={PHONE}\nPayment:payment_order_id=3")
    monkeypatch.setenv("EXPORTER_WITHOUT", "Notification,LoginActivity,Notification")
    assert load(None).window == WindowRequest(
        since=timedelta(weeks=2),
        roots=(Root("Customer", "phone_number", PHONE), Root("Payment", "payment_order_id", "3")),
        without=frozenset({"Notification", "LoginActivity"}),
    )


def test_a_timestamp_without_a_zone_is_in_the_time_zone() -> None:
    """As those of the source are; a date is its midnight there."""
    window = load(None, since="2026-11-01", until="2026-11-02T00:00Z", timezone="Asia/Kolkata").window
    assert window and isinstance(window.since, datetime) and isinstance(window.until, datetime)
    assert window.since.astimezone(UTC) == datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    assert window.until.astimezone(UTC) == datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["7", "0d", "-7d", "7m", "1.5d", "7 days", "d", "", "yesterday", "2026-13-01", "2026-11-31", "2026-11", "20261101",
     "2026-W45", "2026-11-01T25:00", "2026-11-01T06", "2026-11-01T06:30 IST", "0001-01-01", "9999-12-31", "٧d",
     "9999999d"],
)  # fmt: skip
def test_anything_else_is_not_a_moment(text: str) -> None:
    """As a flag, whichever it is."""
    assert fault(since=text).startswith("--since ") and fault(since=text).endswith(f": must be {MOMENT}")
    assert fault(until=text).endswith(f": must be {MOMENT}")


def test_a_moment_of_another_type_is_refused(tmp_path: Path) -> None:
    """TOML's times, numbers and truths."""
    config = configured(tmp_path, "since = 06:30:00\nuntil = true\nsample = true\nsample_seed = -1\n")
    assert faults(config) == [
        f"nightly.toml line 1, since: must be {MOMENT}",
        f"nightly.toml line 2, until = true: must be {MOMENT}",
        "nightly.toml line 3, sample = true: must be a percentage above 0% and at most 50%, such as 1%",
        "nightly.toml line 4, sample_seed = -1: must be a whole number, 0 or more",
    ]


@pytest.mark.parametrize("text", ["0%", "50.001%", "51", "-1%", "1/100", "%", "one", "1e-3%", "1%%", "٥%"])
def test_anything_else_is_not_a_share(text: str) -> None:
    """More than none, and at most half."""
    assert fault(sample=text).endswith(": must be a percentage above 0% and at most 50%, such as 1%")


@pytest.mark.parametrize("seed", ["-1", "1.5", str(1 << 63), "x", "true"])
def test_a_seed_is_a_whole_number(seed: str) -> None:
    """Of 63 bits."""
    assert fault(sample="1%", sample_seed=seed) == f"--sample-seed {seed}: must be a whole number, 0 or more"
    assert load(None, sample="50%", sample_seed=str((1 << 63) - 1)).sample == Fraction(1, 2)


@given(
    st.one_of(
        st.integers(1, 999_999).map(lambda hours: timedelta(hours=hours)),
        st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),
        st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)),
    )
)
def test_a_moment_is_read_as_it_is_written(moment: timedelta | datetime) -> None:
    """To the microsecond."""
    assert parse_moment(write_moment(moment)) == moment


def test_a_date_is_its_midnight() -> None:
    assert parse_moment(date(2026, 11, 1)) == datetime(2026, 11, 1)


@given(st.decimals(0, 999, places=12).map(Fraction))
def test_a_share_is_exact(percent: Fraction) -> None:
    """Of a percentage with up to twelve decimals, and read as it is written."""
    assert parse_share(write_share(percent / 100)) == percent / 100


# Refused windows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until"),
    [("7d", "7d"), ("36h", "2d"), ("2026-11-02", "2026-11-01"), ("2026-11-01", "2026-11-01T00:00"),
     ("2026-11-01T00:00Z", "2026-11-01T05:30+05:30")],
)  # fmt: skip
def test_an_empty_time_is_refused(since: str, until: str) -> None:
    """Spans, and moments in whatever zone."""
    assert fault(since=since, until=until) == (
        f"--since {since} and --until {until}: nothing is since the one and before the other"
    )


def test_a_span_and_a_moment_are_compared_in_the_snapshot() -> None:
    """Not here, where its time is not known."""
    assert load(None, since="7d", until="2020-01-01").window


def test_people_are_drawn_or_named(tmp_path: Path) -> None:
    """Not both, wherever they are asked for."""
    config = configured(tmp_path, "sample = '5%'\n")
    assert fault(config, roots=["Customer:customer_id=7"]).replace(f"{tmp_path}/", "") == (
        'nightly.toml line 1, sample = "5%" and --root exclude each other: one draws people, the other names them'
    )


def test_a_seed_on_the_command_line_is_for_a_sample(tmp_path: Path) -> None:
    """In a settings file it waits for one."""
    assert fault(sample_seed="0") == "--sample-seed 0: has an effect only with --sample"
    assert load(configured(tmp_path, "sample_seed = 7\n")).window is None
    assert load(configured(tmp_path, "sample_seed = 7\n"), sample="1%").window == WindowRequest(
        sample=Fraction(1, 100), seed=7
    )


def test_what_rows_refer_to_cannot_be_left_out() -> None:
    """All 19 others are in the message."""
    assert fault(without=["Payment", "Lead", "AuthUser"]) == (
        f"--without: other rows refer to Payment and AuthUser; what can be left out is {', '.join(sorted(REMOVABLE))}"
    )
    assert len(REMOVABLE) == 19
    assert load(None, without=",".join(REMOVABLE)).without


def test_a_label_that_is_not_there_is_told_with_the_nearest() -> None:
    """Whatever its case; each of several."""
    assert faults(without="notification,AuthUser,Nobody") == [
        "--without notification,AuthUser,Nobody: there is no label notification; the nearest is Notification",
        "--without notification,AuthUser,Nobody: there is no label Nobody",
    ]


@pytest.mark.parametrize("value", ["", ",", "Lead,", " ", [], ["Lead", 3]])
def test_labels_are_names(value: Any) -> None:
    """With something in each."""
    if value == []:
        assert load(None, without=value).window is None
    else:
        assert fault(without=value).endswith(": must be labels that no row refers to, with commas between them")


@pytest.mark.parametrize("label", ROOT_LABELS)
def test_every_property_of_a_root_is_read(label: str) -> None:
    """Its key, its phone, its code."""
    for name in root_properties(label):
        assert load(None, roots=[f" {label}:{name} = 7 "]).roots == (Root(label, name, "7"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (PHONE, "must be LABEL:PROPERTY=VALUE, such as Customer:customer_id=7"),
        (
            "@people.txt",
            "must be LABEL:PROPERTY=VALUE, such as Customer:customer_id=7; only the flag --root takes @FILE",
        ),
        (f"Customer={PHONE}", "must be LABEL:PROPERTY=VALUE, such as Customer:customer_id=7"),
        ("", "must be LABEL:PROPERTY=VALUE, such as Customer:customer_id=7"),
        (f"Custmer:phone_number={PHONE}", f"names Custmer; a root is one of {', '.join(ROOT_LABELS)}"),
        (f"Customer:phone={PHONE}", "names Customer.phone; a root Customer is found by customer_id or phone_number"),
        (f"Customer:customer_id={PHONE}", "has a value that Customer.customer_id cannot have"),
        (f"Payment:payment_order_id={2**63}", "has a value that Payment.payment_order_id cannot have"),
        ("Customer:customer_id=", "has a value that Customer.customer_id cannot have"),
        ("Customer:phone_number=Anna", "has a value that Customer.phone_number cannot have"),
        ("Guide:referral_code=  ", "has a value that Guide.referral_code cannot have"),
    ],
)
def test_a_wrong_root_is_told_without_its_value(text: str, sentence: str) -> None:
    """By its number, since it may be about a person."""
    message = fault(roots=["Guide:id=1", text])
    assert message == f"--root: root 2 {sentence}"
    assert "98765" not in message


def test_many_wrong_roots_are_told_in_part(tmp_path: Path) -> None:
    """The first ten, and how many more; more roots than a window can have are counted."""
    *told, last = faults(roots=["Customer:customer_id=x"] * 30)
    assert (len(told), last) == (10, "--root: 20 more roots are wrong")
    assert fault(roots=["Customer:customer_id=7"] * 100_001) == "--root: at most 100,000 roots; these are 100,001"
    assert fault(configured(tmp_path, "roots = 7\n")).endswith(
        "line 1, roots: must be nodes to start from, such as Customer:customer_id=7"
    )


def test_roots_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the log of settings nor in their representation."""
    settings = load(None, roots=[f"Customer:phone_number={PHONE}"])
    assert "98765" not in repr(settings) + repr(settings.window) + caplog.text


# Redaction ------------------------------------------------------------------------------------------------------------


def test_a_masking_is_asked_for(tmp_path: Path) -> None:
    """All of it in the settings file, as docs/copies.md has it; limits are shares."""
    config = configured(
        tmp_path,
        "redact = 'analyst'\nredact_key_file = '/etc/exporter/redact.key'\nredact_max_small = '5%'\nredact_k = 3\n"
        "redact_accept = ['Guide.full_name']\n"
        "[redact_changes]\n'LoginActivity.ip_address' = 'drop'\n'Guide.full_name' = 'keep'\n"
        "[[redact_quasi]]\nlabel = 'Lead'\nproperties = ['source', 'utm_campaign', 'status']\n",
    )
    assert load(config).redaction == RedactionRequest(
        "analyst",
        Path("/etc/exporter/redact.key"),
        {"LoginActivity.ip_address": "drop", "Guide.full_name": "keep"},
        frozenset({"Guide.full_name"}),
        3,
        0.05,
        (("Lead", ("source", "utm_campaign", "status")),),
    )
    assert load(None, redact="analyst").redaction == RedactionRequest("analyst")


def test_a_masking_is_asked_for_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as JSON."""
    monkeypatch.setenv("EXPORTER_REDACT", "analyst")
    monkeypatch.setenv("EXPORTER_REDACT_KEY_FILE", "redact.key")
    monkeypatch.setenv("EXPORTER_REDACT_CHANGES", '{"Guide.full_name": "drop"}')
    monkeypatch.setenv("EXPORTER_REDACT_QUASI", ONLY_MASKED["redact_quasi"])
    assert load(None).redaction == RedactionRequest(
        "analyst", Path("redact.key"), {"Guide.full_name": "drop"}, quasi=(("Lead", ("source", "status")),)
    )


@pytest.mark.parametrize("name", OF_REDACTION)
def test_without_redact_nothing_of_it_is_accepted(name: str) -> None:
    """Who sets it takes the export for a masked one."""
    sentence = "nothing is masked without redact; give --redact analyst, or leave this out"
    assert fault(redact=None, **{name: ONLY_MASKED[name]}).endswith(sentence)
    assert set(ONLY_MASKED) == set(OF_REDACTION)


def test_a_command_that_masks_nothing_accepts_what_is_for_others(tmp_path: Path) -> None:
    """A key's file for all exports that are masked does not keep anybody from listing them."""
    config = configured(tmp_path, 'redact_key_file = "redact.key"\n')
    assert load(config).redact_key_file == Path("redact.key")


def test_an_unknown_profile_is_refused() -> None:
    assert fault(redact="analysts") == "--redact analysts: must be analyst"


@pytest.mark.parametrize("key", ["0123456789abcdef" * 4, "0x" + "AB" * 32, " " + "ab" * 16])
def test_a_key_is_no_file(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a flag, a variable and the settings file, under whichever name; it is not repeated."""
    sentence = "must be the name of a file, and is a key: write the key into a file that only you can read"
    config = configured(tmp_path, f"redact = 'analyst'\nredact_key_file = '{key}'\n")
    assert fault(redact="analyst", redact_key_file=key) == f"--redact-key: {sentence}"
    assert fault(config) == f"{config} line 2, redact_key_file: {sentence}"
    config = configured(tmp_path, f"redact = 'analyst'\nredact_key = '{key}'\n")
    instead = "no such setting; a key stands in a file of its own, which redact_key_file names"
    assert fault(config) == f"{config} line 2, redact_key: {instead}"
    monkeypatch.setenv("EXPORTER_REDACT_KEY", key)
    assert fault(redact="analyst") == f"EXPORTER_REDACT_KEY: {instead}"


def test_changes_are_checked_against_the_model(tmp_path: Path) -> None:
    """All of them at once."""
    config = configured(
        tmp_path,
        "redact = 'analyst'\nredact_accept = ['Guide.nickname']\n"
        "[redact_changes]\n'Guide.full_name' = 'keep'\n'Guide.phone_number' = 'fake'\n",
    )
    lines = faults(config)
    places = ["line 2, redact_accept", "line 3, redact_changes", "line 3, redact_changes"]
    assert [line.partition(": ")[0] for line in lines] == [f"nightly.toml {place}" for place in places]
    assert "Guide.nickname" in lines[0] and "redact_accept if that is meant" in lines[1] and '"fake"' in lines[2]


@pytest.mark.parametrize(
    "value", ["x", "3", "[3]", "{}", '[{"label": "Lead"}]', '[{"label": "Lead", "properties": []}]',
              '[{"label": "Lead", "properties": ["source"], "k": 3}]', '[{"label": 3, "properties": ["source"]}]'],
)  # fmt: skip
def test_what_together_tells_a_person_is_a_label_and_properties(value: str) -> None:
    """Nothing less or else."""
    message = fault(redact="analyst", redact_quasi=value)
    assert message.endswith(": must be tables, each with a label and a list of its properties")


@pytest.mark.parametrize("name", ["Lead.shoe_size", "Notification-TO_USER-AuthUser.target_type"])
def test_properties_that_tell_a_person_exist(name: str) -> None:
    """In the model, and are those of a label: nodes are counted."""
    label, _, prop = name.partition(".")
    value = f'[{{"label": "{label}", "properties": ["{prop}"]}}]'
    assert fault(redact="analyst", redact_quasi=value) == f"--redact-quasi: no label has the property {name}"


@pytest.mark.parametrize(("name", "value"), [("redact_k", "1"), ("redact_k", "two"), ("redact_max_small", "101%")])
def test_limits_of_uniqueness(name: str, value: str) -> None:
    """A class of one is the smallest there is; a share is at most all."""
    assert fault(redact="analyst", **{name: value}).startswith(f"--{name.replace('_', '-')} {value}: must be a ")


def test_nothing_is_written_for_what_is_refused(tmp_path: Path) -> None:
    """No directory, no key."""
    with pytest.raises(UsageError):
        load(None, redact_key_file="redact.key", sample="1%", roots=["Guide:id=1"], output=str(tmp_path / "output"))
    assert list(tmp_path.iterdir()) == []

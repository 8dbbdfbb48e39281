"""From a raw frame to rows and rejects: every kind of reference, one fate a row, in the specification's order."""

import polars as pl

from exporter.model.frame import DUPLICATE, PRIMARY_KEY, ROW
from exporter.model.frame import raw as raw_name
from exporter.shape.key_index import KeyIndex
from tests.support.shaping import outcome, shaped
from tests.support.strategies import MOMENT, UUID


def test_a_consultation(key_index: KeyIndex) -> None:
    """One table, one label, four patterns: three kinds of reference, each row with one fate in each."""
    parts = shaped(
        "consultation.consultation",
        key_index,
        id=["1", "02", "x", "3"],
        customer_id=[1, 9, 1, None],
        guide_id=[2, 2, 2, 1],
        order_id=[5, None, 5, 9],
        mode=["CHAT", "", "CHAT", None],
        state=["DONE"] * 4,
        duration=[60, None, 60, 0],
        base_rate_per_minute=["12.50", "0.00", "1", None],
        is_quick_connect=[True, False, True, False],
        promotional=[False] * 4,
        created_at=[MOMENT, None, MOMENT, MOMENT],
        **{raw_name("created_at"): [None, "infinity", None, None]},
    )
    table, moment = "consultation.consultation", "2026-11-23T03:15:00.250000Z"
    malformed = ("malformed_id", table, "id", "x", "x", None)
    assert {name: outcome(part) for name, part in parts.items()} == {
        "Consultation": (
            [
                "id",
                "mode",
                "state",
                "duration",
                "base_rate_per_minute",
                "is_quick_connect",
                "promotional",
                "created_at",
            ],
            [
                (1, "CHAT", "DONE", 60, "12.50", True, False, moment),
                (2, "", "DONE", None, "0.00", False, False, None),
                (3, None, "DONE", 0, None, False, False, moment),
            ],
            [malformed, ("unrepresentable_value", table, "created_at", "02", "infinity", None)],
            0,
        ),
        "Customer-BOOKED-Consultation": (
            [":START_ID", ":END_ID"],
            [(1, 1)],
            [
                malformed,
                ("null_id", table, "customer_id", "3", None, "Customer"),
                ("dangling_start", table, "customer_id", "02", "9", "Customer"),
            ],
            0,
        ),
        "Consultation-WITH_GUIDE-Guide": ([":START_ID", ":END_ID"], [(1, 2), (2, 2), (3, 1)], [malformed], 0),
        "Consultation-PAID_VIA-WalletOrder": (
            [":START_ID", ":END_ID"],
            [(1, 5)],
            [malformed, ("dangling_end", table, "order_id", "3", "9", "WalletOrder")],
            1,
        ),
        "WalletOrder-FOR_CONSULTATION-Consultation": (
            [":START_ID", ":END_ID"],
            [(5, 1)],
            [malformed, ("dangling_start", table, "order_id", "3", "9", "WalletOrder")],
            1,
        ),
    }


def test_devices(key_index: KeyIndex) -> None:
    """A pair as key: no property of its own, both columns needed, `:` and the empty text in it as they are."""
    parts = shaped(
        "auth.user_devices",
        key_index,
        auth_user_id=[1, None, 2, 9, 1],
        device_id=["a", "a", None, "", "a"],
        device_type=["WEB"] * 5,
        platform=[None] * 5,
        fcm_token=["t"] * 5,
        created_at=[MOMENT] * 5,
        updated_at=pl.Series([None] * 5, dtype=pl.Datetime("us", "UTC")),
        **{raw_name("created_at"): [None] * 5, raw_name("updated_at"): [None] * 5},
        **{PRIMARY_KEY: ["10", "11", "12", "13", "14"], ROW: ["(0,1)", "(0,2)", "(0,3)", "(0,4)", "(0,7)"]},
    )
    table, moment = "auth.user_devices", "2026-11-23T03:15:00.250000Z"
    own = [
        ("null_id", table, "auth_user_id", "11", None, None),
        ("null_id", table, "device_id", "12", None, None),
        ("duplicate_id", table, "auth_user_id:device_id", "14", "1:a", None),
    ]
    assert {name: outcome(part) for name, part in parts.items()} == {
        "Device": (
            [":ID", "device_id", "device_type", "platform", "fcm_token", "created_at", "updated_at"],
            [("1:a", "a", "WEB", None, "t", moment, None), ("9:", "", "WEB", None, "t", moment, None)],
            own,
            0,
        ),
        "AuthUser-HAS_DEVICE-Device": (
            [":START_ID", ":END_ID"],
            [(1, "1:a")],
            [*own, ("dangling_start", table, "auth_user_id", "13", "9", "AuthUser")],
            0,
        ),
    }


def test_sessions(key_index: KeyIndex) -> None:
    """A reference to a pair: no device is no target, also of nobody; an unknown pair is named whole."""
    parts = shaped(
        "auth.user_sessions",
        key_index,
        id=[UUID.upper(), UUID, UUID, UUID, UUID],
        auth_user_id=["01", "2", None, None, "1"],
        device_id=["a", "z", None, "a", ""],
        user_type=["GUIDE"] * 5,
        is_active=[True] * 5,
        access_token_exp=pl.Series([None] * 5, dtype=pl.Datetime("us", "UTC")),
        created_at=pl.Series([None] * 5, dtype=pl.Datetime("us", "UTC")),
        **{raw_name("access_token_exp"): [None] * 5, raw_name("created_at"): [None] * 5},
    )
    table = "auth.user_sessions"
    assert outcome(parts["Session-ON_DEVICE-Device"]) == (
        [":START_ID", ":END_ID"],
        [(UUID, "1:a"), (UUID, "1:")],
        [
            ("null_id", table, "auth_user_id", UUID, None, "Device"),
            ("dangling_end", table, "auth_user_id:device_id", UUID, "2:z", "Device"),
        ],
        1,
    )


def test_guide_skills(key_index: KeyIndex) -> None:
    """A join table: the pair is the reject's key, a repeated pair the last condition to decide."""
    parts = shaped(
        "guide.guide_skills",
        key_index,
        guide_id=[1, 1, 9, None, 1],
        skill_id=[2, 2, 9, 2, 9],
        **{DUPLICATE: [False, True, True, False, False]},
    )
    table = "guide.guide_skills"
    assert {name: outcome(part) for name, part in parts.items()} == {
        "Guide-HAS_SKILL-Skill": (
            [":START_ID", ":END_ID"],
            [(1, 2)],
            [
                ("null_id", table, "guide_id", ":2", None, "Guide"),
                ("dangling_start", table, "guide_id", "9:9", "9", "Guide"),
                ("dangling_end", table, "skill_id", "1:9", "9", "Skill"),
                ("duplicate_relationship", table, "guide_id:skill_id", "1:2", "1:2", None),
            ],
            0,
        )
    }


def test_wallets(key_index: KeyIndex) -> None:
    """By id, else by phone where one guide and one wallet have it; otherwise nobody's or anybody's."""
    parts = shaped(
        "wallet.consultant_wallets",
        key_index,
        consultant_id=[1, 7, 8, 9, 10, 11, 12],
        phone_number=["x", "+91 98765 43210", "43210", "11111", "22222", None, "n/a"],
        revenue_share=["50.00"] * 7,
        accepts_promotional_offers=[True] * 7,
        created_at=[MOMENT] * 7,
        **{raw_name("created_at"): [None] * 7},
    )
    table = "wallet.consultant_wallets"
    assert outcome(parts["Guide-HAS_WALLET-GuideWallet"]) == (
        [":START_ID", ":END_ID", "via"],
        [(1, 1, "id=consultant_id"), (1, 7, "phone_number")],
        [
            ("ambiguous_link", table, "phone_number", "8", "43210", "Guide"),
            ("ambiguous_link", table, "phone_number", "9", "11111", "Guide"),
            ("dangling_start", table, "consultant_id", "10", "10", "Guide"),
            ("dangling_start", table, "consultant_id", "11", "11", "Guide"),
            ("dangling_start", table, "consultant_id", "12", "12", "Guide"),
        ],
        0,
    )


def test_notifications(key_index: KeyIndex) -> None:
    """A text auth ID finds somebody, nobody, or is malformed; the target type is the relationship's."""
    cells = ["'01'", " null ", None, "4e5", "9", '"2.0"']
    parts = shaped(
        "notifications.notifications",
        key_index,
        id=[UUID] * 6,
        auth_user_id=cells,
        target_type=["guide", "guide", None, "guide", "guide", None],
        **{name: ["…"] * 6 for name in ("event_type", "channel", "priority", "title", "body")},
        is_read=[True] * 6,
        created_at=[MOMENT] * 6,
        **{raw_name("created_at"): [None] * 6},
    )
    table = "notifications.notifications"
    assert outcome(parts["Notification-TO_USER-AuthUser"]) == (
        [":START_ID", ":END_ID", "target_type"],
        [(UUID, 1, "guide"), (UUID, 2, None)],
        [
            ("malformed_id", table, "auth_user_id", UUID, "4e5", "AuthUser"),
            ("dangling_end", table, "auth_user_id", UUID, "9", "AuthUser"),
        ],
        2,
    )


def test_referrers(key_index: KeyIndex) -> None:
    """A code finds its one guide after trimming; a guide may refer itself."""
    texts = ("full_name", "phone_number", "availability_state", "tier")
    parts = shaped(
        "guide.guide_profile",
        key_index,
        id=[1, 2, 3, 4, 5],
        x_auth_id=pl.Series([None] * 5, dtype=pl.Int64),
        **{name: ["…"] * 5 for name in texts},
        **{name: [True] * 5 for name in ("chat_enabled", "voice_enabled", "video_enabled")},
        ranking_score=["0.0001"] * 5,
        referral_code=["A", " B ", "B", None, None],
        referrer_code=[" A\n", "B", "a", "", None],
        created_at=[MOMENT] * 5,
        **{raw_name("created_at"): [None] * 5},
    )
    table = "guide.guide_profile"
    assert outcome(parts["Guide-REFERRED_BY-Guide"]) == (
        [":START_ID", ":END_ID", "via"],
        [(1, 1, "referrer_code")],
        [
            ("ambiguous_link", table, "referrer_code", "2", "B", "Guide"),
            ("dangling_end", table, "referrer_code", "3", "a", "Guide"),
        ],
        2,
    )

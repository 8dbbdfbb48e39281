"""How a row of each pattern finds its two nodes: the columns, the keys, and the patterns with a rule of their own."""

from .declaration import NODES, Node, Relationship

# What a pattern's own rule sets; the rest is as `_common` says.
Columns = dict[str, str]


def _side(label: str, column: str, side: str) -> Columns:
    """One end of a pattern: the raw text of its column and its key in that label's ID space."""
    if column == "=":
        return {f"{side}_raw": "own.key", f"{side}_key": "own.key", f"{side}_column": "own.reject_column"}
    name = column.removesuffix("?")
    return {
        f"{side}_raw": f"oracle.raw(r.{name})",
        f"{side}_key": f"oracle.{NODES[label].kind}_id(oracle.raw(r.{name}))",
        f"{side}_column": f"'{name}'",
    }


def _no_target(relationship: Relationship) -> str:
    """An optional column that is null, or blank text."""
    for column in (relationship.start_column, relationship.end_column):
        if column.endswith("?"):
            return f"coalesce(oracle.trimmed(oracle.raw(r.{column[:-1]})), '') = ''"
    return "false"


def _common(relationship: Relationship, own: Node | None) -> Columns:
    start = _side(relationship.start, relationship.start_column, "start")
    end = _side(relationship.end, relationship.end_column, "end")
    pair = f"oracle.joined(oracle.raw(r.{relationship.start_column}), oracle.raw(r.{relationship.end_column}))"
    return (
        start
        | end
        | {
            "own_fate": "own.fate" if own else "null::text",
            "own_column": "own.reject_column" if own else "null::text",
            "own_value": "own.reject_value" if own else "null::text",
            "reject_key": "own.reject_key" if own else f"coalesce(r._pk, {pair})",
            "no_target": _no_target(relationship),
            "ambiguous": "false",
            "ambiguous_start": "false",
            "ambiguous_column": "null::text",
            "ambiguous_value": "null::text",
            "dangling_column": end["end_column"],
            "dangling_value": end["end_raw"],
            "property": "null::text",
        }
    )


def _wallet_of_guide() -> Columns:
    """By id; only when no exported guide has that id by phone, unique among all exported guides and wallets."""
    guides = """(SELECT {} FROM oracle."rows guide.guide_profile" AS g JOIN oracle."node Guide" AS n USING (_n)
        WHERE n.fate IS NULL AND oracle.phone(g.phone_number::text) = oracle.phone(r.phone_number::text))"""
    wallets = """(SELECT count(*) FROM oracle."rows wallet.consultant_wallets" AS w
        JOIN oracle."node GuideWallet" AS n USING (_n)
        WHERE n.fate IS NULL AND oracle.phone(w.phone_number::text) = oracle.phone(r.phone_number::text))"""
    by_id = 'EXISTS (SELECT FROM oracle."node Guide" AS n WHERE n.fate IS NULL AND n.key = own.key)'
    many = f"({guides.format('count(*)')} > 1 OR {guides.format('count(*)')} = 1 AND {wallets} > 1)"
    return {
        "start_key": f"CASE WHEN {by_id} THEN own.key ELSE coalesce({guides.format('min(n.key)')}, own.key) END",
        "start_raw": "oracle.raw(r.consultant_id)",
        "ambiguous": f"NOT {by_id} AND {many}",
        "ambiguous_start": "true",
        "ambiguous_column": "'phone_number'",
        "ambiguous_value": "oracle.raw(r.phone_number)",
        "property": f"CASE WHEN {by_id} THEN 'id=consultant_id' ELSE 'phone_number' END",
    }


def _referrer() -> Columns:
    """The one exported guide who owns the code; a key that is none stands for a code that nobody owns."""
    owners = """(SELECT {} FROM oracle."rows guide.guide_profile" AS g JOIN oracle."node Guide" AS n USING (_n)
        WHERE n.fate IS NULL
        AND oracle.referral_code(oracle.raw(g.referral_code)) = oracle.referral_code(oracle.raw(r.referrer_code)))"""
    return {
        "end_key": f"coalesce({owners.format('min(n.key)')}, 'nobody')",
        "ambiguous": f"{owners.format('count(*)')} > 1",
        "ambiguous_column": "'referrer_code'",
        "ambiguous_value": "oracle.raw(r.referrer_code)",
        "property": "'referrer_code'",
    }


def _device_of_session() -> Columns:
    """The pair: auth_user_id must be there and well-formed; a null device_id is no target, an empty one is a value."""
    return {
        "end_raw": "oracle.raw(r.auth_user_id)",
        "end_key": "oracle.integer_id(oracle.raw(r.auth_user_id)) || ':' || oracle.raw(r.device_id)",
        "end_column": "'auth_user_id'",
        "no_target": "r.device_id IS NULL",
        "dangling_column": "'auth_user_id:device_id'",
        "dangling_value": "oracle.joined(oracle.raw(r.auth_user_id), oracle.raw(r.device_id))",
    }


def _notified_user() -> Columns:
    """auth_user_id in its own, wider grammar."""
    return {
        "end_key": "oracle.auth_id(oracle.raw(r.auth_user_id))",
        "no_target": "oracle.auth_id_is_nobody(oracle.raw(r.auth_user_id))",
        "property": "oracle.raw(r.target_type)",
    }


OWN_RULES = {
    "Customer-HAS_AUTH-AuthUser": {"property": "'x_auth_id'"},
    "Customer-HAS_WALLET-CustomerWallet": {"property": "'customer_id=user_id'"},
    "Guide-HAS_AUTH-AuthUser": {"property": "'x_auth_id'"},
    "Guide-HAS_WALLET-GuideWallet": _wallet_of_guide(),
    "Guide-REFERRED_BY-Guide": _referrer(),
    "Session-ON_DEVICE-Device": _device_of_session(),
    "Notification-TO_USER-AuthUser": _notified_user(),
}


def reference_sql(relationship: Relationship, own: Node | None) -> str:
    """One row for each row of the table: its place, both raw references, both keys, and what the rejects will need."""
    columns = _common(relationship, own) | OWN_RULES.get(relationship.pattern, {})
    chosen = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    join = f' JOIN oracle."node {own.label}" AS own USING (_n)' if own else ""
    return f'SELECT r._n, {chosen} FROM oracle."rows {relationship.table}" AS r{join}'

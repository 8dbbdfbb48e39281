"""The forms in which the notification service writes an auth user's id, as SQL on the clean id."""

# Read as the same id.
ACCEPTED = (
    "' ' || auth_user_id || ' '",
    "'\"' || auth_user_id || '\"'",
    "'''' || auth_user_id || ''''",
    "'00' || auth_user_id",
    "auth_user_id || '.0'",
    "auth_user_id || '.000'",
    "E'\\t' || auth_user_id || E'\\r\\n'",
    "E'\\x0B ' || auth_user_id || E'\\f'",
    "' \"0' || auth_user_id || '.0\" '",
)
# They name no user.
NO_TARGET = (
    "NULL",
    "''",
    "'   '",
    "E'\\t\\n'",
    "'null'",
    "'NULL'",
    "'None'",
    "'undefined'",
    "'NaN'",
    "'\"\"'",
    "''''''",
    "'\"null\"'",
    "'''none'''",
    "' \"Undefined\" '",
    "'nan '",
)
# They may name a user, but there is no telling which.
MALFORMED = (
    "'4e5'",
    "'-7'",
    "'-0'",
    "'+' || auth_user_id",
    "auth_user_id || '.'",
    "auth_user_id || '.5'",
    "auth_user_id || 'a'",
    "'\" ' || auth_user_id || ' \"'",
    "'\"' || auth_user_id",
    "'\"' || auth_user_id || ''''",
    "U&'\\00A0' || auth_user_id",
    "'१०४२'",
    "'0x2a'",
    "'customer:' || auth_user_id",
    "auth_user_id || ',' || auth_user_id",
    "auth_user_id || E'\\n' || auth_user_id",
    "'9223372036854775808'",
    "'6f1c0d5e-1b7a-4a55-9d3e-2f8f5a1b9c10'",
)


def chosen_by_ordinal(shapes: tuple[str, ...]) -> str:
    """The assignment that cycles through the forms, row by row."""
    cases = " ".join(f"WHEN {number} THEN {shape}" for number, shape in enumerate(shapes))
    return f"auth_user_id = CASE ordinal % {len(shapes)} {cases} END"

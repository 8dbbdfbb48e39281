"""Computes in the source, by the rules of graph-model.md in SQL, what the graph, the rejects and the counts must be.

Python only puts the statements together. Everything lands in the schema `oracle`: `oracle.property`, `oracle.reject`
and `oracle.accounting`.
"""

from pathlib import Path
from textwrap import dedent

import psycopg

from .declaration import NODES, OWN_NODE, RELATIONSHIP_PROPERTIES, RELATIONSHIPS, TABLES, Node, Relationship
from .references import reference_sql

HERE = Path(__file__).parent

# The session's own settings decide nothing: the rules say UTC, and PostgreSQL's shortest digits.
SESSION = "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET extra_float_digits = 1; SET intervalstyle = 'postgres'"


def primary_key(connection: psycopg.Connection, table: str) -> list[str]:
    """The columns of a table's primary key, in its order; none for a table without one, or a view."""
    found = connection.execute(
        """SELECT attname FROM pg_index JOIN LATERAL unnest(indkey) WITH ORDINALITY AS k (number, i) ON true
           JOIN pg_attribute ON attrelid = indrelid AND attnum = number
           WHERE indisprimary AND indrelid = %s::regclass ORDER BY i""",
        [table],
    )
    return [name for (name,) in found]


def rows_sql(connection: psycopg.Connection, table: str) -> str:
    """A copy of the table with the order of its rows (`_n`) and the text of its primary key (`_pk`)."""
    key = primary_key(connection, table)
    found = connection.execute("SELECT relkind = 'v' FROM pg_class WHERE oid = %s::regclass", [table]).fetchone()
    is_view = found is not None and found[0]
    order = ", ".join(key or ["tableoid", "ctid"])
    number = "row_number() OVER ()" if is_view else f"row_number() OVER (ORDER BY {order})"
    text = " || ':' || ".join(f"oracle.raw({column})" for column in key) or "null::text"
    return f'CREATE TABLE oracle."rows {table}" AS SELECT {number} AS _n, {text} AS _pk, t.* FROM {table} AS t'


def node_sql(node: Node) -> str:
    """Each row's key and fate: null_id, malformed_id, duplicate_id, or null where it becomes a node."""
    if node.kind == "pair":
        raw = "oracle.raw(auth_user_id) || ':' || oracle.raw(device_id)"
        key = "oracle.integer_id(oracle.raw(auth_user_id)) || ':' || oracle.raw(device_id)"
        malformed = "oracle.integer_id(oracle.raw(auth_user_id)) IS NULL"
        column = f"""CASE WHEN auth_user_id IS NULL THEN 'auth_user_id' WHEN device_id IS NULL THEN 'device_id'
            WHEN {malformed} THEN 'auth_user_id' ELSE 'auth_user_id:device_id' END"""
        pair = "oracle.joined(oracle.raw(auth_user_id), oracle.raw(device_id))"
        value = f"CASE WHEN {malformed} THEN oracle.raw(auth_user_id) ELSE {pair} END"
        latest = "coalesce(oracle.moment(updated_at), oracle.moment(created_at))"
        first = f"{latest} DESC NULLS LAST, id DESC NULLS LAST"
    else:
        raw = value = pair = f"oracle.raw({node.key})"
        key = f"oracle.{node.kind}_id({raw})"
        column = f"'{node.key}'"
        first = "_n"
    return dedent(f"""
        CREATE TABLE oracle."node {node.label}" AS
        WITH keyed AS (SELECT _n, _pk, {key} AS key, {raw} AS raw, {value} AS value, {column} AS reject_column,
            {pair} AS pair, row_number() OVER (ORDER BY {first}) AS place
            FROM oracle."rows {node.table}"),
        fated AS (SELECT *, CASE WHEN raw IS NULL THEN 'null_id' WHEN key IS NULL THEN 'malformed_id'
            WHEN place > min(place) OVER (PARTITION BY key) THEN 'duplicate_id' END AS fate FROM keyed)
        SELECT _n, key, fate, coalesce(_pk, pair) AS reject_key, reject_column,
            CASE fate WHEN 'null_id' THEN null ELSE value END AS reject_value
        FROM fated;
        CREATE INDEX ON oracle."node {node.label}" (_n);
        CREATE INDEX ON oracle."node {node.label}" USING hash (key) WHERE fate IS NULL;
        INSERT INTO oracle.reject
            SELECT '{node.label}', 'node', fate, '{node.table}', reject_column, reject_key, reject_value
            FROM oracle."node {node.label}" WHERE fate IS NOT NULL;
        INSERT INTO oracle.accounting SELECT '{node.label}', 'node', '{node.table}',
            (SELECT count(*) FROM {node.table}),
            (SELECT count(*) FROM oracle."node {node.label}" WHERE fate IS NULL), 0;""")


def property_sql(node: Node, name: str, type_: str) -> str:
    """A node's property as canonical text; where there is a value and no such text, the value is unrepresentable."""
    value = "own.key" if name == node.key else f"oracle.{type_}_value(r.{name})"
    return dedent(f"""
        INSERT INTO oracle.property
        SELECT '{node.label}', own.key, '{name}', '{type_}', oracle.raw(r.{name}), {value}, pg_typeof(r.{name})::text
        FROM oracle."rows {node.table}" AS r JOIN oracle."node {node.label}" AS own USING (_n) WHERE own.fate IS NULL;
        INSERT INTO oracle.reject
        SELECT '{node.label}', 'node', 'unrepresentable_value', '{node.table}', '{name}', reject_key,
            oracle.raw(r.{name})
        FROM oracle."rows {node.table}" AS r JOIN oracle."node {node.label}" AS own USING (_n)
        WHERE own.fate IS NULL AND r.{name} IS NOT NULL AND {value} IS NULL;""")


def relationship_sql(relationship: Relationship) -> str:
    """Each row's two keys and its fate, the first that applies; null where it becomes a relationship."""
    pattern, table = relationship.pattern, relationship.table
    return dedent(f"""
        CREATE TABLE oracle."pattern {pattern}" AS
        WITH referring AS ({reference_sql(relationship, OWN_NODE.get(table))}),
        judged AS (SELECT *, CASE
            WHEN own_fate IS NOT NULL THEN own_fate
            WHEN no_target THEN 'no_target'
            WHEN start_raw IS NULL OR end_raw IS NULL THEN 'null_id'
            WHEN start_key IS NULL OR end_key IS NULL THEN 'malformed_id'
            WHEN ambiguous THEN 'ambiguous_link'
            WHEN NOT EXISTS (SELECT FROM oracle."node {relationship.start}" WHERE key = start_key AND fate IS NULL)
                THEN 'dangling_start'
            WHEN NOT EXISTS (SELECT FROM oracle."node {relationship.end}" WHERE key = end_key AND fate IS NULL)
                THEN 'dangling_end' END AS early_fate FROM referring),
        fated AS (SELECT *, CASE WHEN early_fate IS NULL AND row_number()
            OVER (PARTITION BY early_fate, start_key, end_key ORDER BY _n) > 1 THEN 'duplicate_relationship'
            ELSE early_fate END AS fate FROM judged)
        SELECT *, own_fate IS NULL AND CASE fate
            WHEN 'null_id' THEN start_raw IS NULL WHEN 'malformed_id' THEN start_key IS NULL
            WHEN 'ambiguous_link' THEN ambiguous_start ELSE fate = 'dangling_start' END AS at_start FROM fated;
        INSERT INTO oracle.reject SELECT '{pattern}', 'relationship', fate, '{table}',
            CASE WHEN own_fate IS NOT NULL THEN own_column WHEN fate = 'ambiguous_link' THEN ambiguous_column
                WHEN fate = 'duplicate_relationship' THEN start_column || ':' || end_column
                WHEN fate = 'dangling_end' THEN dangling_column WHEN at_start THEN start_column ELSE end_column END,
            reject_key,
            CASE WHEN own_fate IS NOT NULL THEN own_value WHEN fate = 'ambiguous_link' THEN ambiguous_value
                WHEN fate = 'duplicate_relationship' THEN oracle.joined(start_raw, end_raw)
                WHEN fate = 'dangling_end' THEN dangling_value WHEN at_start THEN start_raw ELSE end_raw END,
            CASE WHEN own_fate IS NOT NULL OR fate = 'duplicate_relationship' THEN null
                WHEN at_start THEN '{relationship.start}' ELSE '{relationship.end}' END
        FROM oracle."pattern {pattern}" WHERE fate <> 'no_target';
        INSERT INTO oracle.accounting SELECT '{pattern}', 'relationship', '{table}', (SELECT count(*) FROM {table}),
            count(*) FILTER (WHERE fate IS NULL), count(*) FILTER (WHERE fate = 'no_target')
            FROM oracle."pattern {pattern}";
        INSERT INTO oracle.property SELECT '{pattern}', start_key || ' -> ' || end_key,
            '{RELATIONSHIP_PROPERTIES.get(pattern, "")}', 'string', property, property, 'text'
            FROM oracle."pattern {pattern}" WHERE fate IS NULL;""")


def compute(connection: psycopg.Connection, *, zone: str) -> None:
    """Fills the schema `oracle` of the source with what an export of it must hold.

    `zone` is the one in which a timestamp without zone is read.
    """
    connection.execute(SESSION)
    connection.execute((HERE / "rules.sql").read_text(encoding="utf-8").replace("SOURCE ZONE", zone))
    for table in TABLES:
        connection.execute(rows_sql(connection, table))
    for node in NODES.values():
        connection.execute(node_sql(node))
        for name, type_ in node.properties.items():
            connection.execute(property_sql(node, name, type_))
    for relationship in RELATIONSHIPS:
        connection.execute(relationship_sql(relationship))

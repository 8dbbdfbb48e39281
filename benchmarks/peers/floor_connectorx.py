"""The floor of the reader: every table once with connectorx, in two spawned processes; nothing is shaped or written.

Usage: floor_connectorx.py SOURCE_URI (a second argument, the output directory, stays unused). The columns are those an
export reads, with the casts that keep their values exact; the chunks are ranges of ctid of about 24 MB of heap.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import connectorx
import psycopg

CHUNK_PAGES = 24_000_000 // 8192
TABLES = """
    SELECT attrelid::regclass::text, relpages,
           string_agg(CASE WHEN atttypid IN ('numeric'::regtype, 'time'::regtype)
                           THEN format('%1$I::text AS %1$I', attname)
                           ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind = 'r' AND relpages > 0 AND attnum > 0 AND NOT attisdropped AND attname <> 'account_number'
          AND relnamespace::regnamespace::text = ANY (
              '{auth,customers,guide,consultation,wallet,offers,marketing,notifications}')
    GROUP BY attrelid, relpages ORDER BY relpages DESC
"""


def chunk_queries(source: str) -> list[str]:
    """One query a chunk, the largest tables first; the last range of each table is open."""
    queries = []
    with psycopg.connect(source) as connection:
        for table, pages, columns in connection.execute(TABLES).fetchall():
            starts = range(0, pages, CHUNK_PAGES)
            for start in starts:
                upper = "" if start == starts[-1] else f" AND ctid < '({start + CHUNK_PAGES},0)'"
                queries.append(f"SELECT {columns} FROM {table} WHERE ctid >= '({start},0)'{upper}")
    return queries


def read(source: str, query: str) -> int:
    """Reads one chunk and lets it go; gives its rows."""
    return int(connectorx.read_sql(source, query, return_type="arrow").num_rows)


def main(source: str) -> None:
    queries = chunk_queries(source)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        rows = sum(workers.map(read, [source] * len(queries), queries))
    print(f"{rows} rows", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])

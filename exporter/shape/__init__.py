"""Pure Polars: a raw frame in, importable rows and rejects out; the ID rules and the key index."""

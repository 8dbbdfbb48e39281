"""Pure Polars: a raw frame in, importable rows and rejects out; ID rules and the key index."""

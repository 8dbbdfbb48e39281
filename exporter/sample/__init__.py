"""The sample source that demo, tests and benchmarks share."""

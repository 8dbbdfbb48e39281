"""The nightly rebuild: a new graph is built and verified beside the live one, and takes its place by renames.

lock -> repair -> export -> guard -> stage: import, schema, verify -> stop -> renames -> start -> smoke test -> prune
        |                                                             |____ on a failure: put back, start ____|
    what a run that died left
"""

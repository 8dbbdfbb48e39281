"""The graph: its vocabulary and its one declaration. Imports nothing of ours; everything else derives from it."""

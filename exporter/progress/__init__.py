"""The progress of a run: its state, plain dated lines, the live view; and a line for other waits."""

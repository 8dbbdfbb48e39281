"""What a run says of itself while it runs: its state, plain dated lines, the live view."""

"""What can be seen of a running process: what it counts, whether it moves, and its traces. Every adapter may use it."""

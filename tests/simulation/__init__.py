"""The loop as coroutines, stepped by hand: races and a crash at every await, in seconds."""

"""Sandboxes of Cronofy and of the PSA: servers with the real rules, for trying things out and for tests."""

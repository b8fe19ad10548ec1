"""The HTTP pool, against small servers."""

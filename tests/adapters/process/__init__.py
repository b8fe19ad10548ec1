"""The adapters against the real things."""

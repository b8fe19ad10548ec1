"""The PSA client, against the sandbox."""

"""The Cronofy client, against the sandbox."""

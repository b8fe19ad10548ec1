"""The worker's own server."""

"""A PSA platform to try things out with: its calendar API, its events, and a control API to act as its users."""

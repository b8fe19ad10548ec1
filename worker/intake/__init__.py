"""Intake: validate, store what was seen or wanted, wake whom it concerns. Never an HTTP call."""

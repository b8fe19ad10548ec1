"""Runs: a person asks for a span of the calendar or of the PSA's items to be looked at, and hears how it goes."""

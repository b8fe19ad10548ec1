"""From the PSA's items and the calendar's events to comparable content, and back. Pure."""

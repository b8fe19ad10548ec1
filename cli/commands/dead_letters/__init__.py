"""`calsync dead-letters`: what failed for good, and what a person can do with it."""

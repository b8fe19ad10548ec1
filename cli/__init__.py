"""`calsync`: one command for everything. It knows every part; no part knows it."""

"""`calsync` as operators type it: in this process, on real parts where it needs them."""

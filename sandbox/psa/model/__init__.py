"""What the platform keeps, and what changes make of it. No I/O, no clock, no chance."""

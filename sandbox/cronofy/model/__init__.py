"""What the sandbox knows and the rules it follows. No HTTP, no clock: who calls says what time it is."""

"""The ports in memory: verified fakes that pass the same laws as the real adapters, and can be stepped by hand."""

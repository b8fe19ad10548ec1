"""Everything on this machine: services, sandboxes and relay here, workers as processes of their own."""

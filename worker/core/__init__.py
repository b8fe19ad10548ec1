"""The pure core: values in, values out. No await, clock, chance, log, network or message contracts in here."""

"""What every process of the product has: settings from the environment, logs, time, chance, ids, an orderly end."""

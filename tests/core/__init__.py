"""The pure core, as tables. Values in, values out."""

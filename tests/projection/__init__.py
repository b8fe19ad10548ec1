"""The projection: items and events to one comparable form, and back. Values in, values out."""

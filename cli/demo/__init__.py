"""The demonstration: a day of a technician's two calendars, on real parts, told in a few screens and verified."""

"""Why something is, or is not, in a calendar: one answer made of what is stored, for the command line and the console.

Nothing here changes anything. What is told is decided by pure functions; `looking` reads, `live` reads both sides.
"""

"""The console: pages for those who run it, on the worker's own server. Off unless a token is set. See docs/console.md.

No script, no build, nothing fetched from elsewhere. Whatever is shown was written by others and is text, never markup.
"""

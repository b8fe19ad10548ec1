"""The endpoints under `/_control/`: act as the person, act as the operator, and look behind the scenes.

`GET /_control/` lists them all; `sandbox.cronofy.client` is a typed client for them. When one answers, everything that
is due by then has happened, also after the clock was moved.
"""

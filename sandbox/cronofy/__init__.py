"""A server that behaves as the Cronofy Calendar API does, for tests, for the demo and for trying things by hand.

- `model`: accounts, calendars, events and the rules they follow. Pure: the time is an argument, nothing is sent.
- `api`: Cronofy's endpoints over that model, each a plain function from a call to a reply.
- `control`: endpoints under `/_control/` by which somebody acts as the person and as the operator.
- `client`: a typed client for those.
- `app`: all of it as one ASGI app, with the work that goes on behind the requests.

Three things take time, as they do at Cronofy, and each has a setting: an accepted write until it is applied in the
person's calendar (`write_delay`), a person's own change until Cronofy learns of it (`provider_lag`), and what Cronofy
knows until reads show it (`read_lag`).
"""

"""The control API: acting as the platform's users, watching, and making trouble. `GET /_control/` lists it."""

"""The Cronofy Calendar API: a typed client, tolerant in reading and strict in writing. Source: cronofy.md."""

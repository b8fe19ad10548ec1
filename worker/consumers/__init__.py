"""From the queues to the handlers, and what becomes of each message. The only place that acks.

Handlers never settle a message, and a cancelled handler settles nothing, so the message comes back.
"""

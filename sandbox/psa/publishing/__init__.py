"""From a change to a message at the broker: the outbox, and what can happen to a message on its way."""

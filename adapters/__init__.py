"""The outside: RabbitMQ, MongoDB, Cronofy, the PSA. Adapters import `events` only, never each other."""

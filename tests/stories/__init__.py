"""What users were promised, told on real parts: RabbitMQ, MongoDB, HTTP over sockets, the composition root."""

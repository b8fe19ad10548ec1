"""Private RabbitMQ and MongoDB for the demo, for tests and for trying things by hand."""

"""The RabbitMQ adapter, against a broker."""

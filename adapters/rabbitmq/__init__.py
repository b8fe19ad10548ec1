"""RabbitMQ: what exists on the broker, publishing with confirms, consuming in batches."""

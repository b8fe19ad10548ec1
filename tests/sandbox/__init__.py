"""The sandboxes keep the rules of what they stand for."""

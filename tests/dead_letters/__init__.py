"""What is decided about dead letters: pure rules, as tables."""

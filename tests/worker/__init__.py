"""The loop and what is around it, with memory in place of the outside."""

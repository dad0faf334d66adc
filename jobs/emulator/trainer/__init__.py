"""A small language model that really gets tuned, in a process of its own."""

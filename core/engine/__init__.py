"""The worker thread, and how the rest of the program uses it."""

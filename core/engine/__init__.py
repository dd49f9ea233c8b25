"""The worker threads, and how the rest of the program talks to them."""

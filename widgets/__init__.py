"""Textual widgets. Each shows one thing, and posts its own messages about what the user did."""

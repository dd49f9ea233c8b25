"""Textual widgets. Each shows one thing, and says what the user did by its own message."""

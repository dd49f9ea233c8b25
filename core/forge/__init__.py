"""Forge packets: compose, review, send, and find them and their replies in a capture."""

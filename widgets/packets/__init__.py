"""The packet table."""

"""Checksums: of one packet, and of a whole batch."""

"""The bytes of one packet."""

"""The detail tree of one packet."""

"""Columns to the bytes of capture files: no I/O, and no loop over packets."""

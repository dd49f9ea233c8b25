"""The values of fields in the packets of a chunk."""

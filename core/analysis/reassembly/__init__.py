"""IP fragments: found in chunks, put together, and given to all that read packets."""

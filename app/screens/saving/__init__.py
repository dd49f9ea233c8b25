"""Save packets, and keep comments on them."""

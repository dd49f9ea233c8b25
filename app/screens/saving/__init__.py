"""Save packets and other files, and keep comments on packets."""

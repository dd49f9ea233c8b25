"""Statistics of a capture: protocols, lengths, addresses, and rates, by whole columns."""

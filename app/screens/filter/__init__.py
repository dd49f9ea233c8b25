"""The display filter of the packet table: the bar, saved filters, and those of echo clients."""

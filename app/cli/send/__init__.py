"""``rawscope send`` and ``rawscope replay``: send packets from the command line."""

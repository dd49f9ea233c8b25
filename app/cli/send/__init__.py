"""``rawscope send`` and ``rawscope replay``: packets out, from the command line."""

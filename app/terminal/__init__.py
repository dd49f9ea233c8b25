"""The terminal: what it shows, when it may be written to, and how it is handed back in order."""

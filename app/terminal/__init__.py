"""The terminal: its contents, the pace of writing, and restoring it at exit."""

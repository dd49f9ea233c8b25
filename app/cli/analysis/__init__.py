"""The commands that analyze a capture file: ``follow``."""

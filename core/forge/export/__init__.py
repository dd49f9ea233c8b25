"""A packet as a command of another tool."""

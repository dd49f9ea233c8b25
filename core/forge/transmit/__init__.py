"""Packets out: one, many equal ones, or a whole capture."""

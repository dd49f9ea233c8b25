"""Send packets: one, many equal ones, or a whole capture."""

"""What became of a sent packet: its copy on the wire, changes, and replies."""

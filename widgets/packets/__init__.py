"""The packet table: a row for each packet, of which the visible ones are read and drawn."""

"""The packet table on the main screen: its columns and its share of the room."""

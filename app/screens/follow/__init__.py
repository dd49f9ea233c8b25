"""The stream panel: its commands, its search, and saving what it shows."""

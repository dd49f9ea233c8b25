"""``--demo``: real traffic on loopback for a newcomer to look at."""

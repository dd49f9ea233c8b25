"""``--demo``: real traffic on loopback, for a first look at the program."""

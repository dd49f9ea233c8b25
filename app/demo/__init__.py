"""``--demo``: real traffic on loopback, as an introduction to the program."""

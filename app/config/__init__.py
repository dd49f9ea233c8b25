"""The configuration file, and the settings that the program remembers."""
